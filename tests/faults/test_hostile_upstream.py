"""A hostile API on real sockets leads to clear errors, and memory stays bounded."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import mcp_types as types
import pytest
from mcp import Client

from core13_mcp.api.client import APIClient
from core13_mcp.api.credentials import Credentials
from core13_mcp.api.transport import MAX_CONNECTIONS
from core13_mcp.declarations.catalog import load
from core13_mcp.keys import SecretStr
from core13_mcp.pipeline.call import CallContext
from core13_mcp.server.handlers import build_server

pytestmark = pytest.mark.anyio

KEY = "phx_hostile00000000000000000000000"
WRITE: dict[str, Any] = {"project_id": 1, "insight": 1, "target_type": "email", "target_value": "a@b.example"}
WRITE |= {"frequency": "daily", "start_date": "2026-01-01T09:00:00Z", "enabled": False}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

# Bytes that one response may allocate, with everything that is made of it.
MAX_ALLOCATED = 64 * 1024 * 1024

Behavior = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class HostileAPI:
    """A running hostile API, with the heads of its requests."""

    def __init__(self) -> None:
        self.origin = ""
        self.requests: list[bytes] = []
        self.received = anyio.Event()
        self.disconnected = anyio.Event()


@asynccontextmanager
async def hostile_api(behavior: Behavior) -> AsyncIterator[HostileAPI]:
    """Run a server that reads the head of each request and then calls `behavior`."""
    api = HostileAPI()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            api.requests.append(await reader.readuntil(b"\r\n\r\n"))
            api.received.set()
            await behavior(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            api.disconnected.set()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    api.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield api
    finally:
        server.close()


@asynccontextmanager
async def client_of(origin: str, timeout: float = 20.0, *, retry: bool = True) -> AsyncIterator[Client]:
    """Connect a client to the real server for an API."""
    async with APIClient(origin) as api, connect(api, timeout, retry=retry) as client:
        yield client


def connect(api: APIClient, timeout: float, *, retry: bool = True) -> Client:
    """Return a client of a server that calls an API with these limits."""
    context = CallContext(
        client=api, credentials=Credentials(SecretStr(KEY)), timeout=timeout, retry=retry, confirm="never"
    )
    return Client(build_server(load(), lambda _: context, ""))


async def call(
    behavior: Behavior, name: str = "users-retrieve", *, retry: bool = True, **arguments: Any
) -> tuple[str, str]:
    """Make one call to a hostile API, and return the error code and the text."""
    with anyio.fail_after(50):
        async with hostile_api(behavior) as api, client_of(api.origin, retry=retry) as client:
            result = await client.call_tool(name, arguments)
            text = "".join(part.text for part in result.content if isinstance(part, types.TextContent))
            assert KEY not in text
            return error_code(result), text


def error_code(result: types.CallToolResult) -> str:
    return str(dict(result.meta or {}).get("core13-mcp/error", {}).get("code", "ok"))


def send(*chunks: bytes, forever: bytes = b"") -> Behavior:
    """Send chunks, then one chunk forever, then wait until the client disconnects."""

    async def behavior(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
        while forever and not reader.at_eof():
            writer.write(forever)
            await writer.drain()
        await reader.read()

    return behavior


def respond(body: bytes, *headers: bytes) -> Behavior:
    """Send a complete response."""
    length = b"Content-Length: %d\r\n" % len(body)
    return send(HEAD + b"".join(header + b"\r\n" for header in headers) + length + b"\r\n" + body)


def gzip_bomb(layers: int, size: int) -> bytes:
    data = b" " * size
    for _ in range(layers):
        data = gzip.compress(data)
    return data


CHUNK = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
FLOODS = {
    "an endless body": send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", forever=CHUNK),
    "a gzip bomb": respond(gzip_bomb(1, 200_000_000), b"Content-Encoding: gzip"),
    "a gzip bomb in a gzip bomb": respond(gzip_bomb(2, 200_000_000), b"Content-Encoding: gzip, gzip"),
    "nested lists": respond(b'{"id":' + b"[" * 4_000_000),
    "too many lists": respond(b'{"uuid":[' + b"[]," * 1_000_000 + b"1]}"),
    "as many lists as are parsed": respond(b'{"uuid":[' + b"[]," * 120_000 + b"1]}"),
    "endless headers": send(b"HTTP/1.1 200 OK\r\n", forever=b"X-More: " + b"y" * 60_000 + b"\r\n"),
    "one endless header": send(b"HTTP/1.1 200 OK\r\nX-More: ", forever=b"y" * 60_000),
    "no status line": send(forever=b"z" * 60_000),
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flood_is_an_error_in_bounded_memory(flood: str) -> None:
    tracemalloc.start()
    try:
        code, text = await call(FLOODS[flood], retry=False)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert code in ("unreadable", "unavailable") and text
    assert peak < MAX_ALLOCATED


INCOMPLETE = {
    "no response": send(),
    "a part of a response": send(HEAD + b'Content-Length: 100\r\n\r\n{"id": 1'),
    "a part of the headers": send(b"HTTP/1.1 200 OK\r\nX-Slow: "),
    "endless interim responses": send(forever=b"HTTP/1.1 103 Early Hints\r\n\r\n"),
}


@pytest.mark.parametrize("response", INCOMPLETE)
async def test_the_deadline_ends_a_call_without_a_complete_response(response: str) -> None:
    with anyio.fail_after(30):
        async with hostile_api(INCOMPLETE[response]) as api, client_of(api.origin, 0.3) as client:
            read = await client.call_tool("users-retrieve", {})
            await api.disconnected.wait()
            create = await client.call_tool("subscriptions-create", WRITE)
    assert (error_code(read), error_code(create)) == ("unavailable", "outcome_unknown")


async def test_a_call_that_gets_no_connection_before_its_deadline_was_not_sent() -> None:
    with anyio.fail_after(30):
        async with (
            hostile_api(send()) as hostile,
            APIClient(hostile.origin) as api,
            connect(api, 25) as client,
            connect(api, 0.3) as late,
            anyio.create_task_group() as tasks,
        ):
            for _ in range(MAX_CONNECTIONS):
                tasks.start_soon(client.call_tool, "users-retrieve", {})
            while len(hostile.requests) < MAX_CONNECTIONS:
                await anyio.lowlevel.checkpoint()
            result = await late.call_tool("subscriptions-create", WRITE)
            tasks.cancel_scope.cancel()
    assert error_code(result) == "unreachable"
    assert len(hostile.requests) == MAX_CONNECTIONS


async def test_a_cancelled_call_closes_its_connection_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "core13_mcp.calls")
    with anyio.fail_after(30):
        async with hostile_api(send()) as api, client_of(api.origin) as client:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.call_tool, "users-retrieve", {})
                await api.received.wait()
                tasks.cancel_scope.cancel()
            await api.disconnected.wait()
    [record] = caplog.records
    assert record.__dict__["details"].items() >= {"outcome": "cancelled", "attempts": 1}.items()
