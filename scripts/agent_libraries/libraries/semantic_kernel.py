"""Semantic Kernel: a plugin of a kernel."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from check import Loaded, Server
from semantic_kernel import Kernel
from semantic_kernel.connectors.mcp import MCPStdioPlugin
from semantic_kernel.functions import KernelArguments

PACKAGE = "semantic-kernel"


@asynccontextmanager
async def load(server: Server) -> AsyncIterator[Loaded]:
    """Load the tools as functions of a plugin."""
    async with MCPStdioPlugin(
        name="core13", command=server.command, args=server.arguments, load_prompts=False
    ) as connection:
        kernel = Kernel()
        plugin = kernel.add_plugin(connection, plugin_name="core13")

        async def call(name: str, arguments: dict[str, Any]) -> str:
            return str(await kernel.invoke(plugin[name], KernelArguments(**arguments)))

        functions = {name: function.metadata for name, function in plugin.functions.items()}
        yield Loaded({name: [each.schema_data for each in data.parameters] for name, data in functions.items()}, call)
