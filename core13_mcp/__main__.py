"""`python -m core13_mcp`."""

import sys

from .cli.main import main

sys.exit(main())
