"""An MCP handshake over stdio with the command of a client's entry."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from ...errors import ConfigurationError
from ...identity import NAME
from ...redaction import redact_keys
from ...text import single_line

# Bytes; the response to `tools/list` is one line.
MAX_MESSAGE = 8 * 1024 * 1024
_MAX_STDERR = 10_000

# The first line of an error: of this program and its parser, of uv (also in a box), and of most other programs.
_ERROR = re.compile(rf"{NAME}[^:]*: |\s*\u00d7 |.*\berror\b", re.IGNORECASE)

INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "core13-mcp doctor", "version": "1"},
}


class Launch(NamedTuple):
    """How a server is started: command, environment variables and working directory."""

    command: Sequence[str]
    environ: Mapping[str, str]
    cwd: Path | None = None


class ServerInfo(NamedTuple):
    """Name and version that a server reports, and the number of its tools."""

    name: str
    version: str
    tools: int

    @classmethod
    def from_results(cls, initialize: Any, tools_list: Any) -> ServerInfo:
        """Read the results of `initialize` and `tools/list`. Raises LookupError or TypeError if they are not valid."""
        server, tools = initialize["serverInfo"], tools_list["tools"]
        return cls(single_line(str(server["name"]), 60), single_line(str(server["version"]), 60), len(tools))

    def __str__(self) -> str:
        return f"{self.name} {self.version} with {self.tools} tools"


async def handshake(launch: Launch, timeout: float) -> ServerInfo:
    """Start a command, initialize the MCP session, list the tools, and end the process within `timeout` seconds.

    Raises:
        ConfigurationError: The process cannot be started, ends, is too slow, or does not speak MCP.
    """
    # `python -m core13_mcp` would import a directory of this name in the working directory.
    environ = {**launch.environ, "PYTHONSAFEPATH": "1"} if "-m" in launch.command else dict(launch.environ)
    with TemporaryFile() as stderr:
        try:
            process = await anyio.open_process(
                launch.command, stdin=PIPE, stdout=PIPE, stderr=stderr, env=environ, cwd=launch.cwd
            )
        except OSError as error:
            raise ConfigurationError(f"{launch.command[0]} cannot be started: {error.strerror}") from None
        except ValueError:
            # Half of a surrogate pair, for example.
            raise ConfigurationError(f"{launch.command[0]} cannot be started: no process accepts these words") from None
        async with process:
            try:
                return await _exchange(process, timeout)
            except TimeoutError:
                raise ConfigurationError(f"the server did not answer within {timeout:g} s") from None
            except (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError, OSError):
                raise ConfigurationError(await _last_error(process, stderr)) from None
            except (ValueError, LookupError, TypeError, AttributeError, anyio.DelimiterNotFound):
                raise ConfigurationError("its standard output is not MCP") from None
            finally:
                _kill(process)


def _kill(process: Process) -> None:
    if process.returncode is None:
        # `process.kill` polls the process first. If the process has just ended, this takes its exit status from
        # asyncio, which then prints a warning. Windows has no SIGKILL, and ends the process with any signal.
        with suppress(ProcessLookupError):
            os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


async def _exchange(process: Process, timeout: float) -> ServerInfo:
    assert process.stdin is not None and process.stdout is not None
    stdin, lines = process.stdin, BufferedByteReceiveStream(process.stdout)

    async def send(**message: Any) -> None:
        await stdin.send(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    async def request(request_id: int, method: str, params: Mapping[str, Any]) -> Any:
        await send(id=request_id, method=method, params=params)
        while True:
            message = json.loads(await lines.receive_until(b"\n", MAX_MESSAGE))
            if message.get("id") == request_id:
                return message["result"]

    with anyio.fail_after(timeout):
        initialize = await request(1, "initialize", INITIALIZE)
        await send(method="notifications/initialized")
        return ServerInfo.from_results(initialize, await request(2, "tools/list", {}))


async def _last_error(process: Process, stderr: IO[bytes]) -> str:
    with anyio.move_on_after(1):
        await process.wait()
    stderr.seek(max(0, stderr.seek(0, os.SEEK_END) - _MAX_STDERR))
    lines = stderr.read().decode("utf-8", "replace").strip().splitlines()
    if not lines:
        return "the process ended without a message"
    message = single_line(redact_keys(_error_message(lines)), 300).removeprefix(f"{NAME}: ")
    return f"the process ended with the message: {message}"


def _error_message(lines: Sequence[str]) -> str:
    """Return the error in the output of a process that ended.

    The first error is the cause; hints and its consequences follow. Python writes the error behind its traceback.
    """
    for start, line in enumerate(lines):
        if line.startswith("Traceback "):
            return next((text for text in lines[start + 1 :] if text[:1].strip()), line)
        if _ERROR.match(line):
            # uv writes the reason for an error that ends with a colon into the next line.
            return " ".join(lines[start : start + 2]) if line.endswith(":") else line
    return lines[-1]
