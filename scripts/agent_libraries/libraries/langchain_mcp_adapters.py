"""LangChain: the tools of an agent, from langchain-mcp-adapters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from check import Loaded, Server
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_mcp_adapters.callbacks import Callbacks
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.tools import load_mcp_tools
from mcp.types import ElicitResult

PACKAGE = "langchain-mcp-adapters"


@asynccontextmanager
async def load(server: Server) -> AsyncIterator[Loaded]:
    """Load the tools in one session that answers forms."""

    async def answer(_: Any, params: Any, __: Any) -> ElicitResult:
        return ElicitResult(action="accept", content={**server.confirm(params.message)})

    connection: Any = {"transport": "stdio", "command": server.command, "args": server.arguments}
    client = MultiServerMCPClient({"core13": connection}, callbacks=Callbacks(on_elicitation=answer))
    async with client.session("core13") as session:
        tools = {tool.name: tool for tool in await load_mcp_tools(session)}

        async def call(name: str, arguments: dict[str, Any]) -> str:
            return str(await tools[name].ainvoke(arguments))

        schemas = {name: convert_to_openai_tool(tool)["function"]["parameters"] for name, tool in tools.items()}
        yield Loaded(schemas, call)
