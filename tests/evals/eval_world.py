"""Where a task is played: a sandbox of its own, the real server in front of it, a real client, and a log of its use."""

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
from pydantic import SecretStr

from core13_mcp import sandbox
from core13_mcp.api.client import APIClient
from core13_mcp.api.credentials import Credentials
from core13_mcp.declarations.catalog import load
from core13_mcp.pipeline.call import CallContext
from core13_mcp.server.handlers import build_server
from core13_mcp.server.instructions import instructions
from core13_mcp.settings import Settings

from ..asgi import ResetTransport
from .tasks import Task

CATALOG = load()
ORIGIN = "http://sandbox.invalid"
KEYS = {"read-only": sandbox.READ_ONLY_KEY, "free": sandbox.FREE_KEY}


@dataclass(frozen=True, slots=True)
class Use:
    """One call of one tool, and what the agent read of it."""

    tool: str
    arguments: dict[str, Any]
    text: str
    failed: bool

    @property
    def value(self) -> Any:
        """The result as JSON; None of an error."""
        return None if self.failed else json.loads(self.text)


class Clock:
    """A time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.now += timedelta(seconds=seconds)


@dataclass
class World:
    """What an agent has to work with (tools, use, wait), and what its judge looks at (log, get, outbox)."""

    client: Client
    clock: Clock
    api: httpx2.AsyncClient
    log: list[Use] = field(default_factory=list)

    async def tools(self) -> list[Tool]:
        """What the server lists."""
        return (await self.client.list_tools()).tools

    async def use(self, tool: str, arguments: dict[str, Any]) -> Use:
        """Call a tool as an agent does."""
        try:
            answer = await self.client.call_tool(tool, arguments)
        except MCPError as error:
            used = Use(tool, arguments, error.message, True)
        else:
            said = answer.content[0]
            assert isinstance(said, TextContent)
            used = Use(tool, arguments, said.text, bool(answer.is_error))
        self.log.append(used)
        return used

    async def get(self, path: str) -> Any:
        """What the API holds, seen by somebody who may see it."""
        return (await self.api.get(path)).json()

    async def outbox(self) -> list[dict[str, Any]]:
        """What would have been sent."""
        found: list[dict[str, Any]] = await self.get("/_sandbox/outbox")
        return found

    @property
    def characters(self) -> int:
        """How much the agent has read of results and errors."""
        return sum(len(used.text) for used in self.log)


@asynccontextmanager
async def world(task: Task) -> AsyncIterator[World]:
    """A fresh world for one task, prepared as the task says."""
    clock = Clock()
    app = sandbox.build(faults=True, clock=clock)
    transport = ResetTransport(app)
    headers = {"Authorization": f"Bearer {sandbox.FULL_KEY}"}
    async with (
        httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as api,
        APIClient(ORIGIN, transport=transport) as upstream,
    ):
        caller = CallContext(upstream=upstream, credentials=_credentials(task.who), timeout=5.0)
        server = build_server(CATALOG, lambda _: caller, instructions(Settings(), CATALOG, len(CATALOG)))
        async with Client(server) as client:
            await _prepare(task, api)
            app.state.faults.extend(task.faults)
            yield World(client, clock, api)


async def _prepare(task: Task, api: httpx2.AsyncClient) -> None:
    for _ in range(task.before.times):
        await api.post(task.before.post, json=task.before.body)


def _credentials(who: str) -> Credentials:
    session = who == "session"
    return Credentials(
        SecretStr(KEYS.get(who, sandbox.FULL_KEY)),
        SecretStr(sandbox.SESSION_ID) if session else None,
        SecretStr(sandbox.CSRF_TOKEN) if session else None,
    )
