"""The SDK's MCPServer with a decorated function a tool, forwarding with httpx2: `python mcpserver.py TOOLS ORIGIN [http]`."""

import json
import sys
from pathlib import Path
from typing import Any

import httpx2
from mcp.server.mcpserver import MCPServer

KINDS = {"integer": "int", "number": "float", "boolean": "bool", "string": "str", "array": "list[Any]"}


def build(tools: dict[str, Any], origin: str) -> MCPServer:
    """The server, each tool a function with the declared arguments, as someone would have written it."""
    server = MCPServer("mcpserver")
    client = httpx2.AsyncClient(base_url=origin, headers={"Authorization": "Bearer phx_bench"})
    for name, tool in tools.items():
        schema = tool["wire"]["inputSchema"]
        needed = [n for n in schema["properties"] if n in schema.get("required", ())]
        rest = [n for n in schema["properties"] if n not in needed]
        kinds = {n: KINDS.get(str(p.get("type")), "Any") for n, p in schema["properties"].items()}
        signature = [f"{n}: {kinds[n]}" for n in needed] + [f"{n}: {kinds[n]} | None = None" for n in rest]
        place: dict[str, Any] = {"Any": Any, "client": client, "path": tool["path"], "method": tool["method"]}
        exec(  # noqa: S102 - eighteen functions that differ in their arguments only
            f"async def made({', '.join(signature)}) -> dict[str, Any]:\n"
            "    response = await client.request(method, path.format_map(locals()))\n"
            "    return response.json()\n",
            place,
        )
        server.tool(name=name, description=tool["wire"]["description"])(place["made"])
    return server


if __name__ == "__main__":
    made = build(json.loads(Path(sys.argv[1]).read_text("utf-8")), sys.argv[2])
    if "http" in sys.argv:
        import socket

        import uvicorn

        listener = socket.create_server(("127.0.0.1", 0))
        print(listener.getsockname()[1], flush=True)
        app = made.streamable_http_app(stateless_http=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
    else:
        made.run()
