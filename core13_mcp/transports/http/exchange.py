"""Requests of the 2025 protocols, without the SDK's stream transport, which needs several tasks and streams for each.

The response is JSON. It becomes an event stream with the first notification or question, or when it takes long.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio
from mcp.server import Server
from mcp.server.connection import Connection
from mcp.server.runner import serve_one
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.jsonrpc_dispatcher import handler_exception_to_error_data, progress_token_from_params
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types import INTERNAL_ERROR, ErrorData, JSONRPCRequest
from starlette.requests import Request
from starlette.types import Receive, Send

from ...jsonio import compact_json
from .questions import OpenQuestions

log = logging.getLogger("core13_mcp.http")

# Seconds after which a stream without data gets a comment, so that no proxy closes it.
PING_INTERVAL = 15.0
PING = b": ping\r\n\r\n"

Headers = list[tuple[bytes, bytes]]

_NO_STORE: Headers = [(b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]


@dataclass(slots=True)
class Exchange:
    """One request and its response; it is the SDK's dispatch context of the request.

    Attributes:
        connection: The state that the SDK keeps for a client.
        questions: The questions of the session, if the response may contain questions.
        headers: More headers of a response with a result.
    """

    message: JSONRPCRequest
    request: Request
    send: Send
    connection: Connection
    questions: OpenQuestions | None = None
    headers: Headers = field(default_factory=list)
    succeeded: bool = False
    _streams: bool = False
    _lock: anyio.Lock = field(default_factory=anyio.Lock)
    cancel_requested: anyio.Event = field(default_factory=anyio.Event)
    transport: TransportContext = field(
        default_factory=partial(TransportContext, kind="streamable-http", can_send_request=False)
    )

    async def run(self, server: Server[Any], receive: Receive) -> None:
        """Answer the request. It is cancelled if the client disconnects."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch, receive, tasks.cancel_scope)
            method, params = self.message.method, self.message.params
            run = serve_one(server, self, method, params, connection=self.connection, lifespan_state={})
            outcome = await _outcome(run)
            self.succeeded = "result" in outcome
            await self._finish({"id": self.message.id, **outcome})
            tasks.cancel_scope.cancel()

    @property
    def message_metadata(self) -> ServerMessageMetadata:
        return ServerMessageMetadata(request_context=self.request)

    @property
    def request_id(self) -> str | int:
        return self.message.id

    @property
    def can_send_request(self) -> bool:
        return self.questions is not None

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        if self.questions is None:
            raise NoBackChannelError(method)
        return await self.questions.ask(self._write_message, method, params or {})

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        await self._write_message({"method": method, "params": dict(params or {})})

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        token = progress_token_from_params(self.message.params)
        if token is not None:
            values = {"progressToken": token, "progress": progress, "total": total, "message": message}
            present = {name: value for name, value in values.items() if value is not None}
            await self.notify("notifications/progress", present)

    async def _watch(self, receive: Receive, scope: anyio.CancelScope) -> None:
        while await until_disconnect(receive):  # pragma: no branch - not traced after a cancellation; test_exchange
            await self._write(PING)
        scope.cancel()

    async def _write_message(self, message: Mapping[str, Any]) -> None:
        await self._write(_event(message))

    async def _write(self, event: bytes) -> None:
        """Write a part of the event stream, which the first part starts."""
        async with self._lock:
            if not self._streams:
                await start(self.send, b"text/event-stream", self.headers)
                self._streams = True
            await self.send({"type": "http.response.body", "body": event, "more_body": True})

    async def _finish(self, response: Mapping[str, Any]) -> None:
        async with self._lock:
            if self._streams:
                body = _event(response)
            else:
                body = compact_json({"jsonrpc": "2.0", **response}).encode()
                length = (b"content-length", str(len(body)).encode())
                await start(self.send, b"application/json", [length, *(self.headers if self.succeeded else [])])
            await self.send({"type": "http.response.body", "body": body})


async def start(send: Send, content_type: bytes, headers: Headers) -> None:
    """Start a response."""
    all_headers = [(b"content-type", content_type), *headers, *_NO_STORE]
    await send({"type": "http.response.start", "status": 200, "headers": all_headers})


async def until_disconnect(receive: Receive) -> bool:
    """Wait until the client disconnects; return True if it is still there after `PING_INTERVAL`."""
    with anyio.move_on_after(PING_INTERVAL):
        while (await receive())["type"] != "http.disconnect":
            pass
        return False
    return True


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


def _event(message: Mapping[str, Any]) -> bytes:
    return f"event: message\r\ndata: {compact_json({'jsonrpc': '2.0', **message})}\r\n\r\n".encode()
