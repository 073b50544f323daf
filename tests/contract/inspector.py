"""The MCP Inspector's command line. INSPECTOR is its command (`mcp-inspector` without it)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

ERAS = ("legacy", "modern")
AUTH_REQUIRED = 3
"""How it ends where a server wants to know who calls."""


def command(era: str, *words: str) -> list[str]:
    """Its command for one method of a server; skips the test where there is none and none was promised."""
    said = os.environ.get("INSPECTOR", "mcp-inspector")
    if "INSPECTOR" not in os.environ and shutil.which(said) is None:
        pytest.skip("there is no mcp-inspector")
    return [said, "--cli", "--protocol-era", era, *words]


def environment(home: Path, **more: str) -> Mapping[str, str]:
    """With nothing kept from another run, and nobody's key store asked."""
    return {**os.environ, "HOME": str(home), "MCP_INSPECTOR_SECRET_STORE": "memory", **more}
