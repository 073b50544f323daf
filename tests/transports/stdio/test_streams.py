"""The stdio transport of a real process: pipes, files, terminals and signals."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio.abc import Listener, SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from core13_mcp.transports.stdio.framing import MAX_MESSAGE_BYTES
from core13_mcp.transports.stdio.streams import Source

from ...processes import CLI, clean_environment
from .peer import INITIALIZE, TIMEOUT, Peer, lines, message, peer

pytestmark = pytest.mark.anyio

WRITE = {"name": "subscriptions-test-delivery-create", "arguments": {"id": 1, "project_id": 1}}
SESSION = [
    message("initialize", 0, **INITIALIZE),
    message("notifications/initialized"),
    message("tools/list", 1),
    message("tools/call", 2, name="users-list", arguments={}),
]


class PendingAPI:
    """An API that answers no request before `release` is set."""

    def __init__(self) -> None:
        self.arrived, self.release, self.disconnected = anyio.Event(), anyio.Event(), anyio.Event()
        self.requests = 0

    async def serve(self, stream: SocketStream) -> None:
        async with stream, anyio.create_task_group() as tasks:
            reader = BufferedByteReceiveStream(stream)
            try:
                while await reader.receive_until(b"\r\n\r\n", 65536):
                    self.requests += 1
                    self.arrived.set()
                    tasks.start_soon(self.answer, stream)
            except (anyio.IncompleteRead, anyio.BrokenResourceError):
                self.disconnected.set()
                tasks.cancel_scope.cancel()

    async def answer(self, stream: SocketStream) -> None:
        await self.release.wait()
        await stream.send(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")


def api_settings(listener: Listener[Any], **variables: str) -> dict[str, str]:
    """The variables of a server that calls this API without questions."""
    origin = f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"
    key = "phx_pending0000000000"
    return {"POSTHOG_HOST": origin, "POSTHOG_PERSONAL_API_KEY": key, "CORE13_CONFIRM": "never", **variables}


@asynccontextmanager
async def calling_peer() -> AsyncIterator[tuple[PendingAPI, Peer]]:
    """A client whose call has reached the API and has no response yet."""
    api = PendingAPI()
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, api.serve)
        async with peer(**api_settings(listener, CORE13_LOG_LEVEL="error")) as client:
            await client.initialize()
            await client.send(message("tools/call", 1, **WRITE))
            await api.arrived.wait()
            yield api, client
        tasks.cancel_scope.cancel()


NOT_JSON = [
    b"{",
    b"nonsense",
    b'{"jsonrpc":"2.0","id":1,"method":"ping"',
    b"\xff\xfe",
    b'{"a":"\\ud800"}',
    b"[" * 10_000,
]


async def test_a_line_that_is_not_json_gets_an_error_and_the_server_continues():
    async with peer("--sandbox") as client:
        for line in NOT_JSON:
            await client.send(line)
            reply = await client.receive()
            assert (reply["id"], reply["error"]["code"]) == (None, -32700), line[:50]
        await client.send(b"", b"   ", b"\r", message("ping", 77))
        assert (await client.receive())["id"] == 77
        await client.close()
        assert (await client.wait())[0] == 0


async def test_a_message_that_is_too_long_gets_an_error_and_the_server_continues():
    async with peer("--sandbox") as client:
        for length in (MAX_MESSAGE_BYTES + 1, 2 * MAX_MESSAGE_BYTES + 5):
            await client.send(b"x" * length)
            error = (await client.receive())["error"]
            assert error["code"] == -32600 and str(MAX_MESSAGE_BYTES) in error["message"]
        await client.send(b" " * (MAX_MESSAGE_BYTES - 100) + json.dumps(message("ping", 1)).encode())
        assert (await client.receive())["id"] == 1


async def test_a_message_may_arrive_in_any_pieces():
    async with peer("--sandbox") as client:
        assert client.process.stdin is not None
        for byte in lines(message("initialize", 1, **INITIALIZE), message("ping", 2)):
            await client.process.stdin.send(bytes([byte]))
        assert [(await client.receive())["id"] for _ in range(2)] == [1, 2]


async def test_sigterm_lets_a_running_call_finish_and_refuses_new_ones():
    async with calling_peer() as (api, client):
        client.process.send_signal(signal.SIGTERM)
        reply: dict[str, Any] = {}
        for request_id in range(2, 1000):
            # The server answers pings until it has handled the signal.
            await client.send(message("ping", request_id))
            reply = await client.receive()
            if "error" in reply:
                break
        assert reply["error"]["code"] == -32000 and "shutting down" in reply["error"]["message"]
        api.release.set()
        finished = await client.receive()
        assert finished["id"] == 1 and not finished["result"].get("isError")
        assert await client.wait() == (0, "")
        assert api.requests == 1


async def test_sigint_ends_a_server_during_a_call_with_status_130():
    async with calling_peer() as (_, client):
        client.process.send_signal(signal.SIGINT)
        assert await client.wait() == (130, "")


async def test_a_cancelled_call_disconnects_from_the_api_and_gets_no_response():
    async with calling_peer() as (api, client):
        await client.send(message("notifications/cancelled", requestId=1))
        await api.disconnected.wait()
        await client.send(message("ping", 2))
        assert (await client.receive())["id"] == 2
        client.process.terminate()
        assert await client.wait() == (0, "")


@pytest.mark.parametrize(("messages", "ids"), [(SESSION, {0, 1, 2}), ([], set())], ids=["session", "empty"])
def test_a_file_as_input_gets_every_response_before_the_server_ends(messages, ids, tmp_path):
    (tmp_path / "in").write_bytes(lines(*messages))
    command = [*CLI, "serve", "--sandbox", "--log-level", "error"]
    with (tmp_path / "in").open() as source, (tmp_path / "out").open("w") as sink:
        subprocess.run(command, check=True, stdin=source, stdout=sink, timeout=60, env=clean_environment())
    replies = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert {reply["id"] for reply in replies if "result" in reply} == ids


async def test_a_terminal_is_read_without_blocking_until_it_is_closed():
    terminal, slave = os.openpty()
    source = Source(os.dup(slave), reader := asyncio.StreamReader())
    with anyio.fail_after(TIMEOUT):
        os.write(terminal, b"a line\n")
        assert await reader.readline() == b"a line\n"
        assert not source.hung_up
        source.close()
        assert source.hung_up
        assert await reader.read() == b""
    os.close(terminal)
    os.close(slave)


def reset_socket() -> int:
    ours, theirs = socket.socketpair()
    ours.send(b"not read")
    theirs.close()
    return ours.detach()


def closed_terminal() -> int:
    terminal, slave = os.openpty()
    os.close(terminal)
    return slave


@pytest.mark.parametrize("source", [reset_socket, closed_terminal])
async def test_a_closed_connection_is_the_end_of_the_input(source):
    Source(source(), reader := asyncio.StreamReader())
    with anyio.fail_after(TIMEOUT):
        assert await reader.read() == b""


async def test_a_file_is_read_as_fast_as_its_reader_consumes_it(tmp_path):
    (tmp_path / "in").write_bytes(b"x" * 1_000_000)
    source = Source(os.open(tmp_path / "in", os.O_RDONLY), reader := asyncio.StreamReader(limit=1000))
    with anyio.fail_after(TIMEOUT):
        assert await reader.readexactly(500_000) == b"x" * 500_000
        source.close()
        assert len(await reader.read()) < 200_000
