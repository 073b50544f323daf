"""The command line as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from mcp import StdioServerParameters

COMMAND = [sys.executable, "-m", "core13_mcp"]


def environment(**over: str) -> dict[str, str]:
    """This process's environment without any setting of the server."""
    return {n: v for n, v in os.environ.items() if not n.startswith(("CORE13_", "POSTHOG_"))} | over


def run(*words: str, stdin: str = "", **over: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    command = [*COMMAND, *words]
    env = environment(**over)
    return subprocess.run(command, check=False, input=stdin, capture_output=True, text=True, timeout=60, env=env)


def server(*words: str, env: Mapping[str, str] | None = None) -> StdioServerParameters:
    """How the SDK's client starts the server."""
    return StdioServerParameters(
        command=COMMAND[0], args=[*COMMAND[1:], "serve", *words], env=environment(**(env or {}))
    )
