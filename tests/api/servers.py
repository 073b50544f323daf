"""Servers and proxies on loopback that behave or misbehave in one way, for tests of the connection pool."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

# Of 127.0.0.1 and of posthog.example, a name that only the test proxy resolves.
CERTIFICATE = Path(__file__).with_name("certificate.pem")
# Of 127.0.0.1, valid for one day in 2020.
EXPIRED_CERTIFICATE = Path(__file__).with_name("expired.pem")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
NO_TLS = b"This is not a TLS record."
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"

SetEnvironment = Callable[..., None]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """The address of a test server and what happened to it."""

    def __init__(self, port: int, scheme: str = "http") -> None:
        self.port = port
        self.origin = f"{scheme}://127.0.0.1:{port}"
        self.connections = 0
        self.connection_closed = anyio.Event()


@asynccontextmanager
async def serve(
    handler: Handler, tls: bool = False, certificate: Path = CERTIFICATE, tickets: int = 2
) -> AsyncIterator[Server]:
    """Run a TCP server that passes each connection to the handler, then waits until the client closes it."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        tasks.append(asyncio.current_task())
        try:
            await handler(reader, writer)
            await reader.read()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            server.connection_closed.set()

    tasks: list[asyncio.Task[None] | None] = []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if tls else None
    if context:
        context.load_cert_chain(certificate)
        context.num_tickets = tickets
    listener = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    server = Server(listener.sockets[0].getsockname()[1], "https" if tls else "http")
    with anyio.fail_after(30):
        try:
            yield server
        finally:
            listener.close()
            for task in filter(None, tasks):
                task.cancel()
                await task


async def answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each request with an empty JSON object."""
    while await reader.readuntil(b"\r\n\r\n"):
        writer.write(OK)


async def answer_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read what arrives."""


def tunnel_to(port: int, requests: list[bytes] | None = None) -> Handler:
    """Return the handler of a proxy: answer CONNECT, then copy bytes from and to a port of this machine."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if requests is not None:
            requests.append(request)
        api_reader, api_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(copy(reader, api_writer), copy(api_reader, writer))

    return handle


def in_turn(*handlers: Handler) -> Handler:
    """Return a handler that passes the first connection to the first handler, and so on."""
    remaining = iter(handlers)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await next(remaining)(reader, writer)

    return handle


def response(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def reset(writer: asyncio.StreamWriter) -> None:
    """Close the connection with a TCP reset."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def write_no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(NO_TLS)


async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.close()


def answer_connect(data: bytes, close: bool = False) -> Handler:
    """Return the handler of a proxy that answers CONNECT with these bytes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(data)
        if close:
            writer.close()

    return handle
