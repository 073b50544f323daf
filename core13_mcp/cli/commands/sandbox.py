"""`core13-mcp sandbox`: the embedded API on a port, or what it would have sent."""

from __future__ import annotations

import argparse
import errno
import json
import sys
from pathlib import Path

from ... import sandbox
from ...errors import ConfigurationError
from ...settings import Settings


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve the sandbox on loopback until it is stopped, or print its outbox, one JSON object a line.

    Raises:
        ConfigurationError: The port is taken, or the file is not a sandbox's.
    """
    try:
        if arguments.what == "outbox":
            _print_outbox(arguments.db)
        else:
            serving = {"faults": arguments.faults, "oauth": True, "ready": _ready}
            await sandbox.serve("127.0.0.1", arguments.port, arguments.db, **serving)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise ConfigurationError(f"port {arguments.port} is taken; --port 0 takes any free one") from None
        raise ConfigurationError(f"the sandbox cannot be used so: {error}") from None
    return 0


def _print_outbox(database: str) -> None:
    if not Path(database).is_file():
        raise ConfigurationError("say which sandbox: --db FILE, the file that `serve --sandbox-db` or --db wrote")
    for row in sandbox.outbox(database):
        print(json.dumps(row, ensure_ascii=False))


def _ready(origin: str) -> None:
    print(f"core13-mcp sandbox on {origin}, key {sandbox.FULL_KEY}", file=sys.stderr, flush=True)
