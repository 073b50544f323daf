"""Starts core13-mcp, which uv has installed from pyproject.toml."""

import sys

from core13_mcp.cli import main

sys.exit(main(["serve"]))
