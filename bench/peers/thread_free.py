"""The bare server on our transport and uvloop: what is left when this project does nothing of its own with a call.

It runs in our own environment: `python thread_free.py TOOLS ORIGIN`.
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
    made = build(json.loads(Path(sys.argv[1]).read_text("utf-8")), sys.argv[2], told=True)
    anyio.run(serve, made, backend_options={"use_uvloop": True})
