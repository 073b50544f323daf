from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.directory import inline
from core13_mcp.declarations.schema import Schema
from core13_mcp.jsonio import MAX_DEPTH, MAX_TOKENS, json_error, parse_json

DEFINITIONS = {"a": {"type": "integer"}, "b": {"$ref": "a"}, "text": "words", "list": [{"$ref": "a"}]}
scalars = (
    some.none() | some.booleans() | some.integers(-3, 10**12) | some.text(max_size=12) | some.lists(some.integers())
)


@pytest.mark.parametrize(
    ("node", "inlined"),
    [
        ({"$ref": "a"}, {"type": "integer"}),
        ({"$ref": "b"}, {"type": "integer"}),
        ({"$ref": "list"}, [{"type": "integer"}]),
        ({"x": [{"$ref": "a"}, 1, None]}, {"x": [{"type": "integer"}, 1, None]}),
        ({"$ref": "a", "type": "string", "title": {"$ref": "text"}}, {"type": "string", "title": "words"}),
    ],
)
def test_a_reference_is_replaced_and_keys_beside_it_win(node, inlined):
    assert inline(node, DEFINITIONS.__getitem__) == inlined


@pytest.mark.parametrize("text", ['{"a": [1, 2.5, "é", null, true]}', '"x"', " 7 ", "[" * MAX_DEPTH + "]" * MAX_DEPTH])
def test_json_is_parsed_from_text_and_bytes(text):
    assert parse_json(text) == parse_json(text.encode()) == parse_json(text.encode("utf-16")) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    ["", "{", "NaN", "[Infinity]", "-Infinity", "1e999", "9" * 5000, "9" * 400, "[" * 100 + "]" * 100, "[" * 10_000 + "]" * 10_000, "[" * 100_000 + "]" * 100_000,
     "[" + "1," * MAX_TOKENS + "1]"],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_nonstandard_and_oversized_json_is_rejected(text):
    for form in (text, text.encode()):
        with pytest.raises(ValueError):
            parse_json(form)


@pytest.mark.parametrize(
    "value", [float("nan"), 10**5000, 10**400, "\ud800", {1, 2}, json.loads("[" * 90 + "]" * 90)], ids=type
)
def test_a_value_that_json_cannot_represent_is_reported(value):
    assert json_error({"a": [value]})
    assert json_error({"a": [1, "é", None]}) is None


def test_validation_errors_contain_the_path_and_the_properties():
    items = {"items": {"type": "integer"}}
    schema = Schema({"properties": {"a": items}, "required": ["b"], "additionalProperties": False})
    errors = {(error.path, error.keyword, error.properties) for error in schema.iter_errors({"a": [1, "x"], "c": 1})}
    assert errors == {("a[1]", "type", ()), ("", "required", ("b",)), ("", "additionalProperties", ("c",))}


@settings(max_examples=40)
@given(some.data())
def test_an_independent_validator_agrees_about_random_arguments(data):
    tool = data.draw(some.sampled_from(list(load().values())))
    names = some.sampled_from([*tool.arguments, "unknown"])
    arguments = data.draw(some.dictionaries(names, scalars | some.sampled_from(["@me", "email", "true"]), max_size=4))
    # Only the format `date-time` is stricter here.
    other = jsonschema.Draft202012Validator(tool.input_schema)
    assert other.is_valid(arguments) or not tool.input_validator.is_valid(arguments)
    assert bool(list(tool.input_validator.iter_errors(arguments))) == (not tool.input_validator.is_valid(arguments))
