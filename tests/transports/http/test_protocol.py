"""Clients of all protocol versions, and confirmations across replicas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import MCPError

from core13_mcp import sandbox
from core13_mcp.keys import SecretStr
from core13_mcp.settings import Settings

from ...clients import CLIENT_MODES
from .http_server import client, post, serving

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
ACCEPTED = {"confirm": {"action": "accept", "content": {}}}
KEY, NEW_KEY = "k" * 32, "n" * 32


@pytest.mark.smoke
@pytest.mark.parametrize("mode", CLIENT_MODES)
async def test_a_client_lists_and_calls_tools(url: str, mode: str) -> None:
    with anyio.fail_after(20):
        async with client(url, mode) as mcp:
            tools = (await mcp.list_tools()).tools
            result = await mcp.call_tool("users-retrieve", {})
    assert len(tools) == 18
    assert not result.is_error
    assert result.structured_content is not None
    assert result.structured_content["email"] == "ada@analytical.example"


@pytest.mark.parametrize("mode", CLIENT_MODES)
async def test_a_failed_call_returns_the_error_as_text(url: str, mode: str) -> None:
    with anyio.fail_after(20):
        async with client(url, mode) as mcp:
            result = await mcp.call_tool("subscriptions-retrieve", {"id": 999999})
    assert result.is_error
    assert "404" in result.content[0].text  # type: ignore[union-attr]


@pytest.mark.parametrize("mode", CLIENT_MODES)
async def test_an_unknown_tool_is_a_protocol_error(url: str, mode: str) -> None:
    with anyio.fail_after(20):
        async with client(url, mode) as mcp:
            with pytest.raises(MCPError, match="Unknown tool"):
                await mcp.call_tool("users-retreive", {})


@pytest.mark.smoke
async def test_an_accepted_confirmation_runs_the_call(url: str) -> None:
    with anyio.fail_after(20):
        async with client(url, answer="accept") as mcp:
            created = await mcp.call_tool("subscriptions-create", SUBSCRIPTION)
    assert not created.is_error, created.content


async def test_a_declined_confirmation_changes_nothing(url: str) -> None:
    with anyio.fail_after(20):
        async with client(url, answer="decline") as mcp:
            before = await mcp.call_tool("subscriptions-list", {"project_id": "1"})
            created = await mcp.call_tool("subscriptions-create", SUBSCRIPTION)
            after = await mcp.call_tool("subscriptions-list", {"project_id": "1"})
    assert created.is_error
    assert before.structured_content == after.structured_content


@pytest.mark.parametrize(("policy", "create_error"), [("auto", None), ("always", "confirmation_required")])
async def test_a_2025_client_cannot_confirm_without_a_session(policy: str, create_error: str | None) -> None:
    async def error_code(url: str, name: str, **arguments: Any) -> str | None:
        async with client(url, "legacy", answer="accept") as mcp:
            result = await mcp.call_tool(name, arguments)
        return ((result.meta or {}).get("core13-mcp/error") or {}).get("code")

    settings = Settings(sandbox=True, confirm=policy, log_level="error")  # type: ignore[arg-type]  # one of the literals
    with anyio.fail_after(20):
        async with serving(settings) as server:
            create = await error_code(server.url, "subscriptions-create", **SUBSCRIPTION)
            destroy = await error_code(server.url, "users-destroy")
    assert (create, destroy) == (create_error, "confirmation_required")


@pytest.mark.parametrize("second", [(KEY,), (NEW_KEY, KEY)], ids=["same-keys", "rotated-keys"])
async def test_a_replica_with_the_same_key_accepts_a_confirmation(tmp_path: Path, second: tuple[str, ...]) -> None:
    with anyio.fail_after(20):
        response = await confirm_across_replicas(tmp_path, (KEY,), second)
    assert response["result"]["structuredContent"]["id"]


async def test_a_replica_with_other_keys_rejects_a_confirmation(tmp_path: Path) -> None:
    with anyio.fail_after(20):
        response = await confirm_across_replicas(tmp_path, (KEY,), (NEW_KEY,))
    assert response["error"]["message"] == "Invalid or expired requestState"


async def test_a_confirmation_is_valid_once_and_for_its_own_caller_only() -> None:
    ada, hedy = ({"X-PostHog-Api-Key": key} for key in (sandbox.FULL_KEY, sandbox.STAFF_KEY))
    with anyio.fail_after(20):
        async with serving(Settings(sandbox=True, auth="own-key", log_level="error")) as server:
            asked = (await post(server.url, "tools/call", sent=ada, **CALL)).json()["result"]
            state = {"requestState": asked["requestState"], "inputResponses": ACCEPTED}
            other_caller, first, second = [
                (await post(server.url, "tools/call", sent=key, **CALL, **state)).json() for key in (hedy, ada, ada)
            ]
    assert other_caller["error"]["message"] == "Invalid or expired requestState"
    assert first["result"]["structuredContent"]["id"]
    assert second["result"]["resultType"] == "input_required"


async def confirm_across_replicas(folder: Path, first: tuple[str, ...], second: tuple[str, ...]) -> Any:
    """Get the question from one replica and send the answer to another one."""

    def settings(keys: tuple[str, ...]) -> Settings:
        seal_keys = tuple(map(SecretStr, keys))
        return Settings(sandbox=True, sandbox_db=str(folder / "sandbox.db"), seal_keys=seal_keys, log_level="error")

    async with serving(settings(first)) as one, serving(settings(second)) as two:
        asked = (await post(one.url, "tools/call", **CALL)).json()["result"]
        assert asked["resultType"] == "input_required"
        answer = {"requestState": asked["requestState"], "inputResponses": ACCEPTED}
        return (await post(two.url, "tools/call", **CALL, **answer)).json()
