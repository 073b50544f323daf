"""Every point at which the network can fail: a create is sent at most once, and its error is right about that."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from anyio.streams.tls import TLSStream

from core13_mcp.api.client import MAX_RESPONSE_BYTES, APIClient
from core13_mcp.api.credentials import Credentials
from core13_mcp.keys import SecretStr
from core13_mcp.pipeline.call import CallContext

from ..clients import connected, result_meta, result_text
from ..factories import make_tool
from ..fake_api import KEY, NO_DELAY
from .servers import (
    CERTIFICATE,
    EXPIRED_CERTIFICATE,
    NO_TLS,
    OK,
    Handler,
    Server,
    answer_connect,
    answer_nothing,
    close,
    reset,
    response,
    serve,
    tunnel_to,
)

pytestmark = pytest.mark.anyio

CREATE = make_tool("POST", "/api/things/")
READ = make_tool("GET", "/api/things/", name="things-list")


class World:
    """What one test sets up: variables, an API that counts requests, and the servers that stop at the end."""

    def __init__(self, patch: pytest.MonkeyPatch, stack: AsyncExitStack) -> None:
        self.patch = patch
        self._stack = stack
        self.requests = 0
        self.timeout = 20.0

    async def serve(self, handler: Handler, tls: bool = True, certificate: Path = CERTIFICATE) -> Server:
        return await self._stack.enter_async_context(serve(handler, tls, certificate))

    async def api(self, answer: Handler | None = None, certificate: Path = CERTIFICATE) -> str:
        """Return the origin of an API that answers every request, or the first one with `answer`."""

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length or 0))
                self.requests += 1
                if answer:
                    await answer(reader, writer)
                    return
                writer.write(OK)

        return (await self.serve(handle, certificate=certificate)).origin

    async def proxy(self, handler: Handler) -> str:
        """Use a proxy, and return an origin behind it."""
        proxy = await self.serve(handler, tls=False)
        self.patch.setenv("HTTPS_PROXY", proxy.origin)
        return "https://posthog.example"

    async def call(self, origin: str, name: str = "things-do") -> Any:
        """Call a tool of a server that uses the API at an origin."""
        async with APIClient(origin, retry_policy=NO_DELAY) as client:
            context = CallContext(client=client, credentials=Credentials(SecretStr(KEY)), timeout=self.timeout)
            async with connected(context, CREATE, READ) as session:
                return await session.call_tool(name, {})


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(monkeypatch, stack)


Case = Callable[[World], Awaitable[str]]
CASES: dict[str, tuple[Case, str]] = {}


def case(expected: str) -> Callable[[Case], Case]:
    """Add a function, which prepares a failure and returns the origin of the API, to the cases."""

    def add(function: Case) -> Case:
        CASES[function.__name__] = (function, expected)
        return function

    return add


# Before the first byte. The text is the reason in the error.


@case("the certificates of this machine cannot be loaded: No such file or directory")
async def trust_store_gone(world: World) -> str:
    world.patch.setenv("SSL_CERT_FILE", "/gone.pem")
    return await world.api()


@case("the certificate of 127.0.0.1 is not trusted: self-signed certificate")
async def untrusted(world: World) -> str:
    world.patch.setenv("SSL_CERT_FILE", str(EXPIRED_CERTIFICATE))
    return await world.api()


@case("the certificate of 127.0.0.1 has expired")
async def expired(world: World) -> str:
    world.patch.setenv("SSL_CERT_FILE", str(EXPIRED_CERTIFICATE))
    return await world.api(certificate=EXPIRED_CERTIFICATE)


@case("the certificate of localhost is not valid for this name")
async def wrong_name(world: World) -> str:
    return (await world.api()).replace("127.0.0.1", "localhost")


@case("127.0.0.1 does not answer with TLS (https) on this port")
async def plain_http(world: World) -> str:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(response("400 Bad Request", b"{}"))

    return (await world.serve(answer, tls=False)).origin.replace("http:", "https:")


@case("the TLS handshake with 127.0.0.1 failed: sslv3 alert handshake failure")
async def no_common_cipher(world: World) -> str:
    async def alert(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        # A fatal alert of the type handshake_failure.
        writer.write(b"\x15\x03\x03\x00\x02\x02\x28")

    return (await world.serve(alert, tls=False)).origin.replace("http:", "https:")


@case("the connection failed")
async def closed_in_the_handshake(world: World) -> str:
    return (await world.serve(close, tls=False)).origin.replace("http:", "https:")


@case("the connection failed")
async def refused(world: World) -> str:
    async with serve(answer_nothing) as server:
        return server.origin


@case("cannot be resolved")
async def unresolvable(world: World) -> str:
    return "https://posthog.invalid"


@case("cannot be resolved")
async def no_host_name(world: World) -> str:
    return f"https://{'a' * 64}.invalid"


@case("no connection became free in time")
async def past_the_deadline(world: World) -> str:
    world.timeout = 0.0
    return await world.api()


@case("internal error of this server")
async def internal_error_before_sending(world: World) -> str:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    world.patch.setattr(TLSStream, "wrap", fail)
    return await world.api()


@case("posthog.example cannot be reached: the proxy 127.0.0.1:1 does not accept the connection")
async def proxy_refused(world: World) -> str:
    world.patch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    return "https://posthog.example"


@case("the proxy proxy.invalid:3128 cannot be found: its host name does not resolve")
async def proxy_unresolvable(world: World) -> str:
    world.patch.setenv("ALL_PROXY", "http://proxy.invalid:3128")
    return "https://posthog.example"


@case("the URL of the proxy 127.0.0.1:1080 does not start with http:// or https://")
async def proxy_of_another_kind(world: World) -> str:
    world.patch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1080")
    return "https://posthog.example"


@case("requires a user name and a password (status 407)")
async def proxy_407(world: World) -> str:
    return await world.proxy(answer_connect(response("407 Proxy Authentication Required", b"")))


@case("refuses connections to posthog.example (status 403)")
async def proxy_403(world: World) -> str:
    return await world.proxy(answer_connect(response("403 Forbidden", b"")))


@case("cannot connect to posthog.example (status 502)")
async def proxy_502(world: World) -> str:
    return await world.proxy(answer_connect(response("502 Bad Gateway", b"")))


@case("does not answer as an HTTP proxy")
async def proxy_garbage(world: World) -> str:
    return await world.proxy(answer_connect(b"SSH-2.0-OpenSSH_9.7\r\n\r\n"))


@case("closes the connection without an answer")
async def proxy_closed(world: World) -> str:
    return await world.proxy(answer_connect(b"", close=True))


@case("the certificate of posthog.example is not trusted")
async def untrusted_behind_a_proxy(world: World) -> str:
    world.patch.setenv("SSL_CERT_FILE", str(EXPIRED_CERTIFICATE))
    port = int((await world.api()).rpartition(":")[2])
    return await world.proxy(tunnel_to(port))


@case("does not accept the connection")
async def tls_with_a_proxy_fails(world: World) -> str:
    origin = await world.proxy(close)
    world.patch.setenv("HTTPS_PROXY", os.environ["HTTPS_PROXY"].replace("http:", "https:"))
    return origin


# After the first byte.

UNKNOWN = "outcome unknown"


@case(UNKNOWN)
async def closed_without_a_response(world: World) -> str:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    return await world.api(answer)


@case(UNKNOWN)
async def reset_after_the_request(world: World) -> str:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reset(writer)

    return await world.api(answer)


def answering(data: bytes, *, end: bool = True) -> Case:
    async def prepare(world: World) -> str:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(data)
            if end:
                writer.close()

        return await world.api(answer)

    return prepare


CASES["half_a_response"] = answering(OK[:-1]), UNKNOWN
CASES["a_response_that_is_not_http"] = answering(NO_TLS), UNKNOWN
CASES["a_failure"] = answering(response("502 Bad Gateway", b"<html>")), UNKNOWN
CASES["a_page"] = answering(response("200 OK", b"<html>")), UNKNOWN
CASES["a_redirect"] = answering(response("302 Found\r\nLocation: /", b"")), UNKNOWN
CASES["wrong_compression"] = answering(response("200 OK\r\nContent-Encoding: gzip", b"{}")), UNKNOWN
CASES["too_long"] = answering(response("200 OK", b" " * (MAX_RESPONSE_BYTES + 1))), UNKNOWN


@case(UNKNOWN)
async def no_answer(world: World) -> str:
    world.timeout = 2.0
    return await world.api(answer_nothing)


@case(UNKNOWN)
async def tls_breaks(world: World) -> str:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        os.write(writer.get_extra_info("socket").fileno(), OK)

    return await world.api(answer)


@case(UNKNOWN)
async def internal_error_after_sending(world: World) -> str:
    def fail(*_: object) -> None:
        raise RuntimeError

    world.patch.setattr("core13_mcp.pipeline.execution.parse_response", fail)
    return await world.api()


@pytest.mark.parametrize("name", CASES)
async def test_a_create_that_fails_states_whether_it_may_have_been_applied(world, name):
    prepare, expected = CASES[name]

    result = await world.call(await prepare(world))

    assert result.is_error and expected in result_text(result)
    error, facts = result_meta(result), result_meta(result, "call")
    if expected == UNKNOWN:
        assert (error["code"], world.requests, facts["attempts"]) == ("outcome_unknown", 1, 1)
        assert "nothing was sent" not in result_text(result)
        return
    assert (world.requests, error["code"]) == (0, "failed" if "internal" in expected else "unreachable")
    assert "may have been applied" not in result_text(result)
    # Only a failure that can be different in the next attempt is tried again.
    assert facts["attempts"] == (4 if expected == "the connection failed" else 1)


async def test_a_create_on_a_connection_that_was_closed_while_idle_is_sent_once_on_another_one(world, monkeypatch):
    connections = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        if connections == 1:
            writer.close()

    server = await world.serve(handle, tls=False)
    # The pool checks the connection before it is closed.
    monkeypatch.setattr("httpcore2._async.http11.AsyncHTTP11Connection.has_expired", lambda _: False)
    async with APIClient(server.origin, retry_policy=NO_DELAY) as client:
        context = CallContext(client=client, credentials=Credentials(SecretStr(KEY)))
        async with connected(context, CREATE, READ) as session:
            assert not (await session.call_tool("things-list", {})).is_error
            result = await session.call_tool("things-do", {})
    assert not result.is_error
    assert (result_meta(result, "call")["attempts"], connections) == (2, 2)
