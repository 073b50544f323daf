"""The environment of one task: a sandbox, the real server, a connected MCP client, and a record of the tool calls."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
from mcp import Client, MCPError
from mcp.types import TextContent, Tool

from core13_mcp import sandbox
from core13_mcp.api.client import APIClient
from core13_mcp.api.credentials import Credentials
from core13_mcp.declarations.catalog import load
from core13_mcp.keys import SecretStr
from core13_mcp.pipeline.call import CallContext
from core13_mcp.server.handlers import build_server
from core13_mcp.server.instructions import instructions
from core13_mcp.settings import Settings

from ..asgi import ResetTransport
from ..clients import accept
from .tasks import Task

CATALOG = load()
ORIGIN = "http://sandbox.invalid"
KEYS = {"read-only": sandbox.READ_ONLY_KEY, "free": sandbox.FREE_KEY}


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call of the agent, and the text that the agent reads."""

    tool: str
    arguments: dict[str, Any]
    text: str
    failed: bool

    @property
    def value(self) -> Any:
        """The result as JSON, or None for an error."""
        return None if self.failed else json.loads(self.text)


class Clock:
    """The sandbox's clock. Its time changes only when an agent waits."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        """Advance the time."""
        self.now += timedelta(seconds=seconds)


@dataclass
class Environment:
    """What an agent uses (tools, call, clock), and what the judge reads (calls, get, outbox)."""

    client: Client
    clock: Clock
    api: httpx2.AsyncClient
    calls: list[ToolCall] = field(default_factory=list)

    async def tools(self) -> list[Tool]:
        """The tools that the server lists."""
        return (await self.client.list_tools()).tools

    async def call(self, tool: str, arguments: dict[str, Any]) -> ToolCall:
        """Call a tool and record the call."""
        try:
            result = await self.client.call_tool(tool, arguments)
        except MCPError as error:
            call = ToolCall(tool, arguments, error.message, True)
        else:
            content = result.content[0]
            assert isinstance(content, TextContent)
            call = ToolCall(tool, arguments, content.text, bool(result.is_error))
        self.calls.append(call)
        return call

    async def get(self, path: str) -> Any:
        """Read a path of the API with a key that has full access."""
        return (await self.api.get(path)).json()

    async def outbox(self) -> list[dict[str, Any]]:
        """The messages that the sandbox would have sent."""
        messages: list[dict[str, Any]] = await self.get("/_sandbox/outbox")
        return messages


@asynccontextmanager
async def open_environment(task: Task) -> AsyncIterator[Environment]:
    """Open a fresh environment with the preparation that the task describes."""
    clock = Clock()
    app = sandbox.build(era=task.era, faults=True, clock=clock)
    transport = ResetTransport(app)
    headers = {"Authorization": f"Bearer {sandbox.FULL_KEY}"}
    async with (
        httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as api,
        APIClient(ORIGIN, transport=transport) as upstream,
    ):
        context = CallContext(client=upstream, credentials=_credentials(task.key), timeout=5.0)
        server = build_server(CATALOG, lambda _: context, instructions(Settings(), len(CATALOG), len(CATALOG)))
        async with Client(server, elicitation_callback=accept) as client:
            for _ in range(task.before.times):
                await api.post(task.before.post, json=task.before.body)
            app.state.faults.extend(task.faults)
            yield Environment(client, clock, api)


def _credentials(key: str) -> Credentials:
    session = key == "session"
    return Credentials(
        SecretStr(KEYS.get(key, sandbox.FULL_KEY)),
        SecretStr(sandbox.SESSION_ID) if session else None,
        SecretStr(sandbox.CSRF_TOKEN) if session else None,
    )
