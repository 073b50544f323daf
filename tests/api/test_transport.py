"""Connections to the API, on real sockets, with and without TLS."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from anyio.streams.tls import TLSStream

from core13_mcp.api.transport import create_transport

pytestmark = pytest.mark.anyio

CERTIFICATE = Path(__file__).parents[1] / "setup" / "doctor" / "untrusted.pem"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Seen:
    """What a server has seen of its callers."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.connections = 0
        self.left = anyio.Event()


@asynccontextmanager
async def server(behave: Behave, tls: bool = False) -> AsyncIterator[Seen]:
    """A server that does so with each connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections += 1
        try:
            await behave(reader, writer)
            await reader.read()
        except (OSError, asyncio.IncompleteReadError):
            pass  # whoever called has gone
        finally:
            writer.close()
            seen.left.set()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if tls else None
    if context:
        context.load_cert_chain(CERTIFICATE)
    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    seen = Seen(f"http{'s' if tls else ''}://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    with anyio.fail_after(30):
        async with listening:
            yield seen


async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each request."""
    while await reader.readuntil(b"\r\n\r\n"):
        writer.write(ANSWER)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take what comes and say nothing."""


async def pieces() -> AsyncIterator[bytes]:
    """A body that takes longer to send than a connection that breaks."""
    for _ in range(1000):
        yield b"x" * 65_536


async def asked(
    pool: httpx2.AsyncBaseTransport, origin: str, body: AsyncIterator[bytes] | None = None, connect: float = 20.0
) -> bytes:
    """The body that answers one request, read to its end."""
    timeout = httpx2.Timeout(None, connect=connect).as_dict()
    request = httpx2.Request("POST", origin, content=body, extensions={"timeout": timeout})
    response = await pool.handle_async_request(request)
    return await response.aread()


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_a_connection_is_kept_for_the_next_request_and_closed_with_the_pool(tls, trusted):
    async with server(answering, tls) as seen:
        async with create_transport(seen.origin) as pool:
            assert [await asked(pool, seen.origin) for _ in range(3)] == [b"{}"] * 3
            assert seen.connections == 1
        await seen.left.wait()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_a_connection_that_the_server_gave_up_is_not_used_again(tls, trusted):
    idle, closed = anyio.Event(), anyio.Event()

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await idle.wait()
        writer.close()
        closed.set()

    async with server(once, tls) as seen, create_transport(seen.origin) as pool:
        assert await asked(pool, seen.origin) == b"{}"
        idle.set()
        await closed.wait()
        assert await asked(pool, seen.origin) == b"{}"
        assert seen.connections == 2


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_a_connection_that_ends_in_an_answer_is_no_whole_answer(tls, trusted):
    async def leaving(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER[:-1])
        writer.close()

    async with server(leaving, tls) as seen, create_transport(seen.origin) as pool:
        with pytest.raises(httpx2.RemoteProtocolError):
            await asked(pool, seen.origin)


async def test_a_connection_that_breaks_in_an_answer_is_a_read_that_failed():
    async def breaking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER[:-1])
        await writer.drain()
        reset(writer)

    async with server(breaking) as seen, create_transport(seen.origin) as pool:
        with pytest.raises(httpx2.ReadError):
            await asked(pool, seen.origin)


async def test_a_connection_that_breaks_in_a_request_is_no_answer():
    async def breaking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        reset(writer)

    async with server(breaking) as seen, create_transport(seen.origin) as pool:
        with pytest.raises(httpx2.ReadError):
            await asked(pool, seen.origin, pieces())


async def test_a_server_that_never_agrees_on_tls_is_a_connection_that_took_too_long_and_is_closed(trusted):
    async with server(silent) as seen:
        origin = seen.origin.replace("http:", "https:")
        async with create_transport(origin) as pool:
            with pytest.raises(httpx2.ConnectTimeout):
                await asked(pool, origin, connect=0.2)
        await seen.left.wait()


async def test_a_request_that_is_cancelled_while_tls_is_agreed_on_leaves_no_connection(trusted):
    async with server(silent) as seen:
        origin = seen.origin.replace("http:", "https:")
        async with create_transport(origin) as pool:
            with anyio.move_on_after(0.2) as given_up:
                await asked(pool, origin)
            assert given_up.cancelled_caught
            await seen.left.wait()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_a_request_that_is_cancelled_just_as_it_is_connected_leaves_no_connection(tls, trusted, monkeypatch):
    connected = TLSStream.wrap if tls else anyio.connect_tcp

    async def cancelling(*arguments: Any, **named: Any) -> Any:
        made = await connected(*arguments, **named)
        given_up.cancel()
        return made

    monkeypatch.setattr("core13_mcp.api.network.TLSStream.wrap" if tls else "anyio.connect_tcp", cancelling)
    async with server(answering, tls) as seen, create_transport(seen.origin) as pool:
        with anyio.CancelScope() as given_up:
            await asked(pool, seen.origin)
        assert given_up.cancelled_caught
        await seen.left.wait()


async def test_tls_that_breaks_after_it_was_agreed_on_is_a_read_that_failed(trusted):
    async def garbled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        os.write(writer.get_extra_info("socket").fileno(), ANSWER)  # past TLS

    async with server(garbled, tls=True) as seen, create_transport(seen.origin) as pool:
        with pytest.raises(httpx2.ReadError):
            await asked(pool, seen.origin)


async def test_a_server_that_speaks_no_tls_is_a_connection_that_failed(trusted):
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(ANSWER)

    async with server(plain) as seen:
        origin = seen.origin.replace("http:", "https:")
        async with create_transport(origin) as pool:
            with pytest.raises(httpx2.ConnectError):
                await asked(pool, origin)


async def test_nobody_at_the_address_is_a_connection_that_failed():
    async with server(silent) as gone:
        pass
    async with create_transport(gone.origin) as pool:
        with pytest.raises(httpx2.ConnectError):
            await asked(pool, gone.origin)


def reset(writer: asyncio.StreamWriter) -> None:
    """Break the connection off, so that the other side cannot take it for an end."""
    held: socket.socket = writer.get_extra_info("socket")
    held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
