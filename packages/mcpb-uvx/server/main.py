"""Starts core13-mcp, once it is installed."""

import sys

from core13_mcp.cli.main import main

sys.exit(main(["serve"]))
