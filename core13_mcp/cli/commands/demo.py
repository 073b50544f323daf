"""`core13-mcp demo`: a story, played against the sandbox through a real MCP client."""

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
from ..demo.player import Player
from ..demo.screen import Screen
from ..demo.story import Differs, Story, fit

LONGEST = 120.0
"""Seconds for all of it."""


async def run(_: argparse.Namespace, __: object) -> int:
    """Start the server as a child, play the story through it, show what would have been sent.

    Returns 0 when all went as the story tells, 1 and a line on stderr that names the step otherwise.
    """
    screen = Screen(sys.stdout)
    with TemporaryDirectory(prefix="core13-mcp-demo-") as folder, TemporaryFile("w+") as log:
        try:
            with anyio.fail_after(LONGEST):
                await _tell(Story.read(), screen, folder, log)
        except (Differs, TimeoutError) as difference:
            log.seek(0)
            print(f"core13-mcp demo: {difference or 'it took too long'}\n{log.read()}".rstrip(), file=sys.stderr)
            return 1
    screen.say()
    screen.say("All as the story tells. `core13-mcp install CLIENT` connects a client of yours.")
    return 0


async def _tell(story: Story, screen: Screen, folder: str, log: TextIO) -> None:
    screen.say("The server runs as a child process, an MCP client talks to it over stdio, and behind it is the")
    screen.say("embedded sandbox instead of PostHog: no account, no key, and nothing is sent to anyone.")
    database = Path(folder) / "sandbox.db"
    await _play(story, screen, server(database, folder), log)
    rows = read_outbox(str(database))
    screen.heading(story.outbox.title)
    screen.answer(story.outbox.told(list(rows)))
    fit(story.outbox.expect, rows)


def server(database: Path, folder: str) -> StdioServerParameters:
    """The command of the child: this very installation, whatever the shell's settings are."""
    words = ["-m", "core13_mcp", "serve", "--sandbox", "--sandbox-db", str(database), "--log-level", "warning"]
    return StdioServerParameters(command=sys.executable, args=words, cwd=folder)


async def _play(story: Story, screen: Screen, child: StdioServerParameters, log: TextIO) -> None:
    player = Player(story, screen)
    ended: Differs | BrokenPipeError | None = None
    try:
        async with Client(stdio_client(child, errlog=log), elicitation_callback=player.agree) as client:
            try:
                screen.say(await _met(client))
                await player.play(client)
            except (Differs, BrokenPipeError) as early:
                ended = early  # raised outside, where no task group wraps it
    except (MCPError, ExceptionGroup, OSError) as error:
        ended = ended or Differs(f"the server did not start or went away ({type(error).__name__})")
    if ended:
        raise ended


async def _met(client: Client) -> str:
    listed, info = await client.list_tools(), client.server_info
    name = f"{info.name} {info.version}" if info else "a server that does not say its name"
    return f"Connected: {name}, protocol {client.protocol_version}, {len(listed.tools)} tools."
