"""CrewAI: the tools of an agent."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from check import Loaded, Server

# Before the import, so that nothing is sent to the authors of CrewAI.
os.environ |= {"CREWAI_DISABLE_TELEMETRY": "true", "OTEL_SDK_DISABLED": "true"}

from crewai_tools import MCPServerAdapter
from mcp import StdioServerParameters

PACKAGE = "crewai-tools"


@asynccontextmanager
async def load(server: Server) -> AsyncIterator[Loaded]:
    """Load the tools with the adapter of crewai-tools."""
    parameters = StdioServerParameters(command=server.command, args=server.arguments)
    with MCPServerAdapter(parameters) as loaded:
        tools = {tool.name: tool for tool in loaded}

        async def call(name: str, arguments: dict[str, Any]) -> str:
            return str(await asyncio.to_thread(tools[name].run, **arguments))

        yield Loaded({name: tool.args_schema.model_json_schema() for name, tool in tools.items()}, call)
