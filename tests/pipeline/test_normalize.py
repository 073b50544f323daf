from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.model import Declaration
from core13_mcp.pipeline.call import normalize

json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | some.text(),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("array", "[1,2]", [1, 2]),
        ("object", '{"color":"red"}', {"color": "red"}),
        ("integer", "7", 7),
        ("integer", " 7 ", 7),
        ("number", "1.5", 1.5),
        ("boolean", "true", True),
        (["integer", "null"], "null", None),
    ],
)
def test_json_text_is_parsed_if_the_type_is_not_string(kind: Any, text: str, value: Any) -> None:
    assert normalize({"x": {"type": kind}}, {"x": text}) == {"x": value}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", "[1,2]"),
        (["string", "null"], "null"),
        ("array", '{"a":1}'),
        ("array", "1,2"),
        ("integer", "true"),
        ("integer", "1.5"),
        ("integer", ""),
        ("boolean", "1"),
        ("boolean", "True"),
        ("boolean", "yes"),
        ("number", "true"),
        ("object", "[" * 300_000),
        ("integer", "9" * 5_000),
        ("array", "[" * 70 + "]" * 70),
        ("object", '{"a": NaN}'),
        ("number", "1e999"),
        ("array", 7),
        ("integer", [7]),
    ],
)
def test_a_value_that_is_not_json_of_the_type_is_not_changed(kind: Any, value: Any) -> None:
    assert normalize({"x": {"type": kind}}, {"x": value}) == {"x": value}


@pytest.mark.parametrize(
    ("schema", "kept"),
    [
        ({"type": "string"}, False),
        ({"type": ["integer", "string"]}, False),
        ({"enum": ["a", "b"]}, False),
        ({"type": ["integer", "null"]}, True),
        ({"type": "null"}, True),
        ({"enum": ["a", None]}, True),
        ({}, True),
    ],
)
def test_a_null_is_kept_only_if_the_schema_allows_it(schema: Any, kept: bool) -> None:
    assert normalize({"x": schema}, {"x": None}) == ({"x": None} if kept else {})


def test_arguments_without_a_type_are_not_changed() -> None:
    arguments = {"x": "[1]", "y": "[1]", "unknown": None, "other": "[1]"}
    assert normalize({"x": {}, "y": True}, arguments) == arguments


def test_a_declared_default_is_added_unless_the_argument_is_present() -> None:
    properties = {"limit": {"type": "integer", "default": 20}}
    assert normalize(properties, {"id": 1}) == {"limit": 20, "id": 1}
    assert normalize(properties, {"id": 1, "limit": "5"}) == {"limit": 5, "id": 1}
    assert normalize(properties, {"limit": None}) == {"limit": 20}


@given(json_values)
def test_any_list_or_object_can_be_sent_as_json_text(value: Any) -> None:
    if isinstance(value, (list, dict)):
        kind = "array" if isinstance(value, list) else "object"
        assert repr(normalize({"x": {"type": kind}}, {"x": json.dumps(value)})["x"]) == repr(
            json.loads(json.dumps(value))
        )


@given(some.sampled_from(list(load().values())), some.dictionaries(some.text(max_size=20), json_values, max_size=4))
def test_normalization_of_any_arguments_is_idempotent(tool: Declaration, arguments: dict[str, Any]) -> None:
    names = [*tool.arguments, *arguments]
    sent = dict(zip(names, arguments.values(), strict=False)) | arguments
    once = normalize(tool.arguments, sent)
    assert repr(normalize(tool.arguments, once)) == repr(once)
