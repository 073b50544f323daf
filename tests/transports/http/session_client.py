"""A client of the 2025-11-25 protocol with a session, which sends its messages itself."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2

LEGACY = "2025-11-25"
FORMS: dict[str, Any] = {"elicitation": {"form": {}}}


class Session:
    """A client of the 2025-11-25 protocol that sends its messages itself."""

    def __init__(self, http: httpx2.AsyncClient, url: str) -> None:
        self.http, self.url = http, url
        self.ids = itertools.count(1)
        self.headers = {
            "Accept": "application/json, text/event-stream",
            "Content-Type": "application/json",
            "MCP-Protocol-Version": LEGACY,
        }

    @property
    def id(self) -> str | None:
        return self.headers.get("Mcp-Session-Id")

    async def initialize(self, capabilities: Mapping[str, Any] = FORMS) -> httpx2.Response:
        """Initialize, and use the session id of the response for all other requests."""
        info = {"name": "test", "version": "1"}
        params = {"protocolVersion": LEGACY, "capabilities": capabilities, "clientInfo": info}
        response = await self.request("initialize", **params)
        if session_id := response.headers.get("Mcp-Session-Id"):
            self.headers["Mcp-Session-Id"] = session_id
        await self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return response

    async def request(self, method: str, **params: Any) -> httpx2.Response:
        return await self.send({"jsonrpc": "2.0", "id": next(self.ids), "method": method, "params": params})

    async def send(self, message: Mapping[str, Any]) -> httpx2.Response:
        return await self.http.post(self.url, json=message, headers=self.headers)

    @asynccontextmanager
    async def call(self, name: str, arguments: Mapping[str, Any]) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """Call a tool, and yield the messages of the response."""
        params = {"name": name, "arguments": arguments}
        body = json.dumps({"jsonrpc": "2.0", "id": next(self.ids), "method": "tools/call", "params": params})
        async with self.http.stream("POST", self.url, content=body, headers=self.headers) as response:
            lines = response.aiter_lines()
            yield (json.loads(line[6:]) async for line in lines if line.startswith("data: "))

    async def answer(self, question: Mapping[str, Any], action: str = "accept") -> httpx2.Response:
        names = question["params"]["requestedSchema"]["properties"]
        result = {"action": action, "content": dict.fromkeys(names, True)}
        return await self.send({"jsonrpc": "2.0", "id": question["id"], "result": result})


@asynccontextmanager
async def raw_client(url: str, **headers: str) -> AsyncIterator[Session]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx2.AsyncClient(headers=sent, timeout=20) as http:
        yield Session(http, url)
