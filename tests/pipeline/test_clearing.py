"""Null means that an argument is absent; the argument `clear` clears a field."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mcp import Client

from core13_mcp.compose.engine import context_provider
from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.model import Declaration
from core13_mcp.errors import DeclarationError, InvalidArguments
from core13_mcp.pipeline.call import plan
from core13_mcp.settings import Settings

from ..clients import connected, result_text
from ..factories import declaration_json
from ..fake_api import FakeAPI, call_context, reply

pytestmark = pytest.mark.anyio

CATALOG = load()
SUBSCRIPTION = CATALOG["subscriptions-partial-update"]
USER = CATALOG["users-partial-update"]
ONE = {"project_id": 1, "id": 1}


async def value_of(client: Client, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    result = await client.call_tool(name, arguments)
    assert not result.is_error, result_text(result)
    value: dict[str, Any] = result.structured_content or {}
    return value


def refusal(tool: Declaration, arguments: dict[str, Any]) -> str:
    with pytest.raises(InvalidArguments) as error:
        plan(tool, arguments)
    return str(error.value)


@pytest.mark.parametrize(
    ("arguments", "cleared"),
    [
        ({"clear": ["byweekday"], "frequency": "daily"}, {"byweekday": None}),
        ({"clear": ["title", "until_date", "count"]}, {"title": None, "until_date": None, "count": None}),
        ({"clear": ["integration_id", "integration_id", "bysetpos"]}, {"integration_id": None, "bysetpos": None}),
        ({"clear": '["title"]', "count": 3}, {"title": None}),
        ({"byweekday": []}, {"byweekday": []}),
    ],
)
def test_a_field_that_is_cleared_is_sent_as_null(arguments: dict[str, Any], cleared: dict[str, Any]) -> None:
    others = {name: value for name, value in arguments.items() if name not in ("clear", "byweekday")}
    assert plan(SUBSCRIPTION, ONE | arguments).body == others | cleared


@pytest.mark.parametrize("field", USER.clearable)
def test_every_nullable_setting_of_a_user_can_be_cleared(field: str) -> None:
    assert plan(USER, {"clear": [field]}).body == {field: None}
    assert f'{field}: null was ignored; to clear it, pass clear=["{field}"].' in refusal(USER, {field: None})


async def test_clearing_weekdays_changes_the_stored_schedule() -> None:
    settings = Settings(sandbox=True, confirm="never")
    async with context_provider(settings) as context, connected(context()) as client:
        change = {**ONE, "frequency": "daily", "clear": ["byweekday", "bysetpos"]}
        result = await value_of(client, SUBSCRIPTION.name, change)
        stored = await value_of(client, "subscriptions-retrieve", ONE)
    assert "note" not in result
    assert stored["frequency"] == "daily" and "byweekday" not in stored


async def test_a_result_says_how_to_clear_a_field_that_was_null() -> None:
    api = FakeAPI(reply(200, {"id": 1, "title": "Old"}))
    async with connected(call_context(api)) as client:
        sent = {**ONE, "count": 3, "title": None, "until_date": None, "insight": None}
        one = await value_of(client, SUBSCRIPTION.name, sent | {"until_date": "2031-01-01T00:00:00Z"})
        two = await value_of(client, SUBSCRIPTION.name, sent)
    assert one["note"] == 'title: null was ignored; to clear it, pass clear=["title"].'
    pair = 'until_date, title: null were ignored; to clear them, pass clear=["until_date", "title"].'
    assert two["note"] == pair
    assert json.loads(api.requests[-1].content) == {"count": 3}


async def test_a_null_says_how_to_clear_the_field_if_nothing_else_was_sent() -> None:
    api = FakeAPI(reply(200, {"id": 1}))
    async with connected(call_context(api)) as client:
        result = await client.call_tool(SUBSCRIPTION.name, {**ONE, "title": None})
    assert result.is_error and not api.requests
    first, second, *_ = result_text(result).splitlines()
    assert first.endswith('nothing was sent. title: null was ignored; to clear it, pass clear=["title"].')
    assert second == "Name at least one field to change, or to remove with clear."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"title": "x", "clear": ["title", "count"]}, "title: the call sets this field and clears it."),
        ({"clear": []}, "Name at least one field to change, or to remove with clear."),
        ({"clear": ["frequency"]}, 'clear[0]: "frequency" is not one of byweekday, bysetpos,'),
        ({"clear": "title"}, 'clear: "title" is not of type "array".'),
        ({"clear": ["byweekday"], "bysetpos": 1}, "bysetpos needs byweekday"),
        ({"byweekday": [], "bysetpos": 1}, "bysetpos needs byweekday"),
        (
            {"clear": ["integration_id"], "target_type": "slack", "target_value": "C1"},
            "integration_id cannot be cleared",
        ),
    ],
)
def test_a_contradiction_is_refused(arguments: dict[str, Any], message: str) -> None:
    assert message in refusal(SUBSCRIPTION, ONE | arguments)


def test_a_null_of_a_field_that_the_call_clears_needs_no_note() -> None:
    assert plan(SUBSCRIPTION, ONE | {"title": None, "clear": ["title"]}).body == {"title": None}
    assert "null" not in refusal(SUBSCRIPTION, {"title": None, "clear": ["title"]})


@pytest.mark.parametrize("items", [{"type": "string"}, {"type": "string", "enum": ["id", "colour"]}])
def test_a_declaration_can_clear_declared_arguments_only(tmp_path: Any, items: dict[str, Any]) -> None:
    properties = {"id": {"type": "integer"}, "reset": {"type": "array", "items": items}}
    content = declaration_json("PATCH", properties=properties, clear="reset")
    (tmp_path / "things-do.json").write_text(json.dumps(content))
    with pytest.raises(DeclarationError, match="reset must be a list of names from an enum"):
        load(str(tmp_path))
