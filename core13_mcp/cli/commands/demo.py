"""`core13-mcp demo`: run a scripted MCP client against a server with the sandbox."""

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
from ..demo.runner import Demo, DemoError
from ..demo.script import play, show_outbox
from ..terminal import print_lines

# Seconds for the whole demo.
TIMEOUT = 120.0


async def run(_: argparse.Namespace, __: object) -> int:
    """Start the server as a child process, run the steps through it and print the outbox.

    Returns 0 if every step has the expected result. Otherwise returns 1 and names the step on standard error.
    """
    demo = Demo(sys.stdout)
    demo.note("The demo starts the server as a child process and connects an MCP client to it over stdio.")
    demo.note("The server uses the embedded sandbox instead of PostHog: no account, no key, nothing is sent.")
    with TemporaryDirectory(prefix="core13-mcp-demo-") as folder, TemporaryFile("w+") as log:
        try:
            with anyio.fail_after(TIMEOUT):
                database = Path(folder) / "sandbox.db"
                await _connect_and_play(demo, server(database, folder), log)
                show_outbox(demo, read_outbox(str(database)))
        except (DemoError, TimeoutError) as error:
            log.seek(0)
            reason = str(error) or f"the demo did not finish within {TIMEOUT:g} s"
            print_lines(f"core13-mcp demo: {reason}\n{log.read()}".rstrip(), sys.stderr)
            return 1
    demo.note()
    demo.note(f"Demo finished: all {demo.steps} steps as expected.")
    demo.note("Run `core13-mcp install CLIENT` to connect an MCP client.")
    return 0


def server(database: Path, folder: str) -> StdioServerParameters:
    """The command of the child: this installation, independent of the settings in the environment."""
    words = ["--sandbox", "--sandbox-db", str(database), "--sandbox-era", "today", "--log-level", "warning"]
    return StdioServerParameters(command=sys.executable, args=["-m", "core13_mcp", "serve", *words], cwd=folder)


async def _connect_and_play(demo: Demo, child: StdioServerParameters, log: TextIO) -> None:
    # An exception that leaves the client is wrapped by its task group. It is raised again outside.
    failure: DemoError | OSError | None = None
    try:
        async with Client(stdio_client(child, errlog=log), elicitation_callback=demo.confirm) as demo.client:
            try:
                demo.note(await _describe(demo.client))
                await play(demo)
            # An OSError means that the output cannot be written.
            except (DemoError, OSError) as error:
                failure = error
    except (MCPError, ExceptionGroup, OSError):
        failure = failure or DemoError("the server did not start, or it ended early")
    if failure:
        raise failure


async def _describe(client: Client) -> str:
    tools, info = (await client.list_tools()).tools, client.server_info
    name = f"{info.name} {info.version}" if info else "an unnamed server"
    return f"Connected: {name}, protocol {client.protocol_version}, {len(tools)} tools."
