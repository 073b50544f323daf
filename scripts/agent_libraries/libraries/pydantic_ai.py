"""Pydantic AI: the toolset of an agent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from check import Loaded, Server
from fastmcp.client.transports import StdioTransport
from pydantic_ai.mcp import MCPToolset

PACKAGE = "pydantic-ai-slim"


@asynccontextmanager
async def load(server: Server) -> AsyncIterator[Loaded]:
    """Load the tools as a toolset that answers forms."""

    async def answer(message: str, *_: Any) -> dict[str, bool]:
        return server.confirm(message)

    transport = StdioTransport(server.command, server.arguments)
    async with MCPToolset(transport, elicitation_handler=answer, init_timeout=30) as toolset:

        async def call(name: str, arguments: dict[str, Any]) -> str:
            return str(await toolset.direct_call_tool(name, arguments))

        yield Loaded({tool.name: tool.input_schema for tool in await toolset.list_tools()}, call)
