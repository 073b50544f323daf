"""Every tool once, over stdio, with valid arguments, against the sandbox."""

from __future__ import annotations

from typing import Any

import anyio
import jsonschema
import pytest
from mcp import Client

from core13_mcp import sandbox
from core13_mcp.declarations.catalog import load

from ..clients import accept, result_text
from ..declarations.test_declarations import PAGE
from ..processes import stdio_parameters

pytestmark = pytest.mark.anyio

CATALOG = load()
RECORDING = {"recording_id": "0190a1b2-checkout-bug", "project_id": 1}
WEEKLY = {"frequency": "weekly", "byweekday": ["monday"], "start_date": "2026-01-05T09:00:00Z"}

CALLS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("users-retrieve", {}, {"email": "ada@analytical.example"}),
    ("users-list", {"limit": 5}, {"count": 1}),
    ("users-github-login-retrieve", {}, {"github_login": "ada-lovelace"}),
    ("users-hedgehog-config-retrieve", {}, {"color": "purple"}),
    ("users-hedgehog-config-partial-update", {"hedgehog_config": {"color": "red"}}, {"color": "red"}),
    ("users-partial-update", {"theme_mode": "dark"}, {"theme_mode": "dark"}),
    ("users-credentials-review-complete-create", {}, {}),
    ("subscriptions-summary-quota-retrieve", {"project_id": 1}, {"active_count": 1}),
    ("subscriptions-list", {"search": "growth", "detail": "full"}, {}),
    ("subscriptions-create", {"project_id": 1, "insight": 1, "target_type": "email", "target_value": "a@b.example", **WEEKLY},
     {"id": 9, "enabled": True}),
    ("subscriptions-retrieve", {"id": 9, "project_id": 1}, {"target_value": "a@b.example", "frequency": "weekly"}),
    ("subscriptions-partial-update", {"id": 9, "project_id": 1, "title": "Weekly"}, {"title": "Weekly"}),
    ("subscriptions-test-delivery-create", {"id": 1, "project_id": 1}, {}),
    ("subscriptions-destroy", {"id": 9, "project_id": 1}, {"deleted": True}),
    ("session-recordings-sharing-passwords-create", {**RECORDING, "note": "for support"}, {"note": "for support"}),
    ("session-recordings-sharing-refresh-create", RECORDING, {"enabled": True}),
    ("session-recordings-sharing-passwords-destroy", {**RECORDING, "password_id": 4}, {}),  # the second one, created by the refresh
]  # fmt: skip


async def call_tool(client: Client, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the result of one call, which matches the output schema of the tool."""
    result = await client.call_tool(name, arguments)
    assert not result.is_error, result_text(result)
    jsonschema.validate(result.structured_content, CATALOG[name].output_schema)
    value: dict[str, Any] = result.structured_content or {}
    return value


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_every_tool_succeeds_over_stdio(mode: str) -> None:
    with anyio.fail_after(60):
        async with Client(stdio_parameters("--sandbox"), mode=mode, elicitation_callback=accept) as ada:
            assert {tool.name for tool in (await ada.list_tools()).tools} == CATALOG.keys()
            for name, arguments, expected in CALLS:
                value = await call_tool(ada, name, arguments)
                assert value.items() >= expected.items(), name
        env = {
            "POSTHOG_PERSONAL_API_KEY": sandbox.NO_ORGANIZATION_KEY,
            "POSTHOG_SESSION_ID": sandbox.NO_ORGANIZATION_SESSION_ID,
        }
        env["POSTHOG_CSRF_TOKEN"] = sandbox.CSRF_TOKEN
        async with Client(stdio_parameters("--sandbox", env=env), mode=mode, elicitation_callback=accept) as noor:
            assert "deleted for good" in (await call_tool(noor, "users-destroy", {}))["done"]


def test_the_calls_use_every_tool_of_the_page() -> None:
    assert {name for name, _, _ in CALLS} | {"users-destroy"} == PAGE.keys()
