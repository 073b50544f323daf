"""Clients that send requests and do not read the responses."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest

from core13_mcp import sandbox
from core13_mcp.keys import SecretStr
from core13_mcp.settings import Settings
from core13_mcp.transports.http.connection import Timeouts

from ...asgi import listening
from .http_server import StubAPI, call_user, post, serving

pytestmark = pytest.mark.anyio

TOKENS = ["token-of-the-caller-" + "t" * 32]


def request(*headers: str, method: str = "tools/list") -> bytes:
    """A request whose response is long."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method}).encode()
    lines = [
        "POST /mcp HTTP/1.1",
        "Host: localhost",
        "Accept: application/json, text/event-stream",
        "Content-Type: application/json",
        "MCP-Protocol-Version: 2025-11-25",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextmanager
def connection(url: str) -> Iterator[socket.socket]:
    """Connect with a small receive buffer. A stream of anyio would read in the background."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        client.connect(("127.0.0.1", urlsplit(url).port or 0))
        client.setblocking(False)
        yield client


async def send(client: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(client, data)


async def send_until_blocked(client: socket.socket, data: bytes) -> None:
    """Send requests until the server reads no more of them, because it cannot write the responses."""
    blocked = False
    while not blocked:
        with anyio.move_on_after(0.5) as scope:
            await send(client, data * 100)
        blocked = scope.cancelled_caught


@asynccontextmanager
async def slow_clients(url: str, headers: Iterable[str]) -> AsyncIterator[None]:
    """Connect clients, one for each header, that send many requests and do not read the responses."""
    with ExitStack() as stack:
        for header in headers:
            # One after the other, so that a server that reads no more is blocked and not busy.
            await send_until_blocked(stack.enter_context(connection(url)), request(header))
        yield


@pytest.mark.parametrize(
    ("auth", "known"),
    [
        ("none", {}),
        ("token", {"Authorization": f"Bearer {TOKENS[0]}"}),
        ("own-key", {"X-PostHog-Api-Key": sandbox.FULL_KEY}),
    ],
)
async def test_slow_clients_do_not_delay_other_requests(tmp_path: Path, auth: Any, known: dict[str, str]) -> None:
    (tmp_path / "tokens").write_text("".join(f"caller{number}: {token}\n" for number, token in enumerate(TOKENS)))
    tokens = str(tmp_path / "tokens") if auth == "token" else None
    settings = Settings(sandbox=True, auth=auth, caller_tokens_file=tokens, http_rate=1_000_000, log_level="error")
    slow = [f"Authorization: Bearer {TOKENS[0]}\r\nX-PostHog-Api-Key: phx_madeup{number}" for number in range(11)]
    # The known caller is one of the slow callers, which may have ten open requests, except with `own-key`. The slow clients stay blocked for longer than the test.
    async with (
        serving(settings._replace(http_at_once=2), Timeouts(write=600), max_concurrent=4) as server,
        slow_clients(server.url, slow),
    ):
        called = await post(server.url, "tools/call", sent=known, name="users-retrieve")
        async with httpx2.AsyncClient() as http:
            ready = await http.get(server.url.replace("/mcp", "/readyz"))
    assert (called.status_code, ready.status_code) == (200, 200)


async def test_a_client_that_does_not_read_its_responses_is_disconnected(settings: Settings) -> None:
    async with serving(settings, Timeouts(write=0.5)) as server:
        with connection(server.url) as client, pytest.raises(ConnectionError):
            while True:
                await send(client, request())


@pytest.mark.parametrize("line", ["GET /healthz", "POST /unknown", "PUT /mcp"])
async def test_a_body_that_no_route_reads_ends_the_connection(settings: Settings, line: str) -> None:
    head = f"{line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n".encode()
    async with serving(settings, Timeouts(header=600)) as server:
        with connection(server.url) as client, pytest.raises(ConnectionError):
            await send(client, head)
            while True:
                await send(client, bytes(65_536))


async def test_a_client_that_reads_late_gets_all_its_responses(settings: Settings) -> None:
    number = 100
    async with serving(settings) as server:
        with connection(server.url) as client:
            await send(client, request() * number)
            # Other requests are answered while the responses of this client wait.
            for _ in range(60):
                assert (await post(server.url)).status_code == 200
            data = bytearray()
            while data.count(b'{"jsonrpc":"2.0","id":1,"result":{') < number:
                data += await asyncio.get_running_loop().sock_recv(client, 1 << 16)
    assert data.count(b"HTTP/1.1 200 OK") == number


async def test_readyz_returns_503_while_no_slot_becomes_free() -> None:
    api = StubAPI()
    async with listening(api) as origin, httpx2.AsyncClient() as http:
        settings = Settings(host=origin, personal_api_key=SecretStr("phx_key"), log_level="error")
        async with (
            serving(settings, max_concurrent=1, ready_timeout=0.2) as server,
            anyio.create_task_group() as tasks,
        ):
            readyz = server.url.replace("/mcp", "/readyz")
            tasks.start_soon(call_user, server.url)
            await api.reached.wait()
            first = await http.get(readyz)
            while (busy := await http.get(readyz)).status_code == 200:
                pass
            api.release.set()
            while (await http.get(readyz)).status_code == 503:
                pass
    assert (first.text, busy.text, busy.status_code) == ("ready\n", "busy\n", 503)
