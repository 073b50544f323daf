"""LlamaIndex: the tools of an agent. It starts a server for each call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from check import Loaded, Server
from llama_index.tools.mcp import BasicMCPClient, McpToolSpec

PACKAGE = "llama-index-tools-mcp"


@asynccontextmanager
async def load(server: Server) -> AsyncIterator[Loaded]:
    """Load the tools as function tools."""
    client = BasicMCPClient(server.command, args=server.arguments, timeout=30)
    tools = {tool.metadata.get_name(): tool for tool in await McpToolSpec(client).to_tool_list_async()}

    async def call(name: str, arguments: dict[str, Any]) -> str:
        return str(await tools[name].acall(**arguments))

    yield Loaded({name: tool.metadata.get_parameters_dict() for name, tool in tools.items()}, call)
