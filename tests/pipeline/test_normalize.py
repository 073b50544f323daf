from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core13_mcp.declarations.catalog import load
from core13_mcp.pipeline.normalize import normalize

json_values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False, allow_infinity=False) | some.text(),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("kind", "sent", "meant"),
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
def test_json_text_is_read_where_text_is_not_declared(kind, sent, meant):
    assert normalize({"x": {"type": kind}}, {"x": sent}) == {"x": meant}


@pytest.mark.parametrize(
    ("kind", "sent"),
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
        ("object", "[" * 100_000),
        ("integer", "9" * 5_000),
        ("array", "[" * 70 + "]" * 70),
        ("object", '{"a": NaN}'),
        ("number", "1e999"),
        ("array", 7),
        ("integer", [7]),
    ],
)
def test_what_would_be_a_guess_is_left_for_the_check(kind, sent):
    assert normalize({"x": {"type": kind}}, {"x": sent}) == {"x": sent}


@pytest.mark.parametrize("schema", [{"type": "string"}, {"type": ["integer", "string"]}, {"enum": ["a", "b"]}])
def test_a_null_that_nothing_allows_counts_as_absent(schema):
    assert normalize({"x": schema}, {"x": None}) == {}


@pytest.mark.parametrize("schema", [{"type": ["integer", "null"]}, {"type": "null"}, {"enum": ["a", None]}, {}])
def test_a_null_that_is_allowed_stays(schema):
    assert normalize({"x": schema}, {"x": None}) == {"x": None}


def test_an_unknown_argument_stays_so_that_it_is_refused():
    assert normalize({}, {"y": None, "z": "[1]"}) == {"y": None, "z": "[1]"}


def test_a_schema_without_a_type_takes_text_as_it_is():
    assert normalize({"x": {}, "y": True}, {"x": "[1]", "y": "[1]"}) == {"x": "[1]", "y": "[1]"}


@given(json_values)
def test_a_list_or_object_arrives_the_same_as_json_text(value):
    if isinstance(value, (list, dict)):
        kind = "array" if isinstance(value, list) else "object"
        assert repr(normalize({"x": {"type": kind}}, {"x": json.dumps(value)})["x"]) == repr(
            json.loads(json.dumps(value))
        )


@given(some.sampled_from(list(load().values())), some.dictionaries(some.text(max_size=20), json_values, max_size=4))
def test_tidying_twice_is_the_same_as_once_and_nothing_breaks_it(tool, arguments):
    names = [*tool.arguments, *arguments]
    sent = dict(zip(names, arguments.values(), strict=False)) | arguments
    once = normalize(tool.arguments, sent)
    assert repr(normalize(tool.arguments, once)) == repr(once)
