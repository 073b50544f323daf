"""The SDK's MCPServer with one function per tool, which forwards with httpx2.

Usage: mcpserver.py TOOLS ORIGIN [http].
"""

import json
import sys
from pathlib import Path
from typing import Any

import httpx2
from mcp.server.mcpserver import MCPServer

TYPES = {"integer": "int", "number": "float", "boolean": "bool", "string": "str", "array": "list[Any]"}


def build(tools: dict[str, Any], origin: str) -> MCPServer:
    """Return the server. Each tool is a function with typed parameters, as a developer would write it."""
    server = MCPServer("mcpserver")
    client = httpx2.AsyncClient(base_url=origin, headers={"Authorization": "Bearer phx_bench"})
    for name, tool in tools.items():
        schema = tool["tool"]["inputSchema"]
        types = {name: TYPES.get(str(part.get("type")), "Any") for name, part in schema["properties"].items()}
        required = [name for name in types if name in schema.get("required", ())]
        optional = [name for name in types if name not in required]
        parameters = [f"{name}: {types[name]}" for name in required]
        parameters += [f"{name}: {types[name]} | None = None" for name in optional]
        namespace: dict[str, Any] = {"Any": Any, "client": client, "path": tool["path"], "method": tool["method"]}
        exec(  # noqa: S102 - the functions differ in their parameters only
            f"async def forward({', '.join(parameters)}) -> dict[str, Any]:\n"
            "    response = await client.request(method, path.format_map(locals()))\n"
            "    return response.json()\n",
            namespace,
        )
        server.tool(name=name, description=tool["tool"]["description"])(namespace["forward"])
    return server


if __name__ == "__main__":
    server = build(json.loads(Path(sys.argv[1]).read_text("utf-8")), sys.argv[2])
    if "http" in sys.argv:
        import socket

        import uvicorn

        listener = socket.create_server(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)
        app = server.streamable_http_app(stateless_http=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
    else:
        server.run()
