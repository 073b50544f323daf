"""The HTTP server, in this process or as a child process, and clients for it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import anyio
import httpx2
from anyio.abc import Process
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ElicitRequestParams, ElicitResult
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from core13_mcp.compose.http import HTTPServer, build_http
from core13_mcp.settings import Settings
from core13_mcp.transports.http.connection import Timeouts
from core13_mcp.transports.http.serving import Server

from ...processes import CLI, clean_environment

MODERN = "2026-07-28"

TIMEOUTS = Timeouts()

# Seconds after which a test with a server fails.
TIMEOUT = 60.0


@asynccontextmanager
async def _timeout() -> AsyncIterator[None]:
    with anyio.fail_after(TIMEOUT):
        yield


@asynccontextmanager
async def serving(settings: Settings, timeouts: Timeouts = TIMEOUTS, **limits: Any) -> AsyncIterator[HTTPServer]:
    """Serve in this process like `serve --http 0`; `limits` are fields of `LimitOptions`."""
    if settings.http_metrics:
        settings = settings._replace(http_metrics_port="0")
    async with _timeout(), build_http(settings, "0", **limits) as http, anyio.create_task_group() as tasks:
        server = Server(http.app, http.lifecycle, timeouts=timeouts)
        # The test, not uvicorn, decides what a signal means.
        server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
        tasks.start_soon(server.serve, [*http.listeners])
        try:
            yield http
        finally:
            server.should_exit = True
            # The server closes its connections in order only if it is not cancelled.
            tasks.cancel_scope.shield = True


@asynccontextmanager
async def client(
    url: str, mode: str = "auto", headers: Mapping[str, str] | None = None, answer: str | None = None
) -> AsyncIterator[Client]:
    """Connect the SDK's client; `answer` is the user's answer to a confirmation."""

    async def elicit(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        return ElicitResult(action=answer, content={"confirm": True})  # type: ignore[arg-type]  # the tests pass accept or decline

    async with httpx2.AsyncClient(headers=dict(headers or {}), timeout=20) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=mode, elicitation_callback=elicit if answer else None) as connected:
            yield connected


def message(method: str = "tools/list", **params: Any) -> dict[str, Any]:
    """A JSON-RPC request of protocol 2026-07-28."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"_meta": meta, **params}}


def headers(method: str = "tools/list", name: str | None = None, **more: str) -> dict[str, str]:
    """The headers of such a request."""
    return {
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
        "MCP-Protocol-Version": MODERN,
        "Mcp-Method": method,
        **({"Mcp-Name": name} if name else {}),
        **more,
    }


async def post(url: str, method: str = "tools/list", *, sent: Mapping[str, str] | None = None, **params: Any) -> Any:
    """POST a request of protocol 2026-07-28 with the headers `sent`; return the HTTP response."""
    async with httpx2.AsyncClient(timeout=20) as http:
        body = json.dumps(message(method, **params))
        return await http.post(url, content=body, headers={**headers(method, params.get("name")), **(sent or {})})


async def call_user(url: str, **sent: str) -> Any:
    """Call `users-retrieve` with these headers, in which `_` is `-`; return the HTTP response."""
    extra = {name.replace("_", "-"): value for name, value in sent.items()}
    return await post(url, "tools/call", sent=extra, name="users-retrieve", arguments={})


class StubAPI:
    """An API that returns a user; a request for which `is_slow` is true waits for `release`."""

    def __init__(self, is_slow: Callable[[Scope], bool] = lambda scope: True) -> None:
        self.is_slow = is_slow
        self.reached = anyio.Event()
        self.disconnected = anyio.Event()
        self.release = anyio.Event()
        self.requests: list[dict[str, str]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            return
        self.requests.append({name.decode(): value.decode() for name, value in scope["headers"]})
        if self.is_slow(scope):
            self.reached.set()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._watch, receive)
                await self.release.wait()
                tasks.cancel_scope.cancel()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": b'{"uuid": "0", "distinct_id": "x"}'})

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.disconnected.set()
        self.release.set()


def fast(_: Scope) -> bool:
    """For `StubAPI`: no request is slow."""
    return False


class Collector:
    """An OpenTelemetry collector."""

    def __init__(self) -> None:
        self.got = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Receive one batch of spans."""
        self.got += await Request(scope, receive).body()
        await Response(media_type="application/x-protobuf")(scope, receive, send)


async def wait_for_requests(server: HTTPServer, number: int) -> None:
    """Wait until the server, which must have metrics, handles this number of requests."""
    async with httpx2.AsyncClient() as http:
        while f"http_server_active_requests {number}.0" not in (await http.get(server.metrics_url)).text:
            pass


@asynccontextmanager
async def child(*, pattern: str = r"serving at (\S+),", **variables: str) -> AsyncIterator[tuple[Process, str]]:
    """Start `serve --http 0`; yield the process and the match of `pattern` on stderr, the URL."""
    command = [*CLI, "serve", "--http", "0"]
    async with _timeout(), await anyio.open_process(command, env=clean_environment(**variables)) as process:
        try:
            yield process, await _read_until(process, pattern.encode())
        finally:
            if process.returncode is None:
                process.kill()


async def _read_until(process: Process, pattern: bytes) -> str:
    output = b""
    assert process.stderr is not None
    async for chunk in process.stderr:
        output += chunk
        if match := re.search(pattern, output):
            return match[1].decode()
    raise AssertionError(output.decode())
