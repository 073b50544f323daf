"""Every shipped tool with a confirmation sends nothing before a form or a code confirms the call."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from core13_mcp.api.credentials import Credentials
from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.model import Declaration
from core13_mcp.keys import SecretStr
from core13_mcp.pipeline.question import find_confirmation

from ..clients import CLIENT_MODES, accept, connected, result_meta, result_text
from ..fake_api import KEY, FakeAPI, call_context, reply

pytestmark = pytest.mark.anyio

EXAMPLES: dict[str, dict[str, Any]] = json.loads((Path(__file__).parents[2] / "docs/examples.json").read_text("utf-8"))
# The examples of these tools need no confirmation.
MORE: dict[str, dict[str, Any]] = {
    "subscriptions-partial-update": {"id": 1, "project_id": 1, "target_value": "ada@analytical.example"},
    "users-partial-update": {"email": "new@analytical.example"},
}
SUBSCRIPTION = {"id": 1, "title": "Weekly", "target_type": "email", "target_value": "a@b.example", "enabled": True}
CONFIRMED = [tool for tool in load().values() if tool.confirm]
by_name: Any = {"ids": lambda tool: tool.name}


def arguments_of(tool: Declaration) -> dict[str, Any]:
    """Return arguments that need a confirmation."""
    arguments = {**EXAMPLES[tool.name], **MORE.get(tool.name, {})}
    arguments.pop("enabled", None)
    assert find_confirmation(tool, arguments), tool.name
    return arguments


def writes(api: FakeAPI) -> list[str]:
    """Target and body of all requests that are not reads."""
    return [f"{request.url} {request.content!r}" for request in api.requests if request.method != "GET"]


def connect(api: FakeAPI, tool: Declaration, mode: str, **options: Any) -> Any:
    credentials = Credentials(SecretStr(KEY), SecretStr("session"), SecretStr("token"))
    return connected(call_context(api, credentials=credentials), tool, mode=mode, **options)


async def call(client: Client, tool: Declaration, **more: Any) -> Any:
    return await client.call_tool(tool.name, {**arguments_of(tool), **more})


@pytest.mark.parametrize("mode", CLIENT_MODES)
@pytest.mark.parametrize("tool", CONFIRMED, **by_name)
async def test_a_client_without_forms_confirms_with_a_code_or_not_at_all(tool: Declaration, mode: str) -> None:
    api = FakeAPI(reply(200, SUBSCRIPTION))
    async with connect(api, tool, mode) as client:
        refused = await call(client, tool)
        codes = re.findall(r"confirmation=(\S+)\.", result_text(refused))
        assert result_meta(refused)["code"] == "confirmation_required" and writes(api) == []
        assert bool(codes) == tool.accepts_codes == ("confirmation" in tool.arguments)
        for code in codes:
            await call(client, tool, confirmation=code)
            assert len(writes(api)) == 1 and code not in writes(api)[0] and "confirmation" not in writes(api)[0]
            again = await call(client, tool, confirmation=code)
            assert result_meta(again)["code"] == "confirmation_used" and len(writes(api)) == 1


@pytest.mark.parametrize("mode", CLIENT_MODES)
@pytest.mark.parametrize("tool", CONFIRMED, **by_name)
async def test_a_form_confirms_the_call_once(tool: Declaration, mode: str) -> None:
    api = FakeAPI(reply(200, SUBSCRIPTION))
    async with connect(api, tool, mode, elicitation_callback=accept) as client:
        await call(client, tool)
    assert len(writes(api)) == 1


@pytest.mark.parametrize("tool", [tool for tool in load().values() if not tool.accepts_codes], **by_name)
def test_a_tool_that_no_code_can_confirm_has_no_argument_for_it(tool: Declaration) -> None:
    assert "confirmation" not in tool.arguments
