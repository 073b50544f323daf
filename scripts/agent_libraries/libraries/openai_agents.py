"""OpenAI Agents: the function tools that an agent gets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from agents.mcp import MCPServerStdio, MCPUtil
from agents.tool_context import ToolContext
from check import Loaded, Server

PACKAGE = "openai-agents"


@asynccontextmanager
async def load(server: Server) -> AsyncIterator[Loaded]:
    """Load the tools as function tools without strict schemas, which is the default."""
    parameters: Any = {"command": server.command, "args": server.arguments}
    async with MCPServerStdio(parameters, client_session_timeout_seconds=30) as connection:
        tools = {
            tool.name: MCPUtil.to_function_tool(tool, connection, convert_schemas_to_strict=False)
            for tool in await connection.list_tools()
        }

        async def call(name: str, arguments: dict[str, Any]) -> str:
            text = json.dumps(arguments)
            context: Any = ToolContext(None, tool_name=name, tool_call_id="1", tool_arguments=text)
            return str(await tools[name].on_invoke_tool(context, text))

        yield Loaded({name: tool.params_json_schema for name, tool in tools.items()}, call)
