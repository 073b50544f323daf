"""Requests of the 2025 protocols without a session: JSON, event streams, notifications and errors."""

from __future__ import annotations

import json
from typing import Any

import anyio
import httpx2
import mcp_types as types
import pytest
from mcp import MCPError
from mcp.server import Server, ServerRequestContext
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from core13_mcp.transports.http.exchange import Exchange
from core13_mcp.transports.http.sessions import new_connection
from core13_mcp.transports.jsonrpc import parse_message

from ...asgi import listening

pytestmark = pytest.mark.anyio

DONE = types.CallToolResult(content=[types.TextContent(type="text", text="done")])


async def call_tool(context: ServerRequestContext[Any], params: types.CallToolRequestParams) -> types.CallToolResult:
    """Do what the name of the tool says."""
    match params.name:
        case "report":
            await context.session.report_progress(1, message="half")
            await context.session.report_progress(2, 2)
        case "ask":
            await context.session.elicit_form("Really?", {"type": "object", "properties": {}}, context.request_id)
        case "wait":
            await anyio.sleep(0.2)
        case "reject":
            raise MCPError(-32000, "rejected")
        case "fail":
            raise RuntimeError("a secret")
    return DONE


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    request = Request(scope, receive)
    message = parse_message(await request.body())
    assert isinstance(message, types.JSONRPCRequest)
    exchange = Exchange(message, request, send, new_connection("2025-11-25"))
    await exchange.run(Server("test", version="1", on_call_tool=call_tool), receive)


async def call(name: str, **meta: Any) -> httpx2.Response:
    params = {"name": name, "arguments": {}, **({"_meta": meta} if meta else {})}
    body = {"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": params}
    async with listening(app) as origin, httpx2.AsyncClient() as http:
        return await http.post(origin, json=body, headers={"MCP-Protocol-Version": "2025-11-25"})


def events(response: httpx2.Response) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]


@pytest.mark.parametrize("name", ["do", "report"])
async def test_without_a_progress_token_the_response_is_json(name: str) -> None:
    response = await call(name)
    assert response.headers["Content-Type"] == "application/json"
    assert response.json()["id"] == "a"
    assert response.json()["result"]["content"] == [{"type": "text", "text": "done"}]


async def test_with_a_progress_token_the_notifications_and_the_response_are_an_event_stream() -> None:
    response = await call("report", progressToken=7)
    assert response.headers["Content-Type"] == "text/event-stream"
    first, second, result = events(response)
    assert first["params"] == {"progressToken": 7, "progress": 1, "message": "half"}
    assert second["params"] == {"progressToken": 7, "progress": 2, "total": 2}
    assert result["result"]["content"] == [{"type": "text", "text": "done"}]


async def test_a_long_request_keeps_its_connection_open_with_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core13_mcp.transports.http.exchange.PING_INTERVAL", 0.05)
    response = await call("wait")
    assert response.text.startswith(": ping")
    assert len(events(response)) == 1


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [("reject", -32000, "rejected"), ("ask", -32600, "elicitation/create"), ("fail", -32603, "Internal error")],
)
async def test_an_error_is_in_the_response_and_names_no_internals(name: str, code: int, text: str) -> None:
    response = await call(name)
    assert response.status_code == 200
    assert response.json()["error"]["code"] == code
    assert text in response.json()["error"]["message"]
    assert "secret" not in response.text
