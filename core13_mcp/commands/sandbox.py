"""`core13-mcp sandbox`: the embedded API on a port, or what it would have sent."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from .. import sandbox
from ..errors import ConfigurationError
from ..settings import Settings


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve the sandbox on loopback until it is stopped, or print its outbox, one JSON object a line.

    Raises:
        ConfigurationError: The port is taken, or there is no such file to read an outbox from.
    """
    if arguments.what == "outbox":
        if not Path(arguments.db).is_file():
            raise ConfigurationError("say which sandbox: --db FILE, the file that `serve --sandbox-db` or --db wrote")
        for row in sandbox.outbox(arguments.db):
            print(json.dumps(row, ensure_ascii=False))
        return 0

    def ready(origin: str) -> None:
        print(f"core13-mcp sandbox on {origin}, key {sandbox.FULL_KEY}", file=sys.stderr, flush=True)

    try:
        await sandbox.serve("127.0.0.1", arguments.port, arguments.db, faults=arguments.faults, oauth=True, ready=ready)
    except OSError as error:
        raise ConfigurationError(f"port {arguments.port} cannot be used: {error.strerror}") from None
    return 0
