"""The command line, started as a child process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from mcp import StdioServerParameters

CLI = [sys.executable, "-m", "core13_mcp"]


def clean_environment(**variables: str) -> dict[str, str]:
    """The environment of the tests without settings of the server, plus these variables."""
    settings = ("CORE13_", "POSTHOG_")
    return {name: value for name, value in os.environ.items() if not name.startswith(settings)} | variables


def run_cli(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*CLI, *arguments],
        check=False,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        env=clean_environment(**variables),
    )


def stdio_parameters(*arguments: str, env: Mapping[str, str] | None = None) -> StdioServerParameters:
    """The parameters with which the SDK's client starts `core13-mcp serve`."""
    return StdioServerParameters(
        command=CLI[0], args=[*CLI[1:], "serve", *arguments], env=clean_environment(**(env or {}))
    )
