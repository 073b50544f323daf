"""Requests of the 2025 protocols without a session, which need no stream transport of the SDK.

The response is JSON. It becomes an event stream with the first progress notification, or when it takes long.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
from mcp.server import Server
from mcp.server.connection import Connection
from mcp.server.runner import serve_one
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp.shared.jsonrpc_dispatcher import handler_exception_to_error_data, progress_token_from_params
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types import DEFAULT_NEGOTIATED_VERSION, INTERNAL_ERROR, ErrorData, JSONRPCRequest
from starlette.requests import Request
from starlette.types import Receive, Send

from ...jsonio import compact_json

log = logging.getLogger("core13_mcp.http")

# Seconds after which a response without data becomes an event stream with comments, so that no proxy closes it.
PING_INTERVAL = 15.0

_HEADERS = [(b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
_PING = b": ping\r\n\r\n"


async def answer(server: Server[Any], request: Request, message: JSONRPCRequest, receive: Receive, send: Send) -> None:
    """Answer a request. It is cancelled if the client disconnects."""
    exchange = _Exchange(message, ServerMessageMetadata(request_context=request), send)
    version = request.headers.get(MCP_PROTOCOL_VERSION_HEADER, DEFAULT_NEGOTIATED_VERSION)
    connection = Connection.from_envelope(version, None, None)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_watch, exchange, receive, tasks.cancel_scope)
        run = serve_one(server, exchange, message.method, message.params, connection=connection, lifespan_state={})
        await exchange.finish(await _outcome(run))
        tasks.cancel_scope.cancel()


@dataclass(slots=True)
class _Exchange:
    """The SDK's dispatch context of one request: it can send notifications to the client, and no requests."""

    message: JSONRPCRequest
    message_metadata: ServerMessageMetadata
    send: Send
    streams: bool = False
    lock: anyio.Lock = field(default_factory=anyio.Lock)
    cancel_requested: anyio.Event = field(default_factory=anyio.Event)
    transport: TransportContext = field(
        default_factory=lambda: TransportContext(kind="streamable-http", can_send_request=False)
    )

    @property
    def request_id(self) -> str | int:
        return self.message.id

    @property
    def can_send_request(self) -> bool:
        return False

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        raise NoBackChannelError(method)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        await self.write(_event({"method": method, "params": dict(params or {})}))

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        token = progress_token_from_params(self.message.params)
        if token is not None:
            values = {"progressToken": token, "progress": progress, "total": total, "message": message}
            present = {name: value for name, value in values.items() if value is not None}
            await self.notify("notifications/progress", present)

    async def write(self, event: bytes) -> None:
        """Write a part of the event stream, which the first part starts."""
        async with self.lock:
            if not self.streams:
                await self._start(b"text/event-stream")
                self.streams = True
            await self.send({"type": "http.response.body", "body": event, "more_body": True})

    async def finish(self, outcome: Mapping[str, Any]) -> None:
        """Write the response."""
        response = {"id": self.message.id, **outcome}
        async with self.lock:
            if self.streams:
                body = _event(response)
            else:
                body = compact_json({"jsonrpc": "2.0", **response}).encode()
                await self._start(b"application/json", (b"content-length", str(len(body)).encode()))
            await self.send({"type": "http.response.body", "body": body})

    async def _start(self, content_type: bytes, *headers: tuple[bytes, bytes]) -> None:
        all_headers = [(b"content-type", content_type), *headers, *_HEADERS]
        await self.send({"type": "http.response.start", "status": 200, "headers": all_headers})


async def _watch(exchange: _Exchange, receive: Receive, scope: anyio.CancelScope) -> None:
    """Cancel the scope when the client disconnects, and keep the connection open until then."""
    while True:
        with anyio.move_on_after(PING_INTERVAL):
            while (await receive())["type"] != "http.disconnect":
                pass
            return scope.cancel()
        await exchange.write(_PING)


def _event(message: Mapping[str, Any]) -> bytes:
    return f"event: message\r\ndata: {compact_json({'jsonrpc': '2.0', **message})}\r\n\r\n".encode()


async def _outcome(run: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    """Return the result or the error of a request, as members of its response."""
    try:
        return {"result": await run}
    except Exception as error:
        data = handler_exception_to_error_data(error)
        if data is None:
            log.exception("internal error")
            data = ErrorData(code=INTERNAL_ERROR, message="Internal error")
        return {"error": data.model_dump(exclude_none=True)}
