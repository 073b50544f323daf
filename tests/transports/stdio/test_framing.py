"""One connection with a source and a sink in memory."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import anyio
import pytest
from mcp.shared.message import SessionMessage
from mcp_types import ErrorData, JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

from core13_mcp.transports.jsonrpc import MessageError
from core13_mcp.transports.stdio.framing import JSONRPCStream
from core13_mcp.transports.stdio.messages import read_line

from .peer import TIMEOUT, lines, message

pytestmark = pytest.mark.anyio


class Sink:
    """Collects the messages that the server sends."""

    def __init__(self, error: Exception | None = None) -> None:
        self.messages: list[dict[str, Any]] = []
        self._error = error

    async def write(self, data: bytes) -> None:
        await anyio.lowlevel.checkpoint()
        if self._error:
            raise self._error
        self.messages.append(json.loads(data))


def source_of(data: bytes, limit: int = 1000) -> asyncio.StreamReader:
    source = asyncio.StreamReader(limit)
    source.feed_data(data)
    source.feed_eof()
    return source


def response(request_id: int) -> SessionMessage:
    return SessionMessage(JSONRPCResponse(jsonrpc="2.0", id=request_id, result={}))


async def test_requests_above_the_limit_get_an_error_and_each_response_makes_room_for_one():
    source, sink, received = asyncio.StreamReader(), Sink(), list[Any]()
    stream: Any = JSONRPCStream(source, sink.write, max_in_flight=3)

    async def receive() -> None:
        async for content in stream:
            received.append(content.message.id)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(receive)
        source.feed_data(lines(*(message("ping", request_id) for request_id in range(4))))
        await anyio.wait_all_tasks_blocked()
        await stream.send(response(1))
        source.feed_data(lines(message("ping", "last")))
        source.feed_eof()
        await stream.at_end.wait()
        stream.close()
    assert received == [0, 1, 2, "last"]
    assert [(reply["id"], reply.get("error", {}).get("code")) for reply in sink.messages] == [(3, -32000), (1, None)]


async def test_a_file_waits_for_responses_at_the_limit_and_at_its_end():
    data, sink = lines(*(message("ping", request_id) for request_id in range(5))), Sink()
    stream: Any = JSONRPCStream(source_of(data), sink.write, finite=True, max_in_flight=2)
    received = list[int]()

    async def respond(request_id: int) -> None:
        await anyio.wait_all_tasks_blocked()
        assert len(received) - len(sink.messages) <= 2
        await stream.send(response(request_id))

    with anyio.fail_after(TIMEOUT):
        async with anyio.create_task_group() as tasks:
            async for content in stream:
                received.append(content.message.id)
                tasks.start_soon(respond, content.message.id)
            assert len(sink.messages) == 5
    assert received == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a\n\n \r\nb", [b"a\n", b"b"]),
        (b"a" * 100, [b"a" * 100]),
        (b"a" * 100 + b"\n", ["error"]),
        (b"a" * 101, ["error"]),
        (b"a" * 100_000 + b"\n" + b"b" * 99 + b"\n", ["error", b"b" * 99 + b"\n"]),
    ],
    ids=["blank lines", "longest", "1 too long", "1 too long at the end", "long"],
)
async def test_a_line_above_the_limit_is_an_error_and_the_next_line_is_read(data, expected):
    source, lines_read = source_of(data, limit=50), list[Any]()
    while not source.at_eof():
        try:
            lines_read.append(await read_line(source, max_bytes=100))
        except MessageError:
            lines_read.append("error")
    assert lines_read == expected and await read_line(source, max_bytes=100) is None


@pytest.mark.parametrize(("request_id", "open_requests"), [(1, 0), (2, 1), (None, 1), ([], 1)])
async def test_a_cancelled_request_makes_room_for_another(request_id, open_requests):
    data = lines(message("ping", 1), message("notifications/cancelled", requestId=request_id), message("ping", 3))
    stream: Any = JSONRPCStream(source_of(data), (sink := Sink()).write, max_in_flight=1)
    received = list[Any]()

    async def receive() -> None:
        async for content in stream:
            received.append(content.message)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(receive)
        await stream.at_end.wait()
        stream.close()
    assert len(received) + len(sink.messages) == 3 and len(sink.messages) == open_requests


async def test_the_input_ends_for_the_sdk_when_every_request_has_a_response():
    stream: Any = JSONRPCStream(source_of(lines(message("ping", 1))), (sink := Sink()).write)
    assert (await stream.receive()).message.id == 1
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stream.send, response(1))
        with pytest.raises(anyio.EndOfStream):
            await stream.receive()
    assert [reply["id"] for reply in sink.messages] == [1]


async def test_after_the_end_of_the_input_a_request_to_the_client_fails_and_is_not_sent():
    stream: Any = JSONRPCStream(source_of(lines(message("ping", 1))), (sink := Sink()).write)
    assert (await stream.receive()).message.id == 1
    before, after = (JSONRPCRequest(jsonrpc="2.0", id=number, method="elicitation/create") for number in (5, 6))
    await stream.send(SessionMessage(before))
    failed = (await stream.receive()).message
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stream.send, SessionMessage(after))
        failures = [failed, (await stream.receive()).message]
    await stream.send(SessionMessage(JSONRPCNotification(jsonrpc="2.0", method="notifications/progress")))
    assert [(failure.id, failure.error.message) for failure in failures] == [
        (5, "Connection closed"),
        (6, "Connection closed"),
    ]
    assert [sent.get("method") for sent in sink.messages] == ["elicitation/create"]


async def test_a_request_to_the_client_that_has_a_response_does_not_fail():
    data = lines(message("ping", 1), {"jsonrpc": "2.0", "id": 5, "result": {}})
    source = asyncio.StreamReader()
    stream: Any = JSONRPCStream(source, Sink().write)
    await stream.send(SessionMessage(JSONRPCRequest(jsonrpc="2.0", id=5, method="elicitation/create")))
    source.feed_data(data)
    source.feed_eof()
    assert [(await stream.receive()).message.id for _ in range(2)] == [1, 5]
    await stream.send(response(1))
    with pytest.raises(anyio.EndOfStream):
        await stream.receive()


async def test_the_sdks_error_for_a_call_that_it_cancels_becomes_an_unknown_outcome():
    stream = JSONRPCStream(asyncio.StreamReader(), (sink := Sink()).write)
    error = ErrorData(code=-32000, message="Connection closed")
    await stream.send(SessionMessage(JSONRPCError(jsonrpc="2.0", id=1, error=error)))
    [reply] = sink.messages
    assert reply["error"]["code"] == -32000 and "its outcome is unknown" in reply["error"]["message"]


async def test_a_request_to_the_client_is_sent():
    stream = JSONRPCStream(asyncio.StreamReader(), (sink := Sink()).write)
    await stream.send(SessionMessage(JSONRPCRequest(jsonrpc="2.0", id=1, method="elicitation/create")))
    assert [content["method"] for content in sink.messages] == ["elicitation/create"]


@pytest.mark.parametrize("error", [BrokenPipeError(), RuntimeError()], ids=type)
async def test_a_write_error_is_raised_as_a_broken_resource(error):
    stream = JSONRPCStream(asyncio.StreamReader(), Sink(error).write)
    with pytest.raises(anyio.BrokenResourceError):
        await stream.send(response(7))


async def test_a_second_response_to_an_answered_request_is_dropped_once():
    sink = Sink()
    stream = JSONRPCStream(asyncio.StreamReader(), sink.write, answered_ids=[7])
    for _ in range(2):
        await stream.send(response(7))
    assert len(sink.messages) == 1, "the client may use the id again later"
