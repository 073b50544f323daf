"""Google ADK: the function declarations of an agent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from check import Loaded, Server
from google.adk.tools.mcp_tool import McpToolset, StdioConnectionParams
from mcp import StdioServerParameters
from mcp.types import ElicitResult

PACKAGE = "google-adk"


@asynccontextmanager
async def load(server: Server) -> AsyncIterator[Loaded]:
    """Load the tools as a toolset that answers forms."""

    async def answer(_: Any, params: Any) -> ElicitResult:
        return ElicitResult(action="accept", content={**server.confirm(params.message)})

    parameters = StdioServerParameters(command=server.command, args=server.arguments)
    toolset = McpToolset(
        connection_params=StdioConnectionParams(server_params=parameters, timeout=30), elicitation_callback=answer
    )
    try:
        tools: dict[str, Any] = {tool.name: tool for tool in await toolset.get_tools()}

        async def call(name: str, arguments: dict[str, Any]) -> str:
            context: Any = SimpleNamespace(state={}, user_id="user", session=None, function_call_id="1")
            return str(await tools[name].run_async(args=arguments, tool_context=context))

        yield Loaded({name: schema(tool) for name, tool in tools.items()}, call)
    finally:
        await toolset.close()


def schema(tool: Any) -> Any:
    """Return the parameters as the Gemini API gets them."""
    declaration = tool._get_declaration()
    return declaration.parameters_json_schema or declaration.parameters.model_dump(mode="json", exclude_none=True)
