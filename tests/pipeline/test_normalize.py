from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from mcp import Client

from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.model import Declaration
from core13_mcp.pipeline.normalize import normalize

from ..factories import make_tool

json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | some.text(),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


NUMBERS = {"type": "array", "items": {"type": "integer"}}
NESTED = {"type": "object", "properties": {"ids": NUMBERS, "any": True}}


def normalized(schema: Any, value: Any) -> Any:
    """The value of one argument with this schema after normalization."""
    return normalize(make_tool(properties={"x": schema}), {"x": value})["x"]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("array", "[1,2]", [1, 2]),
        ("object", '{"color":"red"}', {"color": "red"}),
        ("integer", "7", 7),
        ("integer", " 7 ", 7),
        ("integer", "7.0", 7),
        ("number", "1.5", 1.5),
        ("boolean", "true", True),
        ("boolean", "True", True),
        ("boolean", "False", False),
    ],
)
def test_json_text_is_parsed_if_the_type_is_not_string(kind: Any, text: str, value: Any) -> None:
    result = normalized({"type": kind}, text)
    assert (result, type(result)) == (value, type(value))


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"type": "integer"}, 2.0, 2),
        (NUMBERS, [1.0, 2], [1, 2]),
        (NUMBERS, ["1", "2.0"], [1, 2]),
        (NUMBERS, '["1","2"]', [1, 2]),
        ({"type": "array", "items": NUMBERS}, [["1"], "[2.0]"], [[1], [2]]),
        ({"type": "array", "items": {"type": "boolean"}}, ["True", False], [True, False]),
        (NESTED, {"ids": "[1.0]", "any": 1.0, "other": "2"}, {"ids": [1], "any": 1.0, "other": "2"}),
    ],
)
def test_whole_numbers_become_integers_at_any_depth_that_the_schema_describes(
    schema: Any, value: Any, expected: Any
) -> None:
    assert repr(normalized(schema, value)) == repr(expected)


@pytest.mark.parametrize(("value", "expected"), [(1, "1"), (2.0, "2"), (2.5, 2.5), (True, True), (2**53, 2**53)])
def test_a_number_becomes_text_if_its_text_must_match_a_pattern(value: Any, expected: Any) -> None:
    assert repr(normalized({"type": "string", "pattern": "^[0-9]+$"}, value)) == repr(expected)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", "[1,2]"),
        ("string", "True"),
        ("string", 7),
        (["string", "null"], "null"),
        ("array", '{"a":1}'),
        ("array", "1,2"),
        ("integer", "true"),
        ("integer", "1.5"),
        ("integer", 1.5),
        ("integer", float("inf")),
        ("integer", ""),
        ("number", 2.0),
        ("boolean", "1"),
        ("boolean", "TRUE"),
        ("boolean", "yes"),
        ("number", "true"),
        ("object", "[" * 300_000),
        ("object", {"a": 1.0, "b": None}),
        ("integer", "9" * 5_000),
        ("array", "[" * 70 + "]" * 70),
        ("array", [1.0, "2", None]),
        ("object", '{"a": NaN}'),
        ("number", "1e999"),
        ("array", 7),
        ("integer", [7]),
    ],
)
def test_any_other_value_is_not_changed(kind: Any, value: Any) -> None:
    assert repr(normalized({"type": kind}, value)) == repr(value)


@pytest.mark.parametrize(
    "schema", [{"type": "string"}, {"type": ["integer", "null"]}, {"type": "null"}, {"enum": ["a", None]}, {}, True]
)
def test_null_means_that_an_argument_is_absent(schema: Any) -> None:
    assert normalize(make_tool(properties={"x": schema}), {"x": None}) == {}


def test_arguments_without_a_type_are_not_changed() -> None:
    arguments = {"x": "[1]", "y": "[1]", "unknown": None, "other": "[1]"}
    assert normalize(make_tool(properties={"x": {}, "y": True}), arguments) == arguments


def test_an_argument_that_a_client_adds_to_every_tool_is_dropped_unless_the_tool_declares_it() -> None:
    assert normalize(make_tool(properties={}), {"wait_for_previous": True}) == {}
    declared = make_tool(properties={"wait_for_previous": {"type": "boolean"}})
    assert normalize(declared, {"wait_for_previous": "true"}) == {"wait_for_previous": True}


def test_a_declared_default_is_added_unless_the_argument_is_present() -> None:
    tool = make_tool(properties={"limit": {"type": "integer", "default": 20}})
    assert normalize(tool, {"id": 1}) == {"limit": 20, "id": 1}
    assert normalize(tool, {"id": 1, "limit": "5"}) == {"limit": 5, "id": 1}
    assert normalize(tool, {"limit": None}) == {"limit": 20}


@given(json_values)
def test_any_list_or_object_can_be_sent_as_json_text(value: Any) -> None:
    if isinstance(value, (list, dict)):
        kind = "array" if isinstance(value, list) else "object"
        assert repr(normalized({"type": kind}, json.dumps(value))) == repr(json.loads(json.dumps(value)))


@given(some.sampled_from(list(load().values())), some.dictionaries(some.text(max_size=20), json_values, max_size=4))
def test_normalization_of_any_arguments_is_idempotent(tool: Declaration, arguments: dict[str, Any]) -> None:
    names = [*tool.arguments, *arguments]
    sent = dict(zip(names, arguments.values(), strict=False)) | arguments
    once = normalize(tool, sent)
    assert repr(normalize(tool, once)) == repr(once)


@pytest.mark.anyio
async def test_pages_with_floats_as_limit_and_offset_have_every_row_once(mcp: Client) -> None:
    ids: list[int] = []
    page: dict[str, Any] = {"next_offset": 0}
    while "next_offset" in page:
        arguments = {"limit": 2.0, "offset": float(page["next_offset"]), "wait_for_previous": True}
        page = (await mcp.call_tool("subscriptions-list", arguments)).structured_content or {}
        assert 1 <= len(page["results"]) <= 2
        ids += [row["id"] for row in page["results"]]
    assert len(ids) == len(set(ids)) == page["count"] > 2


@pytest.mark.anyio
async def test_a_project_can_be_made_current_with_the_number_that_the_api_returns(mcp: Client) -> None:
    user = (await mcp.call_tool("users-retrieve", {})).structured_content or {}
    result = await mcp.call_tool("users-partial-update", {"set_current_team": user["team"]["id"]})
    assert not result.is_error
