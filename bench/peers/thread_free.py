"""The bare server with this project's stdio transport and uvloop; it needs this project's environment.

Usage: thread_free.py TOOLS ORIGIN.
"""

import json
import sys
from pathlib import Path
from typing import Any

import anyio
from bare import build
from mcp.server.lowlevel import Server

from core13_mcp.transports.stdio.streams import open_streams


async def serve(server: Server[Any]) -> None:
    """Serve over stdio."""
    async with open_streams() as (reader, writer):
        await server.run(reader, writer, server.create_initialization_options())


if __name__ == "__main__":
    server = build(json.loads(Path(sys.argv[1]).read_text("utf-8")), sys.argv[2], with_schemas=True)
    anyio.run(serve, server, backend_options={"use_uvloop": True})
