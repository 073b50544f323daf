"""The connection pool on real sockets: direct connections, TLS and tunnels through a proxy."""

from __future__ import annotations

import asyncio
import os
import random
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
import pytest
from anyio.streams.tls import TLSStream

from core13_mcp.api.failures import ConnectFailure
from core13_mcp.api.proxy import proxy_url
from core13_mcp.api.retry import NOT_SENT_ERRORS
from core13_mcp.api.transport import PoolTransport

from .servers import (
    ESTABLISHED,
    NO_TLS,
    OK,
    Handler,
    Server,
    SetEnvironment,
    answer_all,
    answer_connect,
    answer_nothing,
    close,
    in_turn,
    reset,
    response,
    serve,
    tunnel_to,
    write_no_tls,
)

pytestmark = pytest.mark.anyio

PROXIED = "https://posthog.example"


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


async def test_over_tls_a_connection_with_data_behind_64_kib_of_records_is_not_reused():
    # Five bytes of header and 17 of authentication are added to each record of at most 16 KiB of data.
    size = 65_536 - 4 * 22
    head = len(response("200 OK", b"x" * 65_000)) - 65_000

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        # Increases the size of the TCP window, so that the client receives everything below at once.
        writer.write(response("200 OK", b"x" * 2_000_000))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(response("200 OK", b"x" * (size - head)))
        writer.write(TRAILING["a 429 response"])

    # Session tickets would move the boundary.
    async with serve(answer, tls=True, tickets=0) as api, PoolTransport(api.origin) as transport:
        assert [len(await fetch(transport, api.origin)) for _ in range(3)] == [2_000_000, size - head, 2_000_000]
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
            with pytest.raises(httpx2.ConnectError, match="not valid for this name"):
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


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9:8000", "localhost", "LOCALHOST:8010", "[::1]:8000"])
def test_no_loopback_host_has_a_proxy(environment, scheme, host):
    environment(HTTP_PROXY="http://p.example", HTTPS_PROXY="http://p.example", ALL_PROXY="http://p.example")
    assert proxy_url(f"{scheme}://{host}") is None


@pytest.mark.parametrize(("port", "has_proxy"), [(8443, False), (443, True)])
def test_no_proxy_can_name_a_host_with_its_port(environment, port, has_proxy):
    environment(HTTPS_PROXY="http://p.example", NO_PROXY="posthog.example:8443")
    assert (proxy_url(f"https://posthog.example:{port}") is not None) is has_proxy


@pytest.mark.parametrize(
    "url", ["gopher://me:hunter22@proxy.example", "socks5://me:hunter22@proxy.example", "http://me:hunter22@:none"]
)
async def test_a_proxy_of_another_kind_is_an_error_that_does_not_show_its_password(environment, url):
    environment(HTTPS_PROXY=url)
    with pytest.raises(ConnectFailure, match="the URL of the proxy") as error:
        PoolTransport(PROXIED)
    assert "hunter22" not in str(error.value)


FAILED_TUNNELS: dict[str, tuple[Handler, type[Exception], str]] = {
    "407": (
        answer_connect(response("407 Proxy Authentication Required", b"")),
        ConnectFailure,
        "does not accept the user name and the password in its URL",
    ),
    "403": (answer_connect(response("403 Forbidden", b"")), ConnectFailure, "refuses connections to posthog.example"),
    "502": (answer_connect(response("502 Bad Gateway", b"<html>")), ConnectFailure, "cannot connect to posthog.ex"),
    "no HTTP": (answer_connect(b"SSH-2.0-OpenSSH_9.7\r\n\r\n"), ConnectFailure, "does not answer as an HTTP proxy"),
    "a long response": (
        answer_connect(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 100_000),
        ConnectFailure,
        "does not answer as an HTTP proxy",
    ),
    "data after the response": (
        answer_connect(ESTABLISHED + NO_TLS),
        ConnectFailure,
        "does not answer as an HTTP proxy",
    ),
    "closed without a response": (answer_connect(b"", close=True), ConnectFailure, "closes the connection"),
    "closed in the response": (answer_connect(ESTABLISHED[:-1], close=True), ConnectFailure, "closes the connection"),
    "closed in the handshake": (answer_connect(ESTABLISHED, close=True), httpx2.ConnectError, ""),
    "no response": (answer_nothing, ConnectFailure, "does not answer in time"),
    "no answer in the handshake": (answer_connect(ESTABLISHED), httpx2.ConnectTimeout, ""),
}


@pytest.mark.parametrize(("handler", "error", "message"), FAILED_TUNNELS.values(), ids=FAILED_TUNNELS)
async def test_a_tunnel_that_fails_is_an_error_before_sending_and_frees_its_place_in_the_pool(
    environment, handler, error, message
):
    is_timeout = error is httpx2.ConnectTimeout or "in time" in message
    async with (
        serve_behind_proxy(environment, handler) as (_, _),
        PoolTransport(PROXIED, max_connections=1) as transport,
    ):
        with pytest.raises(error) as failure:
            await fetch(transport, PROXIED, connect=0.3 if is_timeout else 20)
        assert isinstance(failure.value, NOT_SENT_ERRORS) and "p@ss" not in str(failure.value)
        assert message in str(failure.value)
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
