from __future__ import annotations

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from core13_mcp.catalog import load
from core13_mcp.schema import Schema, inline

NAMED = {"a": {"type": "integer"}, "b": {"$ref": "a"}, "text": "words", "list": [{"$ref": "a"}]}
scalars = (
    some.none() | some.booleans() | some.integers(-3, 10**12) | some.text(max_size=12) | some.lists(some.integers())
)


@pytest.mark.parametrize(
    ("node", "plain"),
    [
        ({"$ref": "a"}, {"type": "integer"}),
        ({"$ref": "b"}, {"type": "integer"}),
        ({"$ref": "text"}, "words"),
        ({"$ref": "list"}, [{"type": "integer"}]),
        ({"x": [{"$ref": "a"}, 1, None]}, {"x": [{"type": "integer"}, 1, None]}),
        ({"$ref": "a", "type": "string", "title": {"$ref": "text"}}, {"type": "string", "title": "words"}),
    ],
)
def test_a_reference_is_replaced_by_what_it_names_and_its_neighbours_win(node, plain):
    assert inline(node, NAMED.__getitem__) == plain


def test_faults_say_where_and_which_names():
    schema = Schema(
        {"properties": {"a": {"items": {"type": "integer"}}}, "required": ["b"], "additionalProperties": False}
    )
    found = {(fault.where, fault.keyword, fault.names) for fault in schema.faults({"a": [1, "x"], "c": 1})}
    assert found == {("a[1]", "type", ()), ("", "required", ("b",)), ("", "additionalProperties", ("c",))}


@settings(max_examples=40)
@given(some.data())
def test_the_engine_judges_arguments_as_an_independent_judge_does(data):
    tool = data.draw(some.sampled_from(list(load().values())))
    names = some.sampled_from([*tool.arguments, "unknown"])
    arguments = data.draw(some.dictionaries(names, scalars | some.sampled_from(["@me", "email", "true"]), max_size=4))
    # A format is ours to interpret; everything else is not.
    judge = jsonschema.Draft202012Validator(tool.input_schema)
    assert judge.is_valid(arguments) or not tool.accepts.accepts(arguments)
    assert bool(list(tool.accepts.faults(arguments))) == (not tool.accepts.accepts(arguments))
