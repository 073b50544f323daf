"""AutoGen: the tools of an agent. It starts a server for each call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from autogen_core.tools import StaticWorkbench
from autogen_ext.tools.mcp import StdioServerParams, mcp_server_tools
from check import Loaded, Server

PACKAGE = "autogen-ext"


@asynccontextmanager
async def load(server: Server) -> AsyncIterator[Loaded]:
    """Load the tools as tools of an agent."""
    parameters = StdioServerParams(command=server.command, args=server.arguments, read_timeout_seconds=30)
    tools: list[Any] = await mcp_server_tools(parameters)
    workbench = StaticWorkbench(tools)

    async def call(name: str, arguments: dict[str, Any]) -> str:
        return (await workbench.call_tool(name, arguments)).to_text()

    yield Loaded({tool.name: tool.schema["parameters"] for tool in tools}, call)
