"""An API that means harm, on real sockets: a clear error, bounded memory, nothing followed, nothing left open."""

from __future__ import annotations

import asyncio
import gzip
import json
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
WRITE: dict[str, Any] = {
    "project_id": 1,
    "insight": 1,
    "target_type": "email",
    "target_value": "a@b.example",
    "enabled": False,
}
WRITE |= {"frequency": "daily", "start_date": "2026-01-01T09:00:00Z"}
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ENOUGH = 64 * 1024 * 1024
"""Bytes that any one answer may cost, with all that is made of it."""

Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Seen:
    """What one hostile upstream saw."""

    def __init__(self) -> None:
        self.origin = ""
        self.requests: list[bytes] = []
        self.asked = anyio.Event()
        self.left = anyio.Event()


@asynccontextmanager
async def upstream(behave: Behave) -> AsyncIterator[Seen]:
    """A server that reads a request and then does what it wants."""
    seen = Seen()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            seen.requests.append(await reader.readuntil(b"\r\n\r\n"))
            seen.asked.set()
            await behave(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            seen.left.set()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    seen.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield seen
    finally:
        server.close()


@asynccontextmanager
async def client(origin: str, timeout: float = 20.0) -> AsyncIterator[Client]:
    """A client of the real server in front of that upstream."""
    async with APIClient(origin) as reached:
        caller = CallContext(client=reached, credentials=Credentials(SecretStr(KEY)), timeout=timeout)
        async with serving(caller) as connected:
            yield connected


def serving(caller: CallContext) -> Client:
    """A client of the real server that calls on behalf of this caller."""
    return Client(build_server(load(), lambda _: caller, ""))


async def asked(behave: Behave, name: str = "users-retrieve", **arguments: Any) -> tuple[str, str]:
    """The error code and the text of one call to an upstream that behaves like this."""
    with anyio.fail_after(50):
        async with upstream(behave) as seen, client(seen.origin) as mcp:
            result = await mcp.call_tool(name, arguments)
            text = "".join(part.text for part in result.content if isinstance(part, types.TextContent))
            assert KEY not in text
            return dict(result.meta or {}).get("core13-mcp/error", {}).get("code", "ok"), text


def saying(*pieces: bytes, for_ever: bytes = b"") -> Behave:
    """Say this, then one thing over and over until nobody listens; then wait to be left."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        while for_ever and not reader.at_eof():
            writer.write(for_ever)
            await writer.drain()
        await reader.read()

    return behave


def answering(body: bytes, *headers: bytes) -> Behave:
    length = b"Content-Length: %d\r\n" % len(body)
    return saying(PLAIN + b"".join(header + b"\r\n" for header in headers) + length + b"\r\n" + body)


def bomb(layers: int, size: int) -> bytes:
    packed = gzip.compress(b" " * size)
    for _ in range(layers - 1):
        packed = gzip.compress(packed)
    return packed


CHUNK = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
FLOODS = {
    "a body without end": saying(PLAIN + b"Transfer-Encoding: chunked\r\n\r\n", for_ever=CHUNK),
    "a gzip bomb": answering(bomb(1, 200_000_000), b"Content-Encoding: gzip"),
    "a gzip bomb in a gzip bomb": answering(bomb(2, 200_000_000), b"Content-Encoding: gzip, gzip"),
    "nested lists": answering(b'{"id":' + b"[" * 4_000_000),
    "lists without number": answering(b'{"uuid":[' + b"[]," * 1_000_000 + b"1]}"),
    "as many lists as are read": answering(b'{"uuid":[' + b"[]," * 120_000 + b"1]}"),
    "headers without end": saying(b"HTTP/1.1 200 OK\r\n", for_ever=b"X-More: " + b"y" * 60_000 + b"\r\n"),
    "one header without end": saying(b"HTTP/1.1 200 OK\r\nX-More: ", for_ever=b"y" * 60_000),
    "no status line": saying(for_ever=b"z" * 60_000),
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flood_is_a_clear_error_in_bounded_memory(flood: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core13_mcp.api.retry.TRIES", 1)
    tracemalloc.start()
    try:
        code, text = await asked(FLOODS[flood])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert code in ("unreadable", "unavailable") and text
    assert peak < ENOUGH


@pytest.mark.parametrize("flood", ["a body without end", "a gzip bomb", "no status line"])
async def test_a_flood_in_answer_to_a_create_leaves_its_outcome_unknown(flood: str) -> None:
    code, text = await asked(FLOODS[flood], "subscriptions-create", **WRITE)
    assert code == "outcome_unknown" and "subscriptions-list" in text


NEVER_ENDING = {
    "no answer": saying(),
    "half an answer": saying(PLAIN + b'Content-Length: 100\r\n\r\n{"id": 1'),
    "headers byte by byte": saying(b"HTTP/1.1 200 OK\r\nX-Slow: "),
    "interim answers for ever": saying(for_ever=b"HTTP/1.1 103 Early Hints\r\n\r\n"),
}


@pytest.mark.parametrize("silence", NEVER_ENDING)
async def test_the_deadline_ends_an_answer_that_does_not_and_the_upstream_sees_it(silence: str) -> None:
    with anyio.fail_after(30):
        async with upstream(NEVER_ENDING[silence]) as seen, client(seen.origin, 0.3) as mcp:
            read = await mcp.call_tool("users-retrieve", {})
            await seen.left.wait()
            written = await mcp.call_tool("subscriptions-create", WRITE)
    assert dict(read.meta or {})["core13-mcp/error"]["code"] == "unavailable"
    assert dict(written.meta or {})["core13-mcp/error"]["code"] == "outcome_unknown"


async def test_a_deadline_that_passes_while_waiting_for_a_turn_is_no_unknown_outcome() -> None:
    with anyio.fail_after(30):
        async with upstream(saying()) as seen, APIClient(seen.origin) as reached:
            patient, hasty = (
                CallContext(client=reached, credentials=Credentials(SecretStr(KEY)), timeout=seconds)
                for seconds in (25, 0.3)
            )
            async with serving(patient) as mcp, serving(hasty) as late, anyio.create_task_group() as tasks:
                for _ in range(MAX_CONNECTIONS):
                    tasks.start_soon(mcp.call_tool, "users-retrieve", {})
                while len(seen.requests) < MAX_CONNECTIONS:
                    await anyio.lowlevel.checkpoint()
                result = await late.call_tool("subscriptions-create", WRITE)
                tasks.cancel_scope.cancel()
    assert dict(result.meta or {})["core13-mcp/error"]["code"] == "unreachable"
    assert len(seen.requests) == MAX_CONNECTIONS


async def test_cancelling_a_call_closes_its_connection_at_once_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "core13_mcp.calls")
    with anyio.fail_after(30):
        async with upstream(saying()) as seen, client(seen.origin) as mcp:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(mcp.call_tool, "users-retrieve", {})
                await seen.asked.wait()
                tasks.cancel_scope.cancel()
            await seen.left.wait()
    assert [record.details["outcome"] for record in caplog.records] == ["cancelled"]  # type: ignore[attr-defined]


async def test_closing_the_client_closes_the_connections_of_its_calls() -> None:
    with anyio.fail_after(30):
        async with upstream(saying()) as seen:
            async with anyio.create_task_group() as tasks:

                async def call() -> None:
                    async with client(seen.origin) as mcp:
                        await mcp.call_tool("subscriptions-create", WRITE)

                tasks.start_soon(call)
                await seen.asked.wait()
                tasks.cancel_scope.cancel()
            await seen.left.wait()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_another_host_is_not_followed(status: int) -> None:
    with anyio.fail_after(30):
        async with upstream(answering(b"{}")) as trap:
            to = b"HTTP/1.1 %d Moved\r\nLocation: %b/\r\nContent-Length: 0\r\n\r\n" % (status, trap.origin.encode())
            code, text = await asked(saying(to))
            assert code == "unreadable" and trap.origin not in text
            assert not trap.requests


async def test_a_next_page_at_another_origin_is_neither_followed_nor_shown() -> None:
    with anyio.fail_after(30):
        async with upstream(answering(b"{}")) as trap:
            page = {
                "count": 2,
                "next": f"{trap.origin}/api/users/?offset=1",
                "previous": None,
                "results": [{"uuid": "u"}],
            }
            code, text = await asked(answering(json.dumps(page).encode()), "users-list")
            assert code == "ok" and json.loads(text)["next_offset"] == 1
            assert trap.origin not in text and not trap.requests


@pytest.mark.parametrize(
    "body",
    [
        b"<!doctype html><title>Please wait</title>",
        b'{"uuid": NaN}',
        b'{"uuid": Infinity}',
        b'{"uuid": 1e999}',
        b'{"uuid": ' + b"9" * 5000 + b"}",
        b'{"uuid": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 300 + b"1" + b"}" * 300,
        b'"text"',
        b"[]",
        b"null",
        b"\x00",
        b'{"uuid": {"a": 1}, "uuid": [1]}',
    ],
)
async def test_what_is_not_the_apis_json_is_a_clear_error(body: bytes) -> None:
    code, text = await asked(answering(body))
    assert code == "unreadable" and "calling again is safe" in text


async def test_half_a_character_and_unseen_ones_are_taken_out_of_an_answer() -> None:
    body = b'{"uuid": "u", "first_name": "A\\ud800d\\u202ea\\u200b", "email": "a@b.example"}'
    code, text = await asked(answering(body))
    assert code == "ok" and json.loads(text)["first_name"] == "Ada"
