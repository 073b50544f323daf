"""Starts core13-mcp, once it is installed."""

import sys

from core13_mcp.cli import main

sys.exit(main(["serve"]))
