"""The connection pool on real sockets: direct connections, TLS and tunnels through a proxy."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import ssl
import struct
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from anyio.streams.tls import TLSStream

from core13_mcp.api.retry import NOT_SENT_ERRORS
from core13_mcp.api.transport import PoolTransport

pytestmark = pytest.mark.anyio

# Of 127.0.0.1 and of posthog.example, a name that only the test proxy resolves.
CERTIFICATE = Path(__file__).with_name("certificate.pem")
PROXIED = "https://posthog.example"

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
NO_TLS = b"This is not a TLS record."

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """The address of a test server and what happened to it."""

    def __init__(self, port: int, scheme: str = "http") -> None:
        self.port = port
        self.origin = f"{scheme}://127.0.0.1:{port}"
        self.connections = 0
        self.connection_closed = anyio.Event()


@asynccontextmanager
async def serve(handler: Handler, tls: bool = False) -> AsyncIterator[Server]:
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
        context.load_cert_chain(CERTIFICATE)
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


async def fetch(
    transport: httpx2.AsyncBaseTransport, origin: str, body: AsyncIterator[bytes] | None = None, connect: float = 20.0
) -> bytes:
    """Send one POST request and return the body of the response."""
    timeout = httpx2.Timeout(None, connect=connect).as_dict()
    request = httpx2.Request("POST", origin, content=body, extensions={"timeout": timeout})
    response = await transport.handle_async_request(request)
    try:
        return await response.aread()
    finally:
        await response.aclose()


SetEnvironment = Callable[..., None]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> SetEnvironment:
    """Trust the test certificate, use no proxy, and return a function that sets variables."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def set_variables(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_variables


# Direct connections


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_a_connection_is_reused_and_closed_with_the_pool(tls):
    async with serve(answer_all, tls) as api:
        async with PoolTransport(api.origin) as transport:
            assert [await fetch(transport, api.origin) for _ in range(3)] == [b"{}"] * 3
            assert api.connections == 1
        await api.connection_closed.wait()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_a_response_that_ends_early_is_a_protocol_error(tls):
    async def end_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK[:-1])
        writer.close()

    async with serve(end_early, tls) as api, PoolTransport(api.origin) as transport:
        with pytest.raises(httpx2.RemoteProtocolError):
            await fetch(transport, api.origin)


def reset(writer: asyncio.StreamWriter) -> None:
    """Close the connection with a TCP reset."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def reset_in_response(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK[:-1])
    await writer.drain()
    reset(writer)


async def reset_in_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    reset(writer)


async def write_without_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    os.write(writer.get_extra_info("socket").fileno(), OK)


@pytest.mark.parametrize(
    ("handler", "tls", "chunks"),
    [(reset_in_response, False, 1), (reset_in_request, False, 1000), (write_without_tls, True, 1)],
    ids=["reset in the response", "reset in the request", "TLS breaks"],
)
async def test_a_connection_that_breaks_after_the_handshake_is_a_read_error(handler, tls, chunks):
    async def body() -> AsyncIterator[bytes]:
        for _ in range(chunks):
            yield b"x" * 65_536

    async with serve(handler, tls) as api, PoolTransport(api.origin) as transport:
        with pytest.raises(httpx2.ReadError):
            await fetch(transport, api.origin, body())


async def test_a_closed_port_is_a_connect_error():
    async with serve(answer_nothing) as api:
        pass
    async with PoolTransport(api.origin) as transport:
        with pytest.raises(httpx2.ConnectError):
            await fetch(transport, api.origin)


# Data behind a response


def response(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


TRAILING = {
    "a 429 response": response("429 Too Many Requests", b""),
    "a 201 response": response("201 Created", b'{"id": 999}'),
    "a line end": b"\r\n",
    "one byte": b"x",
    "many bytes": b"x" * 300_000,
}


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("segments", [1, 2], ids=["in the same segment", "in the next segment"])
@pytest.mark.parametrize("trailing", TRAILING.values(), ids=TRAILING)
async def test_a_connection_with_data_behind_its_response_is_closed_and_not_reused(tls, segments, trailing):
    count = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        while await reader.readuntil(b"\r\n\r\n"):
            count += 1
            expected = response("200 OK", b"response %d" % count)
            if segments == 1:
                writer.write(expected + trailing)
            else:
                writer.write(expected)
                writer.write(trailing)

    async with serve(answer, tls) as api, PoolTransport(api.origin) as transport:
        assert [await fetch(transport, api.origin) for _ in range(3)] == [b"response 1", b"response 2", b"response 3"]
        assert (count, api.connections) == (3, 3)


async def test_a_connection_with_data_behind_64_kib_of_response_is_not_reused():
    head = len(response("200 OK", b"x" * 65_000)) - 65_000
    expected = response("200 OK", b"x" * (65_536 - head))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(expected + TRAILING["a 429 response"])

    async with serve(answer) as api, PoolTransport(api.origin) as transport:
        assert [await fetch(transport, api.origin) for _ in range(2)] == [b"x" * (65_536 - head)] * 2
        assert api.connections == 2


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("end", [asyncio.StreamWriter.close, lambda writer: writer.write(b"x")], ids=["end", "data"])
async def test_a_connection_that_ends_or_gets_data_while_it_is_idle_is_not_reused(tls, end):
    idle, ended = anyio.Event(), anyio.Event()

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        await idle.wait()
        end(writer)
        ended.set()

    async with serve(answer_once, tls) as api, PoolTransport(api.origin) as transport:
        assert await fetch(transport, api.origin) == b"{}"
        idle.set()
        await ended.wait()
        assert await fetch(transport, api.origin) == b"{}"
        assert api.connections == 2


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_a_connection_that_is_closed_right_behind_its_response_is_not_reused(tls):
    async def answer_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        writer.close()

    async with serve(answer_and_close, tls) as api, PoolTransport(api.origin) as transport:
        assert [await fetch(transport, api.origin) for _ in range(2)] == [b"{}"] * 2
        assert api.connections == 2


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 1_000_000])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_a_response_of_any_size_leaves_its_connection_open(tls, size):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(response("200 OK", b"x" * size))

    async with serve(answer, tls) as api, PoolTransport(api.origin) as transport:
        assert [await fetch(transport, api.origin) for _ in range(2)] == [b"x" * size] * 2
        assert api.connections == 1


# Failed, late and cancelled handshakes. A pool with one connection shows that the failure has released it.


async def write_no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(NO_TLS)


async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.close()


FAILED_HANDSHAKES: dict[str, tuple[Handler, type[Exception]]] = {
    "no TLS": (write_no_tls, httpx2.ConnectError),
    "closed": (close, httpx2.ConnectError),
    "no answer": (answer_nothing, httpx2.ConnectTimeout),
}


@pytest.mark.parametrize(("handler", "error"), FAILED_HANDSHAKES.values(), ids=FAILED_HANDSHAKES)
async def test_a_tls_handshake_that_fails_closes_its_connection(handler, error):
    async with serve(handler) as api:
        origin = api.origin.replace("http:", "https:")
        async with PoolTransport(origin, max_connections=1) as transport:
            for _ in range(2):
                with pytest.raises(error):
                    await fetch(transport, origin, connect=0.2)
            await api.connection_closed.wait()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_a_request_that_is_cancelled_just_as_it_connects_closes_its_connection(tls, monkeypatch):
    connect = TLSStream.wrap if tls else anyio.connect_tcp

    async def connect_and_cancel(*args: Any, **kwargs: Any) -> Any:
        stream = await connect(*args, **kwargs)
        scope.cancel()
        return stream

    monkeypatch.setattr("anyio.streams.tls.TLSStream.wrap" if tls else "anyio.connect_tcp", connect_and_cancel)
    async with serve(answer_all, tls) as api, PoolTransport(api.origin) as transport:
        with anyio.CancelScope() as scope:
            await fetch(transport, api.origin)
        assert scope.cancelled_caught
        await api.connection_closed.wait()


# Proxies


@asynccontextmanager
async def serve_behind_proxy(
    environment: SetEnvironment, *before: Handler, proxy_tls: bool = False
) -> AsyncIterator[tuple[Server, list[bytes]]]:
    """Run an API behind a proxy whose first connections go to other handlers; yield the API and the proxy's requests."""
    requests: list[bytes] = []
    async with serve(answer_all, tls=True) as api:
        tunnels = [tunnel_to(api.port, requests)] * 9
        async with serve(in_turn(*before, *tunnels), proxy_tls) as proxy:
            environment(HTTPS_PROXY=proxy.origin.replace("//", "//me:p%40ss@"))
            yield api, requests


@pytest.mark.parametrize("proxy_tls", [False, True], ids=["http proxy", "https proxy"])
async def test_https_requests_go_through_a_tunnel_of_the_proxy(environment, proxy_tls):
    async with serve_behind_proxy(environment, proxy_tls=proxy_tls) as (api, requests):
        async with PoolTransport(PROXIED) as transport:
            assert [await fetch(transport, PROXIED) for _ in range(3)] == [b"{}"] * 3
        assert (api.connections, len(requests)) == (1, 1)
    request_line, *headers = requests[0].decode().split("\r\n")
    assert request_line == "CONNECT posthog.example:443 HTTP/1.1"
    assert "Host: posthog.example:443" in headers
    assert f"Proxy-Authorization: Basic {b64encode(b'me:p@ss').decode()}" in headers


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
async def test_a_proxy_needs_neither_credentials_nor_a_scheme(environment, variable):
    requests: list[bytes] = []
    async with serve(answer_all, tls=True) as api, serve(tunnel_to(api.port, requests)) as proxy:
        environment(**{variable: f"127.0.0.1:{proxy.port}"})
        async with PoolTransport("https://[2001:db8::1]:8443") as transport:
            with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await fetch(transport, "https://[2001:db8::1]:8443")
    assert requests[0].startswith(b"CONNECT [2001:db8::1]:8443 HTTP/1.1\r\n")
    assert b"authorization" not in requests[0].lower()


@pytest.mark.parametrize("no_proxy", ["posthog.invalid", "other.example, .invalid", "*"])
async def test_a_host_in_no_proxy_is_connected_directly(environment, no_proxy):
    async with serve(answer_nothing) as proxy:
        environment(HTTPS_PROXY=proxy.origin, NO_PROXY=no_proxy)
        async with PoolTransport("https://posthog.invalid") as transport:
            with pytest.raises(httpx2.ConnectError):
                await fetch(transport, "https://posthog.invalid")
        assert proxy.connections == 0


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_a_loopback_address_is_connected_directly(environment, tls):
    async with serve(answer_nothing) as proxy, serve(answer_all, tls) as api:
        environment(HTTP_PROXY=proxy.origin, HTTPS_PROXY=proxy.origin, ALL_PROXY=proxy.origin)
        async with PoolTransport(api.origin) as transport:
            assert await fetch(transport, api.origin) == b"{}"
        assert proxy.connections == 0


@pytest.mark.parametrize(
    "url", ["gopher://me:hunter22@proxy.example", "socks5://me:hunter22@proxy.example", "http://me:hunter22@:none"]
)
async def test_a_proxy_of_another_kind_is_an_error_that_does_not_show_its_password(environment, url):
    environment(HTTPS_PROXY=url)
    with pytest.raises(httpx2.ProxyError) as error:
        PoolTransport(PROXIED)
    assert "hunter22" not in str(error.value)


def answer_connect(data: bytes, close: bool = False) -> Handler:
    """Return the handler of a proxy that answers CONNECT with these bytes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(data)
        if close:
            writer.close()

    return handle


ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
FAILED_TUNNELS: dict[str, tuple[Handler, type[Exception]]] = {
    "407": (answer_connect(response("407 Proxy Authentication Required", b"")), httpx2.ProxyError),
    "502": (answer_connect(response("502 Bad Gateway", b"<html>")), httpx2.ProxyError),
    "no HTTP": (answer_connect(b"SSH-2.0-OpenSSH_9.7\r\n\r\n"), httpx2.ProxyError),
    "a long response": (answer_connect(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 100_000), httpx2.ProxyError),
    "data after the response": (answer_connect(ESTABLISHED + NO_TLS), httpx2.ProxyError),
    "closed without a response": (answer_connect(b"", close=True), httpx2.ConnectError),
    "closed in the response": (answer_connect(ESTABLISHED[:-1], close=True), httpx2.ConnectError),
    "closed in the handshake": (answer_connect(ESTABLISHED, close=True), httpx2.ConnectError),
    "no response": (answer_nothing, httpx2.ConnectTimeout),
    "no answer in the handshake": (answer_connect(ESTABLISHED), httpx2.ConnectTimeout),
}


@pytest.mark.parametrize(("handler", "error"), FAILED_TUNNELS.values(), ids=FAILED_TUNNELS)
async def test_a_tunnel_that_fails_is_an_error_before_sending_and_frees_its_place_in_the_pool(
    environment, handler, error
):
    async with (
        serve_behind_proxy(environment, handler) as (_, _),
        PoolTransport(PROXIED, max_connections=1) as transport,
    ):
        with pytest.raises(error) as failure:
            await fetch(transport, PROXIED, connect=0.3)
        assert isinstance(failure.value, NOT_SENT_ERRORS) and "p@ss" not in str(failure.value)
        assert await fetch(transport, PROXIED) == b"{}"


@pytest.mark.parametrize(
    "handler", [answer_nothing, answer_connect(ESTABLISHED)], ids=["before CONNECT is answered", "in the handshake"]
)
async def test_a_request_that_is_cancelled_in_a_tunnel_frees_its_place_in_the_pool(environment, handler):
    async with (
        serve_behind_proxy(environment, handler) as (_, _),
        PoolTransport(PROXIED, max_connections=1) as transport,
    ):
        with anyio.move_on_after(0.2) as scope:
            await fetch(transport, PROXIED)
        assert scope.cancelled_caught
        assert await fetch(transport, PROXIED) == b"{}"


async def test_requests_that_are_cancelled_at_any_moment_free_their_places_in_the_pool(environment):
    async def answer_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response("200 OK\r\nConnection: close", b"{}"))
        writer.close()

    moments = random.Random(3)
    async with serve(answer_and_close, tls=True) as api, serve(tunnel_to(api.port)) as proxy:
        environment(HTTPS_PROXY=proxy.origin)
        async with PoolTransport(PROXIED, max_connections=2) as transport:

            async def fetch_or_cancel() -> None:
                with anyio.move_on_after(moments.uniform(0, 0.02)):
                    await fetch(transport, PROXIED)

            for _ in range(40):
                async with anyio.create_task_group() as group:
                    for _ in range(3):
                        group.start_soon(fetch_or_cancel)
            assert await fetch(transport, PROXIED) == b"{}"
