"""Clients of all protocol versions, and confirmations across replicas."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from mcp import MCPError

from core13_mcp import sandbox
from core13_mcp.declarations.catalog import load
from core13_mcp.keys import SecretStr
from core13_mcp.settings import Settings

from ...clients import CLIENT_MODES, result_meta, result_text
from .http_server import MODERN, client, post, serving

pytestmark = pytest.mark.anyio

SUBSCRIPTION = {
    "project_id": "1",
    "title": "Weekly",
    "insight": 1,
    "target_type": "email",
    "target_value": "ada@analytical.example",
    "frequency": "weekly",
    "interval": 1,
    "start_date": "2026-12-01T09:00:00Z",
}

# The call from a client that supports elicitation.
CALL: dict[str, Any] = {
    "name": "subscriptions-create",
    "arguments": SUBSCRIPTION,
    "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
    },
}
ACCEPTED = {"confirm": {"action": "accept", "content": {"confirm": True}}}
KEY, NEW_KEY = "k" * 32, "n" * 32


@pytest.mark.smoke
@pytest.mark.parametrize("mode", CLIENT_MODES)
async def test_a_client_lists_and_calls_tools_and_gets_errors(url: str, mode: str) -> None:
    async with client(url, mode) as mcp:
        tools = (await mcp.list_tools()).tools
        result = await mcp.call_tool("users-retrieve", {})
        failure = await mcp.call_tool("subscriptions-retrieve", {"id": 999999})
        with pytest.raises(MCPError, match="Unknown tool"):
            await mcp.call_tool("users-retreive", {})
    assert len(tools) == len(load())
    assert not result.is_error
    assert result.structured_content is not None
    assert result.structured_content["email"] == "ada@analytical.example"
    assert failure.is_error
    assert "404" in failure.content[0].text  # type: ignore[union-attr]


@pytest.mark.parametrize("version", [MODERN, "2025-11-25"])
@pytest.mark.parametrize("method", ["tools/list", "prompts/list"])
async def test_a_list_is_the_same_for_every_request_and_each_request_is_checked(
    url: str, method: str, version: str
) -> None:
    async def request(**params: Any) -> Any:
        return (await post(url, method, sent={"MCP-Protocol-Version": version}, **params)).json()

    first, second = await request(), await request()
    invalid, unknown = await request(cursor=5), await request(cursor="page-2")
    assert first == second
    assert first["result"]
    assert "cursor" in invalid["error"]["message"]
    assert "this cursor is unknown" in unknown["error"]["message"]


@pytest.mark.smoke
async def test_an_accepted_confirmation_runs_the_call(url: str) -> None:
    async with client(url, answer="accept") as mcp:
        created = await mcp.call_tool("subscriptions-create", SUBSCRIPTION)
    assert not created.is_error, created.content


@pytest.mark.parametrize(("name", "arguments"), [("subscriptions-create", SUBSCRIPTION), ("users-destroy", {})])
async def test_a_2025_client_gets_no_form_without_a_session_and_the_error_names_the_reason(
    settings: Settings, name: str, arguments: dict[str, Any]
) -> None:
    async with (
        serving(settings._replace(http_sessions=False)) as server,
        client(server.url, "legacy", answer="accept") as mcp,
    ):
        result = await mcp.call_tool(name, arguments)
    assert result_meta(result)["code"] == "confirmation_required"
    assert "this request over HTTP has no session" in result_text(result)
    assert "in a session (CORE13_HTTP_SESSIONS)" in result_text(result)
    assert ("confirmation=" in result_text(result)) is (name == "subscriptions-create")


@pytest.mark.parametrize("in_file", [False, True])
@pytest.mark.parametrize(("keys", "accepted"), [((KEY,), True), ((NEW_KEY, KEY), True), ((NEW_KEY,), False)])
async def test_a_replica_accepts_a_confirmation_if_it_has_the_key(
    tmp_path: Path, keys: tuple[str, ...], accepted: bool, in_file: bool
) -> None:
    def settings(keys: tuple[str, ...]) -> Settings:
        common = Settings(sandbox=True, sandbox_db=str(tmp_path / "sandbox.db"), log_level="error")
        if not in_file:
            return common._replace(seal_keys=tuple(map(SecretStr, keys)))
        file = tmp_path / keys[0]
        file.write_text("\n".join(keys) + "\n")
        return common._replace(seal_keys_file=str(file))

    async with serving(settings((KEY,))) as one, serving(settings(keys)) as two:
        asked = (await post(one.url, "tools/call", **CALL)).json()["result"]
        assert asked["resultType"] == "input_required"
        answer = {"requestState": asked["requestState"], "inputResponses": ACCEPTED}
        response = (await post(two.url, "tools/call", **CALL, **answer)).json()
    if accepted:
        assert response["result"]["structuredContent"]["id"]
    else:
        assert response["error"]["message"] == "Invalid or expired requestState"


async def test_a_code_of_one_replica_confirms_the_call_of_the_same_caller_on_another_one(tmp_path: Path) -> None:
    def settings() -> Settings:
        return Settings(
            sandbox=True,
            sandbox_db=str(tmp_path / "sandbox.db"),
            seal_keys=(SecretStr(KEY),),
            auth="own-key",
            log_level="error",
        )

    async def create(url: str, key: str, **more: Any) -> dict[str, Any]:
        arguments = {"name": "subscriptions-create", "arguments": {**SUBSCRIPTION, **more}}
        response = await post(url, "tools/call", sent={"X-PostHog-Api-Key": key}, **arguments)
        result: dict[str, Any] = response.json()["result"]
        return result

    async with serving(settings()) as one, serving(settings()) as two:
        refused = await create(one.url, sandbox.FULL_KEY)
        [code] = re.findall(r"confirmation=(\S+)\.", refused["content"][0]["text"])
        other = await create(two.url, sandbox.STAFF_KEY, confirmation=code)
        created = await create(two.url, sandbox.FULL_KEY, confirmation=code)
    assert other["_meta"]["core13-mcp/error"]["code"] == "confirmation_invalid"
    assert created["structuredContent"]["id"]


async def test_a_confirmation_is_valid_once_and_for_its_own_caller_only() -> None:
    ada, hedy = ({"X-PostHog-Api-Key": key} for key in (sandbox.FULL_KEY, sandbox.STAFF_KEY))
    async with serving(Settings(sandbox=True, auth="own-key", log_level="error")) as server:
        asked = (await post(server.url, "tools/call", sent=ada, **CALL)).json()["result"]
        state = {"requestState": asked["requestState"], "inputResponses": ACCEPTED}
        other_caller, first, second = [
            (await post(server.url, "tools/call", sent=key, **CALL, **state)).json() for key in (hedy, ada, ada)
        ]
    assert other_caller["error"]["message"] == "Invalid or expired requestState"
    assert first["result"]["structuredContent"]["id"]
    assert second["result"]["resultType"] == "input_required"
