"""The end of a connection: who still gets responses, for how long, and the last line of the log."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn

import anyio
import pytest
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCResponse

from core13_mcp.transports.stdio import shutdown, sink
from core13_mcp.transports.stdio.streams import open_streams

from ...processes import CLI, clean_environment
from .peer import INITIALIZE, TIMEOUT, connected_stdio, lines, message, peer, running
from .test_streams import WRITE, PendingAPI, api_settings, calling_peer

pytestmark = pytest.mark.anyio

LONG = {"text": "x" * 1024 * 1024}


def response(request_id: int, result: dict[str, Any] | None = None) -> SessionMessage:
    return SessionMessage(JSONRPCResponse(jsonrpc="2.0", id=request_id, result=result or {}))


@asynccontextmanager
async def open_stdio(**options: Any) -> AsyncIterator[tuple[int, int, Any]]:
    """Yield the client's descriptors and the server's stream."""
    with anyio.fail_after(TIMEOUT), connected_stdio() as (to_stdin, from_stdout):
        async with open_streams(**options) as (stream, _):
            yield to_stdin, from_stdout, stream


def close_stdin(to_stdin: int) -> None:
    """Close the client's end; the descriptor stays usable for `connected_stdio`."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, to_stdin)
    os.close(nothing)


def written(from_stdout: int) -> list[int]:
    """Return the ids of the responses that the client can read now."""
    os.set_blocking(from_stdout, False)
    try:
        return [json.loads(line)["id"] for line in os.read(from_stdout, 1 << 16).splitlines()]
    except BlockingIOError:
        return []


def last_line(logs: str) -> str:
    return logs.splitlines()[-1].split(" ", 1)[1]


# Processes.


def test_piped_requests_all_get_responses():
    calls = [message("tools/call", number, name="users-list", arguments={}) for number in range(1, 20)]
    run = subprocess.run(
        [*CLI, "serve", "--sandbox"],
        input=lines(message("initialize", 0, **INITIALIZE), message("notifications/initialized"), *calls),
        capture_output=True,
        check=True,
        timeout=60,
        env=clean_environment(),
    )
    replies = [json.loads(line) for line in run.stdout.splitlines()]
    assert {reply["id"] for reply in replies if "result" in reply} == set(range(20))
    assert last_line(run.stderr.decode()) == "info stopped: stdin was closed"


async def test_a_write_that_was_sent_is_answered_after_stdin_is_closed():
    async with calling_peer() as (api, client):
        await client.close()
        api.release.set()
        reply = await client.receive()
        assert reply["id"] == 1 and not reply["result"].get("isError")
        assert (await client.wait())[0] == 0
        assert api.requests == 1


@pytest.mark.parametrize("level", ["info", "error"])
async def test_a_client_that_closes_stdout_during_a_call_ends_the_server_and_the_call(level):
    api = PendingAPI()
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, api.serve)
        from_stdout, stdout = os.pipe()
        environment = clean_environment(**api_settings(listener, CORE13_LOG_LEVEL=level))
        process = await anyio.open_process([*CLI, "serve"], stdout=stdout, env=environment)
        os.close(stdout)
        async with running(process) as client:
            await client.send(message("initialize", 0, **INITIALIZE), message("notifications/initialized"))
            await client.send(message("tools/call", 1, **WRITE))
            await api.arrived.wait()
            os.close(from_stdout)
            await api.disconnected.wait()
            assert client.process.stderr is not None
            logs = b"".join([chunk async for chunk in client.process.stderr]).decode()
            assert await client.process.wait() == 0
        assert last_line(logs) == "info stopped: the client closed stdout" if level == "info" else logs == ""
        tasks.cancel_scope.cancel()


async def test_the_last_log_line_after_sigterm_names_it():
    async with peer("--sandbox") as client:
        await client.initialize()
        client.process.terminate()
        status, logs = await client.wait()
        assert (status, last_line(logs)) == (0, "info stopped: SIGTERM")


# The streams in this process.


async def test_an_interactive_client_that_closes_stdin_gets_its_responses_after_a_delay(monkeypatch):
    monkeypatch.setattr(shutdown, "HALF_CLOSE_DELAY", 0.0)
    async with open_stdio(interactive=True) as (to_stdin, from_stdout, stream):

        async def send_at_end() -> None:
            await stream.at_end.wait()
            await anyio.wait_all_tasks_blocked()
            await stream.send(response(1))

        os.write(to_stdin, lines(message("ping", 1)))
        await stream.receive()
        close_stdin(to_stdin)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send_at_end)
            with pytest.raises(anyio.EndOfStream):
                await stream.receive()
        assert written(from_stdout) == [1]


async def test_nothing_is_written_to_an_interactive_client_that_closes_stdin_and_sends_sigterm():
    async with open_stdio() as (to_stdin, from_stdout, stream), anyio.create_task_group() as tasks:

        async def receive() -> None:
            with pytest.raises(anyio.EndOfStream):
                await stream.receive()

        os.write(to_stdin, lines(message("ping", 1)))
        await stream.receive()
        await stream.send(response(1))
        assert written(from_stdout) == [1]
        os.write(to_stdin, lines(message("ping", 2), message("ping", 3)))
        await stream.receive()
        await stream.receive()
        close_stdin(to_stdin)
        tasks.start_soon(receive)
        await stream.at_end.wait()
        await anyio.wait_all_tasks_blocked()
        tasks.start_soon(stream.send, response(2))
        await anyio.wait_all_tasks_blocked()
        assert written(from_stdout) == []
        signal.raise_signal(signal.SIGTERM)
        await stream.send(response(3))
        assert written(from_stdout) == []


@pytest.mark.parametrize("cause", ["sigterm", "stdin"])
async def test_the_grace_period_ends_the_input_although_a_request_has_no_response(cause):
    async with open_stdio(grace=0, flush_timeout=0) as (to_stdin, _, stream):
        os.write(to_stdin, lines(message("ping", 1)))
        await stream.receive()
        close_stdin(to_stdin) if cause == "stdin" else signal.raise_signal(signal.SIGTERM)
        with pytest.raises(anyio.EndOfStream):
            await stream.receive()


@pytest.mark.parametrize("cause", ["sigterm", "stdin"])
async def test_a_client_that_does_not_read_does_not_delay_the_end(cause, caplog):
    caplog.set_level(logging.INFO, "core13_mcp")
    async with open_stdio(grace=0, flush_timeout=0) as (to_stdin, _, stream), anyio.create_task_group() as tasks:
        os.write(to_stdin, lines(message("ping", 1)))
        await stream.receive()
        tasks.start_soon(stream.send, response(1, LONG))
        await anyio.wait_all_tasks_blocked()
        close_stdin(to_stdin) if cause == "stdin" else signal.raise_signal(signal.SIGTERM)
        with pytest.raises(anyio.EndOfStream):
            await stream.receive()
    reason = "stdin was closed" if cause == "stdin" else "SIGTERM"
    assert caplog.messages[-1] == f"stopped: {reason}, and the client did not read its responses"


async def test_a_closed_stdin_is_noticed_while_the_client_does_not_read(monkeypatch, caplog):
    monkeypatch.setattr(sink, "_STALL_INTERVAL", 0.01)
    caplog.set_level(logging.INFO, "core13_mcp")
    async with open_stdio(grace=0, flush_timeout=0) as (to_stdin, _, stream):
        os.write(to_stdin, lines(message("ping", 1)))
        await stream.receive()
        os.set_blocking(to_stdin, False)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stream.send, response(1, LONG))
            # The server reads a part of this, and the rest stays in the pipe.
            is_full = False
            while not is_full:
                with anyio.move_on_after(0.2) as waiting:
                    await anyio.wait_writable(to_stdin)
                    os.write(to_stdin, b" " * 65536)
                is_full = waiting.cancelled_caught
            close_stdin(to_stdin)
    assert caplog.messages[-1] == "stopped: stdin was closed, and the client did not read its responses"


async def test_sigint_is_logged_and_ends_the_process(monkeypatch, caplog):
    def exit_process(status: int) -> NoReturn:
        raise SystemExit(status)

    monkeypatch.setattr(os, "_exit", exit_process)
    caplog.set_level(logging.INFO, "core13_mcp")
    async with open_stdio():
        with pytest.raises(SystemExit, match="130"):
            signal.raise_signal(signal.SIGINT)
        assert caplog.messages == ["stopped: SIGINT"]


async def test_an_ignored_sigint_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        async with open_stdio():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_error_of_a_file_as_stdout_ends_the_server(tmp_path):
    (tmp_path / "in").write_bytes(lines(message("initialize", 0, **INITIALIZE), message("ping", 1)))
    with (tmp_path / "in").open() as source, Path("/dev/full").open("w") as full:
        command = [*CLI, "serve", "--sandbox"]
        streams = {"stdin": source, "stdout": full, "stderr": subprocess.PIPE}
        run = subprocess.run(command, check=True, timeout=60, env=clean_environment(), **streams)
    assert last_line(run.stderr.decode()).startswith("info stopped: ")
