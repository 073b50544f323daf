"""FastMCP's `from_openapi` with the same operations.

Usage: openapi.py OPENAPI ORIGIN [http].
"""

import json
import sys
from pathlib import Path

import httpx2
from fastmcp import FastMCP

if __name__ == "__main__":
    client = httpx2.AsyncClient(base_url=sys.argv[2], headers={"Authorization": "Bearer phx_bench"})
    server = FastMCP.from_openapi(json.loads(Path(sys.argv[1]).read_text("utf-8")), client=client, name="openapi")
    if "http" in sys.argv:
        import socket

        import uvicorn

        listener = socket.create_server(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)
        app = server.http_app(path="/mcp", stateless_http=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
    else:
        server.run(show_banner=False)
