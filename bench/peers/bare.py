"""A low-level SDK server that forwards each call with httpx2 and does nothing else.

Usage: bare.py TOOLS ORIGIN [with-schemas] [sessions] [http]. TOOLS is the JSON file of `operations.forwarding_table`.
"""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp import types
from mcp.server import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server


def build(tools: dict[str, Any], origin: str, with_schemas: bool) -> Server[Any]:
    """Return the server. Without the input schemas, the SDK lists the tools on each call of the 2026 protocol."""
    tool_list = types.ListToolsResult(tools=[types.Tool.model_validate(tool["tool"]) for tool in tools.values()])

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[httpx2.AsyncClient]:
        async with httpx2.AsyncClient(base_url=origin, headers={"Authorization": "Bearer phx_bench"}) as client:
            yield client

    async def list_tools(_: Any, __: Any) -> types.ListToolsResult:
        return tool_list

    async def call_tool(
        context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        tool, arguments = tools[params.name], params.arguments or {}
        response = await context.lifespan_context.request(tool["method"], tool["path"].format_map(arguments))
        text = types.TextContent(type="text", text=response.text)
        return types.CallToolResult(content=[text], structured_content=response.json())

    schemas = {name: tool["tool"]["inputSchema"] for name, tool in tools.items()}
    lookup = {"get_tool_input_schema": schemas.get} if with_schemas else {}
    return Server("bare", version="0", on_list_tools=list_tools, on_call_tool=call_tool, lifespan=lifespan, **lookup)


async def stdio(server: Server[Any]) -> None:
    """Serve over stdio."""
    async with stdio_server() as (reader, writer):
        await server.run(reader, writer, server.create_initialization_options())


def http(server: Server[Any]) -> None:
    """Serve over HTTP on a free port, and print the port."""
    import socket

    import uvicorn

    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    app = server.streamable_http_app(stateless_http="sessions" not in sys.argv)
    config = uvicorn.Config(app, log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    forwarding_table = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    server = build(forwarding_table, sys.argv[2], "with-schemas" in sys.argv)
    http(server) if "http" in sys.argv else anyio.run(stdio, server)
