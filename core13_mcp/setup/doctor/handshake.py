"""The first words of MCP, with the very command that a client would run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from subprocess import PIPE
from typing import Any

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from ...errors import ConfigurationError
from ...redaction import redact_keys
from ...text import single_line

LONGEST = 8 * 1024 * 1024
"""Bytes of one line that a server may answer."""

_HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "core13-mcp doctor", "version": "1"},
}


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a server said of itself."""

    name: str
    version: str
    tools: int


async def greet(command: Sequence[str], environ: Mapping[str, str], timeout: float) -> Greeting:
    """Start a command, be greeted, ask for its tools, and end it.

    Args:
        timeout: Seconds for all of it.

    Raises:
        ConfigurationError: It cannot be started, ends, or says nothing in time; the text says what it said on stderr.
    """
    try:
        process = await anyio.open_process(command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=dict(environ))
    except OSError as error:
        raise ConfigurationError(f"{command[0]} cannot be started: {error.strerror}") from None
    said = bytearray()
    async with process, anyio.create_task_group() as tasks:
        tasks.start_soon(_listen, process, said)
        greeting = await _greeting(process, said, timeout)
        tasks.cancel_scope.cancel()
        if process.returncode is None:
            process.kill()
    if isinstance(greeting, str):
        raise ConfigurationError(greeting)
    return greeting


async def _greeting(process: Process, said: bytearray, timeout: float) -> Greeting | str:
    """What the server said of itself, or why it did not."""
    try:
        with anyio.fail_after(timeout):
            return await _talk(process)
    except TimeoutError:
        return f"it did not answer in {timeout:g} s"
    except (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, OSError):
        with anyio.move_on_after(1):
            await process.wait()
        return _last(said)
    except (ValueError, LookupError, TypeError, AttributeError, anyio.DelimiterNotFound):
        return "what it says on its standard output is not MCP"


async def _talk(process: Process) -> Greeting:
    assert process.stdin is not None and process.stdout is not None
    lines = BufferedByteReceiveStream(process.stdout)

    async def say(method: str, number: int | None, params: Mapping[str, Any]) -> Any:
        message = {"jsonrpc": "2.0", "method": method, "params": params, **({"id": number} if number else {})}
        await process.stdin.send(json.dumps(message).encode() + b"\n")  # type: ignore[union-attr] # it is a pipe
        while number:
            answer = json.loads(await lines.receive_until(b"\n", LONGEST))
            if answer.get("id") == number:
                return answer["result"]

    server = (await say("initialize", 1, _HELLO))["serverInfo"]
    await say("notifications/initialized", None, {})
    tools = (await say("tools/list", 2, {}))["tools"]
    return Greeting(single_line(str(server["name"]), 60), single_line(str(server["version"]), 60), len(tools))


async def _listen(process: Process, said: bytearray) -> None:
    assert process.stderr is not None
    async for piece in process.stderr:
        said += piece
        del said[:-10_000]


def _last(said: bytearray) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    if not lines:
        return "it ended without a word"
    # What starts us may follow its error up with hints.
    telling = [line for line in lines if line.startswith("core13-mcp: ") or "error" in line.lower()]
    words = single_line(redact_keys((telling or lines)[-1]), 300).removeprefix("core13-mcp: ")
    return f"it ended, saying: {words}"
