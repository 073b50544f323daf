"""Start core13-mcp."""

import sys

from core13_mcp.__main__ import main

sys.exit(main(["serve"]))
