"""Start core13-mcp."""

import sys

from core13_mcp.cli.main import main

sys.exit(main(["serve"]))
