"""`python -m core13_mcp`."""

import sys

from .cli import main

sys.exit(main())
