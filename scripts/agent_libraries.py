"""Load all tools with one agent library over stdio, call one that reads and one that writes, and print the numbers.

Usage: agent_libraries.py LIBRARY SERVER DATABASE

SERVER is the path of core13-mcp, and DATABASE a new file for the data of the sandbox, because AutoGen starts a server for
each call. The exit status is not 0 if a tool is missing or a call fails.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from typing import Any

TOOLS = 18
READ = "users-hedgehog-config-retrieve"
WRITE = "users-hedgehog-config-partial-update"
COLOR = "rainbow-17"

Call = Callable[[str, dict[str, Any]], Awaitable[str]]
# The names of the tools that a library loaded, and a function that calls one of them.
Loaded = tuple[list[str], Call]


class Model(BaseHTTPRequestHandler):
    """A Gemini API whose model calls the function that the prompt names."""

    def do_POST(self) -> None:
        """Answer a `generateContent` request."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        part = {"functionCall": json.loads(request["contents"][-1]["parts"][0]["text"])}
        content = {"role": "model", "parts": [part]}
        body = json.dumps({"candidates": [{"content": content, "finishReason": "STOP"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Write no access log."""


@contextmanager
def scripted_model() -> Iterator[str]:
    """Serve `Model` on loopback, and return its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@asynccontextmanager
async def google_genai(command: str, arguments: list[str]) -> AsyncIterator[Loaded]:
    """Load the tools as function declarations of google-genai, and make the calls that the model returns."""
    from google import genai
    from google.genai import types
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    server = StdioServerParameters(command=command, args=arguments)
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        await session.initialize()
        declarations = [
            types.FunctionDeclaration(
                name=tool.name,
                description=tool.description,
                parameters={key: value for key, value in tool.inputSchema.items() if key != "additionalProperties"},
            )
            for tool in (await session.list_tools()).tools
        ]
        tool = types.Tool(function_declarations=declarations)
        with scripted_model() as url:
            client = genai.Client(api_key="unused", http_options={"base_url": url})

            async def call(name: str, arguments: dict[str, Any]) -> str:
                answer = await client.aio.models.generate_content(
                    model="scripted",
                    contents=json.dumps({"name": name, "args": arguments}),
                    config=types.GenerateContentConfig(tools=[tool]),
                )
                (function,) = answer.function_calls or []
                return str(await session.call_tool(str(function.name), function.args))

            yield [str(declaration.name) for declaration in declarations], call


@asynccontextmanager
async def semantic_kernel(command: str, arguments: list[str]) -> AsyncIterator[Loaded]:
    """Load the tools with Semantic Kernel, as a plugin of a kernel."""
    from semantic_kernel import Kernel
    from semantic_kernel.connectors.mcp import MCPStdioPlugin
    from semantic_kernel.functions import KernelArguments

    async with MCPStdioPlugin(name="core13", command=command, args=arguments, load_prompts=False) as server:
        kernel = Kernel()
        plugin = kernel.add_plugin(server, plugin_name="core13")

        async def call(name: str, arguments: dict[str, Any]) -> str:
            return str(await kernel.invoke(plugin[name], KernelArguments(**arguments)))

        yield list(plugin.functions), call


@asynccontextmanager
async def autogen_ext(command: str, arguments: list[str]) -> AsyncIterator[Loaded]:
    """Load the tools with AutoGen, as tools of an agent."""
    from autogen_core import CancellationToken
    from autogen_ext.tools.mcp import StdioServerParams, mcp_server_tools

    tools = await mcp_server_tools(StdioServerParams(command=command, args=arguments, read_timeout_seconds=30))
    by_name = {tool.name: tool for tool in tools}

    async def call(name: str, arguments: dict[str, Any]) -> str:
        tool = by_name[name]
        return tool.return_value_as_string(await tool.run_json(arguments, CancellationToken()))

    yield list(by_name), call


LIBRARIES = {"google-genai": google_genai, "semantic-kernel": semantic_kernel, "autogen-ext": autogen_ext}


async def check(library: str, command: str, database: str) -> None:
    """Load and call the tools with one library."""
    arguments = ["serve", "--sandbox", "--sandbox-db", database, "--log-level", "error"]
    async with LIBRARIES[library](command, arguments) as (names, call):
        if len(set(names)) != TOOLS:
            sys.exit(f"{library}: loaded {len(set(names))} of {TOOLS} tools: {sorted(names)}")
        before = await call(READ, {})
        written = await call(WRITE, {"hedgehog_config": {"color": COLOR}})
        after = await call(READ, {})
        if COLOR in before or COLOR not in after:
            sys.exit(f"{library}: the write had no effect:\n{before}\n{written}\n{after}")
    print(f"{library} {version(library)}: loaded {len(names)} tools, called {READ} and {WRITE}")


if __name__ == "__main__":
    asyncio.run(check(*sys.argv[1:4]))
