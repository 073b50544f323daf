"""LangChain: the tools of an agent, from `langchain[mcp]`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from check import Loaded, Server
from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from langchain.mcp import MCPAdapter
from langchain_core.utils.function_calling import convert_to_openai_tool

PACKAGE = "langchain"


@asynccontextmanager
async def load(server: Server) -> AsyncIterator[Loaded]:
    """Load the tools with a client that answers forms. Without a handler, a form is a LangGraph interrupt."""

    async def answer(message: str, *_: Any) -> dict[str, bool]:
        return server.confirm(message)

    client = Client(StdioTransport(server.command, server.arguments), elicitation_handler=answer)
    async with MCPAdapter(client) as adapter:
        tools = {tool.name: tool for tool in await adapter.list_tools()}

        async def call(name: str, arguments: dict[str, Any]) -> str:
            return str(await tools[name].ainvoke(arguments))

        schemas = {name: convert_to_openai_tool(tool)["function"]["parameters"] for name, tool in tools.items()}
        yield Loaded(schemas, call)
