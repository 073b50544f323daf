"""Google Gen AI: function declarations, and calls that a model of the Gemini API returns."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from check import Loaded, Server
from google import genai
from google.genai import types
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

PACKAGE = "google-genai"


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


def declaration(tool: Any) -> types.FunctionDeclaration:
    """Return a function declaration. Its `parameters` have no field `additionalProperties`."""
    parameters: Any = {key: value for key, value in tool.inputSchema.items() if key != "additionalProperties"}
    return types.FunctionDeclaration(name=tool.name, description=tool.description, parameters=parameters)


@asynccontextmanager
async def load(server: Server) -> AsyncIterator[Loaded]:
    """Load the tools as function declarations, and make the calls that the model returns."""
    parameters = StdioServerParameters(command=server.command, args=server.arguments)
    async with stdio_client(parameters) as streams, ClientSession(*streams) as session:
        await session.initialize()
        declarations = [declaration(tool) for tool in (await session.list_tools()).tools]
        with scripted_model() as url:
            client = genai.Client(api_key="unused", http_options={"base_url": url})
            config: Any = types.GenerateContentConfig(tools=[types.Tool(function_declarations=declarations)])

            async def call(name: str, arguments: dict[str, Any]) -> str:
                prompt = json.dumps({"name": name, "args": arguments})
                answer = await client.aio.models.generate_content(model="scripted", contents=prompt, config=config)
                (function,) = answer.function_calls or []
                return str(await session.call_tool(str(function.name), function.args))

            yield Loaded(
                {str(each.name): each.model_dump(mode="json", exclude_none=True) for each in declarations}, call
            )
