"""A server on a real socket, and what tests say to it."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
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
from core13_mcp.transports.http.serving import running

MODERN = "2026-07-28"
ERAS = ("auto", "legacy")


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[HTTPServer]:
    """The whole server, as `core13-mcp serve --http 0` makes it."""
    async with build_http(settings, settings.http or "0") as ready, running(ready.app, ready.listener):
        yield ready


@asynccontextmanager
async def client(
    url: str, era: str = "auto", headers: Mapping[str, str] | None = None, answer: str | None = None
) -> AsyncIterator[Client]:
    """The SDK's own client; `answer` is what the person answers who is asked."""

    async def ask(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        return ElicitResult(action=answer, content={})  # type: ignore[arg-type]  # the tests say accept or decline

    async with httpx2.AsyncClient(headers=dict(headers or {}), timeout=20) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=era, elicitation_callback=ask if answer else None) as connected:
            yield connected


def message(method: str = "tools/list", **params: Any) -> dict[str, Any]:
    """A request of the 2026 era."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"_meta": meta, **params}}


def headers(method: str = "tools/list", name: str | None = None, **more: str) -> dict[str, str]:
    """The headers that go with it."""
    named = {"Mcp-Name": name} if name else {}
    return {
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
        "MCP-Protocol-Version": MODERN,
        "Mcp-Method": method,
        **named,
        **more,
    }


async def post(url: str, method: str = "tools/list", *, sent: Mapping[str, str] | None = None, **params: Any) -> Any:
    """POST one request of the 2026 era and give the HTTP answer."""
    name = params.get("name")
    async with httpx2.AsyncClient(timeout=20) as http:
        body = json.dumps(message(method, **params))
        return await http.post(url, content=body, headers={**headers(method, name), **(sent or {})})


class Stub:
    """An API that never answers `/slow`, and sees who goes away; it answers anything else as the user `/me` would."""

    def __init__(self) -> None:
        self.reached = anyio.Event()
        self.left = anyio.Event()
        self.release = anyio.Event()
        self.heard: list[dict[str, str]] = []
        self.slow: Callable[[Scope], bool] = lambda scope: True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        self.heard.append({name.decode(): value.decode() for name, value in scope["headers"]})
        if self.slow(scope):
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
        self.left.set()
        self.release.set()


class Collector:
    """Where traces are sent to."""

    def __init__(self) -> None:
        self.got = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one batch."""
        self.got += await Request(scope, receive).body()
        await Response(media_type="application/x-protobuf")(scope, receive, send)


async def active(url: str, number: int) -> None:
    """Wait until the server has so many requests, but for the one that asks; it must count them."""
    async with httpx2.AsyncClient(base_url=url.removesuffix("/mcp")) as http:
        while f"http_server_active_requests {number + 1}.0" not in (await http.get("/metrics")).text:
            pass


@asynccontextmanager
async def child(*, saying: str = r"serving at (\S+),", **variables: str) -> AsyncIterator[tuple[Process, str]]:
    """`core13-mcp serve --http 0` as a process of its own, and its URL, or what else it says."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CORE13_", "POSTHOG_"))}
    command = [sys.executable, "-m", "core13_mcp", "serve", "--http", "0"]
    async with await anyio.open_process(command, env={**inherited, **variables}) as process:
        try:
            yield process, await _until(process, saying.encode())
        finally:
            if process.returncode is None:
                process.kill()


async def _until(process: Process, pattern: bytes) -> str:
    """What the process says on stderr that fits."""
    said = b""
    assert process.stderr is not None
    async for piece in process.stderr:
        said += piece
        if found := re.search(pattern, said):
            return found[1].decode()
    raise AssertionError(said.decode())
