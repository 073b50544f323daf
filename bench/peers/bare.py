"""The floor of the obvious way: a low-level SDK server that forwards with httpx2 and does nothing else.

`python bare.py TOOLS ORIGIN [http]`, where TOOLS is a JSON file of {"wire", "method", "path"}.
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


def build(tools: dict[str, Any], origin: str, told: bool) -> Server[Any]:
    """The server; `told` says whether the SDK is given the schemas, and need not list the tools on every call."""
    listed = types.ListToolsResult(tools=[types.Tool.model_validate(tool["wire"]) for tool in tools.values()])

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[httpx2.AsyncClient]:
        async with httpx2.AsyncClient(base_url=origin, headers={"Authorization": "Bearer phx_bench"}) as client:
            yield client

    async def list_tools(_: Any, __: Any) -> types.ListToolsResult:
        return listed

    async def call_tool(
        context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        tool, arguments = tools[params.name], params.arguments or {}
        response = await context.lifespan_context.request(tool["method"], tool["path"].format_map(arguments))
        text = types.TextContent(type="text", text=response.text)
        return types.CallToolResult(content=[text], structured_content=response.json())

    schemas = {name: tool["wire"]["inputSchema"] for name, tool in tools.items()}
    lookup = {"get_tool_input_schema": schemas.get} if told else {}
    return Server("bare", version="0", on_list_tools=list_tools, on_call_tool=call_tool, lifespan=lifespan, **lookup)


async def stdio(server: Server[Any]) -> None:
    """Serve over stdio."""
    async with stdio_server() as (reader, writer):
        await server.run(reader, writer, server.create_initialization_options())


def http(server: Server[Any]) -> None:
    """Serve over HTTP on a free port, which is printed."""
    import socket

    import uvicorn

    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    app = server.streamable_http_app(stateless_http=True)
    config = uvicorn.Config(app, log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    declared = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    made = build(declared, sys.argv[2], told="told" in sys.argv)
    http(made) if "http" in sys.argv else anyio.run(stdio, made)
