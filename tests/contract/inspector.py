"""The command line of the MCP Inspector. The variable INSPECTOR is its command; the default is `mcp-inspector`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

ERAS = ("legacy", "modern")
# The exit status of the Inspector if a server requires authentication.
AUTH_REQUIRED = 3


def command(era: str, *arguments: str) -> list[str]:
    """The command for one method of a server. Skips the test if the Inspector is neither installed nor configured."""
    program = os.environ.get("INSPECTOR", "mcp-inspector")
    if "INSPECTOR" not in os.environ and shutil.which(program) is None:
        pytest.skip("mcp-inspector is not installed")
    return [program, "--cli", "--protocol-era", era, *arguments]


def environment(home: Path, **variables: str) -> Mapping[str, str]:
    """An environment without stored data of other runs and without the system's key store."""
    return {**os.environ, "HOME": str(home), "MCP_INSPECTOR_SECRET_STORE": "memory", **variables}
