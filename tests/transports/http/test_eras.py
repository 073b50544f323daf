"""One app serves the clients of both eras, and any replica takes up what another began."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import MCPError
from pydantic import SecretStr

from core13_mcp import sandbox
from core13_mcp.settings import Settings

from .http_server import ERAS, client, post, serving

pytestmark = pytest.mark.anyio

ASKING: dict[str, Any] = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}}


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_lists_and_calls_the_tools(url: str, era: str) -> None:
    with anyio.fail_after(20):
        async with client(url, era) as mcp:
            listed = await mcp.list_tools()
            result = await mcp.call_tool("users-retrieve", {})
    assert len(listed.tools) == 18
    assert not result.is_error
    assert result.structured_content is not None
    assert result.structured_content["email"] == "ada@analytical.example"


@pytest.mark.parametrize("era", ERAS)
async def test_a_failed_call_is_told_in_words(url: str, era: str) -> None:
    with anyio.fail_after(20):
        async with client(url, era) as mcp:
            result = await mcp.call_tool("subscriptions-retrieve", {"id": 999999})
    assert result.is_error
    assert "404" in result.content[0].text  # type: ignore[union-attr]


@pytest.mark.parametrize("era", ERAS)
async def test_an_unknown_tool_is_a_protocol_error(url: str, era: str) -> None:
    with anyio.fail_after(20):
        async with client(url, era) as mcp:
            with pytest.raises(MCPError, match="Unknown tool"):
                await mcp.call_tool("users-retreive", {})


async def test_a_person_is_asked_in_two_rounds_and_the_call_goes_through(url: str) -> None:
    with anyio.fail_after(20):
        async with client(url, answer="accept") as mcp:
            made = await mcp.call_tool("subscriptions-create", _subscription())
    assert not made.is_error, made.content


async def test_a_person_who_declines_stops_the_call(url: str) -> None:
    with anyio.fail_after(20):
        async with client(url, answer="decline") as mcp:
            before = await mcp.call_tool("subscriptions-list", {"project_id": "1"})
            made = await mcp.call_tool("subscriptions-create", _subscription())
            after = await mcp.call_tool("subscriptions-list", {"project_id": "1"})
    assert made.is_error
    assert before.structured_content == after.structured_content


@pytest.mark.parametrize(("policy", "goes_through"), [("auto", True), ("always", False)])
async def test_a_2025_client_cannot_be_asked_without_a_session_whatever_it_can_show(
    policy: str, goes_through: bool
) -> None:
    async def said(url: str, name: str, **arguments: Any) -> str | None:
        async with client(url, "legacy", answer="accept") as mcp:
            result = await mcp.call_tool(name, arguments)
        return ((result.meta or {}).get("core13-mcp/error") or {}).get("code")

    settings = Settings(sandbox=True, confirm=policy, log_level="error")  # type: ignore[arg-type]  # a test says which
    with anyio.fail_after(20):
        async with serving(settings) as served:
            asks = await said(served.url, "subscriptions-create", **_subscription())
            requires = await said(served.url, "users-destroy")
    assert asks == (None if goes_through else "confirmation_required")
    assert requires == "confirmation_required"


async def test_another_replica_with_the_same_keys_takes_up_a_confirmation(tmp_path: Path) -> None:
    keys = ("k" * 32,)
    with anyio.fail_after(20):
        result = await _across(tmp_path, keys, keys)
    assert result["result"]["structuredContent"]["id"]


async def test_a_replica_that_has_the_new_key_first_still_opens_what_the_old_one_sealed(tmp_path: Path) -> None:
    with anyio.fail_after(20):
        result = await _across(tmp_path, ("k" * 32,), ("n" * 32, "k" * 32))
    assert result["result"]["structuredContent"]["id"]


async def test_a_replica_with_other_keys_refuses_a_confirmation(tmp_path: Path) -> None:
    with anyio.fail_after(20):
        result = await _across(tmp_path, ("k" * 32,), ("n" * 32,))
    assert result["error"]["message"] == "Invalid or expired requestState"


async def test_another_caller_cannot_take_up_a_confirmation() -> None:
    call = {"name": "subscriptions-create", "arguments": _subscription()}
    answer = {"inputResponses": {"confirm": {"action": "accept", "content": {}}}}
    ada, hedy = ({"X-PostHog-Api-Key": key} for key in (sandbox.FULL_KEY, sandbox.STAFF_KEY))
    with anyio.fail_after(20):
        async with serving(Settings(sandbox=True, auth="own-key", log_level="error")) as served:
            asked = (await post(served.url, "tools/call", sent=ada, **_asking(call))).json()["result"]
            state = {"requestState": asked["requestState"], **answer}
            stolen = await post(served.url, "tools/call", sent=hedy, **_asking(call), **state)
            used = await post(served.url, "tools/call", sent=ada, **_asking(call), **state)
            again = await post(served.url, "tools/call", sent=ada, **_asking(call), **state)
    assert stolen.json()["error"]["message"] == "Invalid or expired requestState"
    assert used.json()["result"]["structuredContent"]["id"]
    assert again.json()["result"]["resultType"] == "input_required"


async def _across(folder: Path, first: tuple[str, ...], second: tuple[str, ...]) -> Any:
    """The question from one replica, the answer to another in front of the same sandbox."""

    def settings(keys: tuple[str, ...]) -> Settings:
        sealing = tuple(map(SecretStr, keys))
        return Settings(sandbox=True, sandbox_db=str(folder / "sandbox.db"), seal_keys=sealing, log_level="error")

    call: dict[str, Any] = {"name": "subscriptions-create", "arguments": _subscription()}
    async with serving(settings(first)) as one, serving(settings(second)) as two:
        asked = (await post(one.url, "tools/call", **_asking(call))).json()["result"]
        assert asked["resultType"] == "input_required"
        answer = {
            "requestState": asked["requestState"],
            "inputResponses": {"confirm": {"action": "accept", "content": {}}},
        }
        return (await post(two.url, "tools/call", **_asking(call), **answer)).json()


def _asking(call: dict[str, Any]) -> dict[str, Any]:
    """The same call from a client that can ask a person."""
    return {
        **call,
        "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28", **ASKING},
    }


def _subscription() -> dict[str, Any]:
    return {
        "project_id": "1",
        "title": "Weekly",
        "insight": 1,
        "target_type": "email",
        "target_value": "ada@analytical.example",
        "frequency": "weekly",
        "interval": 1,
        "start_date": "2026-12-01T09:00:00Z",
    }
