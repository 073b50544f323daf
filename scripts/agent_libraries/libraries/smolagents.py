"""smolagents: the tools of a CodeAgent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from check import Loaded, Server
from mcp import StdioServerParameters
from smolagents import MCPClient

PACKAGE = "smolagents"


@asynccontextmanager
async def load(server: Server) -> AsyncIterator[Loaded]:
    """Load the tools with the MCP client of smolagents."""
    parameters = StdioServerParameters(command=server.command, args=server.arguments)
    with MCPClient(parameters, structured_output=False) as loaded:
        tools = {tool.name: tool for tool in loaded}

        async def call(name: str, arguments: dict[str, Any]) -> str:
            return str(await asyncio.to_thread(tools[name], **arguments))

        yield Loaded({name: tool.inputs for name, tool in tools.items()}, call)
