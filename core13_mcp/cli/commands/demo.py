"""`core13-mcp demo`: play a conversation through a real MCP client and a server with the sandbox."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import TextIO

import anyio
from mcp import Client, MCPError
from mcp.client.stdio import StdioServerParameters, stdio_client

from ...compose.sandbox import read_outbox
from ...errors import ConfigurationError
from ..demo.expect import DemoError
from ..demo.runner import Demo
from ..demo.script import INTRODUCTION, play, show_outbox
from ..demo.transcript import Transcript
from ..terminal import print_line, print_lines

NEXT_STEP = "Connect your own agent, for example Claude Code, to the same imitation:"
NEXT_COMMAND = "core13-mcp install claude-code --sandbox"

# Seconds for the calls of the demo, without the time in which a person reads.
TIMEOUT = 120.0


async def run(arguments: argparse.Namespace, _: object) -> int:
    """Start the server as a child process, play the conversation through it and print the messages and a summary.

    Returns 0 if every call has the expected outcome. Otherwise returns 1 and names the call on standard error.

    Raises:
        ConfigurationError: `--step` is given, but nobody can press Enter, or there is nothing to read between two steps.
    """
    if arguments.step and arguments.quiet:
        raise ConfigurationError("--quiet prints no conversation, so --step has no effect; omit one of them")
    if arguments.step and not sys.stdin.isatty():
        raise ConfigurationError("--step waits for Enter, and standard input is not a terminal; omit --step")
    demo = Demo(Transcript(sys.stdout, arguments.quiet, arguments.step))
    demo.transcript.note(INTRODUCTION)
    with TemporaryDirectory(prefix="core13-mcp-demo-") as folder, TemporaryFile("w+") as log:
        try:
            with anyio.fail_after(None if arguments.step else TIMEOUT):
                database = Path(folder) / "sandbox.db"
                await _connect_and_play(demo, server(database, folder), log)
                messages = read_outbox(str(database))
                show_outbox(demo, messages)
        except (DemoError, TimeoutError) as error:
            log.seek(0)
            reason = str(error) or f"the demo did not finish within {TIMEOUT:g} s"
            print_lines(f"core13-mcp demo: {reason}\n{log.read()}".rstrip(), sys.stderr)
            return 1
    summary = f"{demo.calls} calls, {demo.questions} questions to you, {len(messages)} messages."
    demo.transcript.note("")
    demo.transcript.note(f"The demo worked as expected: {summary}\n{NEXT_STEP}", always=True)
    print_line(f"  {NEXT_COMMAND}")
    return 0


def server(database: Path, folder: str) -> StdioServerParameters:
    """The command of the child: this installation, independent of the settings in the environment."""
    words = ["--sandbox", "--sandbox-db", str(database), "--sandbox-era", "today", "--log-level", "warning"]
    return StdioServerParameters(command=sys.executable, args=["-m", "core13_mcp", "serve", *words], cwd=folder)


async def _connect_and_play(demo: Demo, child: StdioServerParameters, log: TextIO) -> None:
    # An exception that leaves the client is wrapped by its task group. It is raised outside.
    failure: BaseException | None = None
    try:
        async with Client(stdio_client(child, errlog=log), elicitation_callback=demo.confirm) as demo.client:
            try:
                demo.transcript.note(await _describe(demo.client))
                await play(demo)
            # An OSError means that the output cannot be written, and Ctrl-C can end the wait for Enter.
            except (DemoError, OSError, KeyboardInterrupt) as error:
                failure = error
    except (MCPError, ExceptionGroup, OSError):
        failure = failure or DemoError("the server did not start, or it ended early")
    if failure:
        raise failure


async def _describe(client: Client) -> str:
    tools, info = (await client.list_tools()).tools, client.server_info
    name = f"{info.name} {info.version}" if info else "an unnamed server"
    return f"Connected: {name}, protocol {client.protocol_version}, {len(tools)} tools."
