"""`core13-mcp sandbox`: the embedded API on a port, or what it would have sent."""

from __future__ import annotations

import argparse
import json
import sys

from .. import sandbox
from ..settings import Settings


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve the sandbox on loopback until it is stopped, or print its outbox."""
    if arguments.what == "outbox":
        for row in sandbox.outbox(arguments.db):
            print(json.dumps(row, ensure_ascii=False))
        return 0

    def ready(port: int) -> None:
        print(f"core13-mcp sandbox on http://127.0.0.1:{port} with the key {sandbox.FULL_KEY}", file=sys.stderr)

    await sandbox.serve("127.0.0.1", arguments.port, arguments.db, faults=arguments.faults, ready=ready)
    return 0
