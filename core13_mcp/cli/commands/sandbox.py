"""`core13-mcp sandbox`: serve the embedded sandbox on a port, or print its outbox."""

from __future__ import annotations

import argparse
import json
import sys

from ...compose.sandbox import SANDBOX_KEY, read_outbox, serve_sandbox
from ...settings import Settings
from ...text import escape_invisible


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve the sandbox on loopback until it is stopped, or print its outbox as one JSON object per line.

    Raises:
        ConfigurationError: The port is in use, or the file is not a sandbox database.
    """
    if arguments.what == "outbox":
        for row in read_outbox(arguments.db):
            print(escape_invisible(json.dumps(row, ensure_ascii=False)))
    else:
        options = {
            "era": arguments.era,
            "faults": arguments.faults,
            "refresh_rotation": arguments.oauth_rotation,
            "token_seconds": arguments.oauth_seconds,
        }
        await serve_sandbox(arguments.port, arguments.db, **options, ready=_print_origin)
    return 0


def _print_origin(origin: str) -> None:
    print(f"core13-mcp sandbox on {origin}, key {SANDBOX_KEY}", file=sys.stderr, flush=True)
