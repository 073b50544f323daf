"""The stdio transport as a client meets it: raw lines to and from a real process."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from anyio.abc import Process, SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCResponse

from core13_mcp.transports.stdio import streams as stdio
from core13_mcp.transports.stdio.framing import MAX_IN_FLIGHT, MAX_MESSAGE_BYTES, JSONRPCStream
from core13_mcp.transports.stdio.pipes import stdio_is_pollable

from ...processes import CLI, clean_environment

pytestmark = pytest.mark.anyio

HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "0"}}
WRITE = {"name": "subscriptions-test-delivery-create", "arguments": {"id": 1, "project_id": 1}}
ENOUGH = 30.0


def frame(method: str, number: int | str | None = None, **params: Any) -> dict[str, Any]:
    named = {} if number is None else {"id": number}
    return {"jsonrpc": "2.0", **named, "method": method, **({"params": params} if params else {})}


class Peer:
    """What stands at the other end of the server's pipes."""

    def __init__(self, process: Process) -> None:
        assert process.stdout is not None
        self.process = process
        self._lines = BufferedByteReceiveStream(process.stdout)

    async def say(self, *messages: dict[str, Any] | bytes) -> None:
        assert self.process.stdin is not None
        for message in messages:
            line = message if isinstance(message, bytes) else json.dumps(message).encode()
            await self.process.stdin.send(line + b"\n")

    async def hear(self) -> dict[str, Any]:
        """The next line, which is a message of the protocol, as every line must be."""
        said: dict[str, Any] = json.loads(await self._lines.receive_until(b"\n", MAX_MESSAGE_BYTES))
        assert said["jsonrpc"] == "2.0"
        return said

    async def greet(self) -> None:
        await self.say(frame("initialize", 0, **HELLO), frame("notifications/initialized"))
        assert (await self.hear())["id"] == 0

    async def call(self, number: int) -> None:
        await self.say(frame("tools/call", number, **WRITE))

    async def close(self) -> None:
        assert self.process.stdin is not None
        await self.process.stdin.aclose()

    async def end(self) -> tuple[int, str]:
        """The exit status and what was logged; what was still said is messages of the protocol."""
        assert self.process.stderr is not None
        left = b"".join([chunk async for chunk in self._lines]).splitlines()
        assert all(json.loads(line)["jsonrpc"] == "2.0" for line in left)
        logged = b"".join([chunk async for chunk in self.process.stderr])
        return await self.process.wait(), logged.decode()


@asynccontextmanager
async def peer(*words: str, **env: str) -> AsyncIterator[Peer]:
    process = await anyio.open_process([*CLI, "serve", *words], env=clean_environment(**env))
    with anyio.fail_after(ENOUGH):
        async with process:
            try:
                yield Peer(process)
            finally:
                if process.returncode is None:
                    process.kill()


class Held:
    """An API that keeps every request waiting until it is told to answer."""

    def __init__(self) -> None:
        self.arrived, self.release, self.dropped = anyio.Event(), anyio.Event(), anyio.Event()
        self.requests = 0

    async def serve(self, stream: SocketStream) -> None:
        async with stream, anyio.create_task_group() as tasks:
            lines = BufferedByteReceiveStream(stream)
            try:
                while await lines.receive_until(b"\r\n\r\n", 65536):
                    self.requests += 1
                    self.arrived.set()
                    tasks.start_soon(self.answer, stream)
            except (anyio.IncompleteRead, anyio.BrokenResourceError):
                self.dropped.set()
                tasks.cancel_scope.cancel()

    async def answer(self, stream: SocketStream) -> None:
        await self.release.wait()
        await stream.send(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")


@asynccontextmanager
async def held() -> AsyncIterator[tuple[Held, dict[str, str]]]:
    """Such an API, and the environment of a server in front of it."""
    api = Held()
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        port = listener.extra(SocketAttribute.local_port)
        tasks.start_soon(listener.serve, api.serve)
        yield api, {"POSTHOG_HOST": f"http://127.0.0.1:{port}", "POSTHOG_PERSONAL_API_KEY": "phx_held0000000000"}
        tasks.cancel_scope.cancel()


MALFORMED = [
    b"{",
    b"nonsense",
    b'{"jsonrpc":"2.0","id":1,"method":"ping"',
    b"\xff\xfe",
    b'{"a":"\\ud800"}',
    b"[" * 100_000,
]
INVALID: list[tuple[bytes, Any]] = [
    (b"[]", None),
    (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', None),
    (b"42", None),
    (b'"text"', None),
    (b"null", None),
    (b"{}", None),
    (b'{"jsonrpc":"1.0","id":5,"method":"ping"}', 5),
    (b'{"id":"seven"}', "seven"),
    (b'{"id":"\xff"}', None),
    (b'{"id":true}', None),
    (b'{"id":[1]}', None),
    (b'{"jsonrpc":"2.0","id":9,"method":1}', 9),
    (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', None),
    (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', None),
    (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', None),
]


async def test_what_is_not_json_rpc_is_answered_and_the_server_goes_on():
    async with peer("--sandbox") as client:
        for line in MALFORMED:
            await client.say(line)
            said = await client.hear()
            assert (said["id"], said["error"]["code"]) == (None, -32700), line[:50]
        await client.say(b'{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"\\ud800"}}')
        assert (await client.hear())["id"] == 8  # whoever waits for it is answered
        for line, number in INVALID:
            await client.say(line)
            said = await client.hear()
            assert (said["id"], said["error"]["code"]) == (number, -32600), line
        await client.say(b"", b"   ", b"\r", frame("ping", 77))
        assert (await client.hear())["id"] == 77
        await client.close()
        assert (await client.end())[0] == 0


async def test_a_line_that_is_too_long_is_skipped_and_answered_and_the_server_goes_on():
    async with peer("--sandbox") as client:
        for length in (MAX_MESSAGE_BYTES + 1, 2 * MAX_MESSAGE_BYTES + 5):
            await client.say(b"x" * length)
            said = await client.hear()
            assert said["error"]["code"] == -32600 and str(MAX_MESSAGE_BYTES) in said["error"]["message"]
        await client.say(b" " * (MAX_MESSAGE_BYTES - 100) + json.dumps(frame("ping", 1)).encode())
        assert (await client.hear())["id"] == 1
        await client.close()
        assert (await client.end())[0] == 0


async def test_frames_may_arrive_in_any_pieces():
    async with peer("--sandbox") as client:
        assert client.process.stdin is not None
        whole = json.dumps(frame("ping", 1)).encode() + b"\n" + json.dumps(frame("ping", 2)).encode() + b"\n"
        for byte in whole:
            await client.process.stdin.send(bytes([byte]))
        assert [(await client.hear())["id"] for _ in range(2)] == [1, 2]


async def test_a_client_that_goes_away_ends_the_server_quietly():
    async with peer("--sandbox", "--log-level", "warning") as client:
        await client.greet()
        await client.close()
        assert await client.end() == (0, "")


async def test_a_client_that_goes_away_in_the_middle_of_a_call_ends_the_server_too():
    async with held() as (api, env), peer(CORE13_LOG_LEVEL="error", **env) as client:
        await client.greet()
        await client.call(1)
        await api.arrived.wait()
        await client.close()
        assert await client.end() == (0, "")
        await api.dropped.wait()


async def test_sigterm_lets_a_running_write_finish_and_takes_no_other():
    async with held() as (api, env), peer(CORE13_LOG_LEVEL="error", **env) as client:
        await client.greet()
        await client.call(1)
        await api.arrived.wait()
        client.process.send_signal(signal.SIGTERM)
        refused = {}
        for number in range(2, 1000):
            # Until the signal has been heard, a ping is answered as usual.
            await client.say(frame("ping", number))
            refused = await client.hear()
            if "error" in refused:
                break
        assert refused["error"]["code"] == -32000 and "shutting down" in refused["error"]["message"]
        api.release.set()
        finished = await client.hear()
        assert finished["id"] == 1 and not finished["result"].get("isError")
        assert await client.end() == (0, "")
        assert api.requests == 1


async def test_sigterm_ends_an_idle_server_at_once():
    async with peer("--sandbox", "--log-level", "error") as client:
        await client.greet()
        client.process.terminate()
        assert await client.end() == (0, "")


@pytest.mark.parametrize("busy", [False, True])
async def test_sigint_ends_at_once_and_quietly(busy):
    async with held() as (api, env), peer(CORE13_LOG_LEVEL="error", **env) as client:
        await client.greet()
        if busy:
            await client.call(1)
            await api.arrived.wait()
        client.process.send_signal(signal.SIGINT)
        assert await client.end() == (130, "")


async def test_a_cancelled_call_drops_its_request_and_is_never_answered():
    async with held() as (api, env), peer(CORE13_LOG_LEVEL="error", **env) as client:
        await client.greet()
        await client.call(1)
        await api.arrived.wait()
        await client.say(frame("notifications/cancelled", requestId=1))
        await api.dropped.wait()
        await client.say(frame("ping", 2))
        assert (await client.hear())["id"] == 2
        client.process.terminate()
        assert await client.end() == (0, "")


class Sink:
    """Takes what the server writes."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []

    def write(self, line: bytes) -> None:
        self.said.append(json.loads(line))

    async def drain(self) -> None:
        await anyio.lowlevel.checkpoint()


async def test_requests_beyond_the_limit_are_refused_at_once_and_room_comes_with_answers():
    source, sink, taken = asyncio.StreamReader(), Sink(), list[Any]()
    wire = JSONRPCStream(source, sink)  # type: ignore[arg-type]  # all of a writer that it uses

    async def take() -> None:
        async for message in wire.reader:
            taken.append(message.message.id)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(take)
        for number in range(MAX_IN_FLIGHT + 1):
            source.feed_data(json.dumps(frame("ping", number)).encode() + b"\n")
        await anyio.wait_all_tasks_blocked()
        await wire.writer.send(SessionMessage(JSONRPCResponse(jsonrpc="2.0", id=7, result={})))
        source.feed_data(json.dumps(frame("ping", "last")).encode() + b"\n")
        source.feed_eof()
    assert taken == [*range(MAX_IN_FLIGHT), "last"]
    assert [(said["id"], said.get("error", {}).get("code")) for said in sink.said] == [
        (MAX_IN_FLIGHT, -32000),
        (7, None),
    ]


@pytest.mark.parametrize("cut", [0, 1, MAX_MESSAGE_BYTES + 1])
async def test_a_last_line_without_an_end_is_a_line_unless_it_is_too_long_for_one(cut):
    source, line = asyncio.StreamReader(), json.dumps(frame("ping", 1)).encode()
    wire = JSONRPCStream(source, Sink())  # type: ignore[arg-type]  # all of a writer that it uses
    source.feed_data(line + b" " * cut)
    source.feed_eof()
    assert [message.message.id async for message in wire.reader] == ([] if cut > MAX_MESSAGE_BYTES else [1])


async def test_what_cannot_be_written_is_a_stream_that_broke():
    class Gone(Sink):
        async def drain(self) -> None:
            raise BrokenPipeError

    wire = JSONRPCStream(asyncio.StreamReader(), Gone())  # type: ignore[arg-type]  # all of a writer that it uses
    with pytest.raises(anyio.BrokenResourceError):
        await wire.writer.send(SessionMessage(JSONRPCResponse(jsonrpc="2.0", id=7, result={})))


class Unread(Sink):
    """Takes what the server writes until it is given up."""

    def __init__(self) -> None:
        super().__init__()
        self.transport, self.aborted = self, anyio.Event()

    def abort(self) -> None:
        self.aborted.set()


async def test_sigterm_does_not_wait_for_a_client_that_reads_nothing(monkeypatch):
    source, sink = asyncio.StreamReader(), Unread()

    @asynccontextmanager
    async def pipes() -> AsyncIterator[Any]:
        yield source, sink, source.feed_eof

    monkeypatch.setattr(stdio, "_pipes", pipes)
    monkeypatch.setattr(stdio, "suitable", lambda: True)
    monkeypatch.setattr("core13_mcp.transports.stdio.framing._LAST_WORDS", 0.0)
    with anyio.fail_after(ENOUGH):
        async with stdio.open_streams() as (reader, _):
            await anyio.wait_all_tasks_blocked()
            signal.raise_signal(signal.SIGTERM)
            assert [message async for message in reader] == []
            await sink.aborted.wait()
            await anyio.wait_all_tasks_blocked()


async def test_what_was_answered_before_is_not_answered_again():
    sink = Sink()
    wire = JSONRPCStream(asyncio.StreamReader(), sink, answered=[7])  # type: ignore[arg-type]  # all of a writer that it uses
    for _ in range(2):
        await wire.writer.send(SessionMessage(JSONRPCResponse(jsonrpc="2.0", id=7, result={})))
    assert len(sink.said) == 1, "the number may come again later"


@pytest.mark.parametrize(("interrupted", "ends"), [(True, asyncio.CancelledError), (False, ExceptionGroup)])
async def test_a_relay_that_breaks_ends_as_an_interruption_only_if_it_was_one(monkeypatch, interrupted, ends):
    @asynccontextmanager
    async def pipes() -> AsyncIterator[Any]:
        yield asyncio.StreamReader(), Sink(), lambda: None

    monkeypatch.setattr(stdio, "_pipes", pipes)
    monkeypatch.setattr(stdio, "suitable", lambda: True)

    async def serve() -> None:
        async with stdio.open_streams():
            if interrupted and (task := asyncio.current_task()):
                task.cancel()
            raise anyio.BrokenResourceError

    with pytest.raises(ends):
        await asyncio.ensure_future(serve())


def test_on_windows_the_sdks_transport_serves(monkeypatch):
    monkeypatch.setattr("sys.platform", "win32")
    assert not stdio_is_pollable()


def test_with_a_closed_stdin_there_is_nothing_to_wait_for(monkeypatch):
    def closed(_: int) -> None:
        raise OSError

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("os.fstat", closed)
        assert not stdio_is_pollable()


async def test_a_client_that_stops_reading_ends_the_server_without_a_traceback():
    async with peer("--sandbox", "--log-level", "error") as client:
        await client.greet()
        assert client.process.stdout is not None
        await client.process.stdout.aclose()
        await client.say(frame("tools/list", 1))
        await client.close()
        assert client.process.stderr is not None
        logged = b"".join([chunk async for chunk in client.process.stderr])
        assert (await client.process.wait(), logged) == (0, b"")


def test_where_stdin_is_no_pipe_the_sdks_transport_serves(tmp_path):
    frames = [frame("initialize", 0, **HELLO), frame("notifications/initialized"), frame("tools/list", 1)]
    (tmp_path / "in").write_text("".join(json.dumps(line) + "\n" for line in frames))
    with (tmp_path / "in").open() as source, (tmp_path / "out").open("w") as sink:
        command = [*CLI, "serve", "--sandbox"]
        done = subprocess.run(
            command, check=False, stdin=source, stdout=sink, stderr=-1, timeout=60, env=clean_environment()
        )
    said = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    # The SDK's transport drops what is not yet answered when a file ends.
    assert done.returncode == 0 and {line["id"] for line in said} <= {0, 1}


def test_with_nothing_to_read_the_server_ends():
    command = [*CLI, "serve", "--sandbox"]
    done = subprocess.run(
        command, check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, env=clean_environment()
    )
    assert (done.returncode, done.stdout) == (0, b"")
