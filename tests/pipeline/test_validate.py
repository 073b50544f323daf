from __future__ import annotations

import pytest

from core13_mcp.declarations.catalog import load
from core13_mcp.errors import InvalidArguments
from core13_mcp.pipeline.validate import argument_errors, raise_if_invalid
from core13_mcp.text import did_you_mean, suggestions

from ..factories import make_tool

PROPERTIES = {
    "id": {"type": "integer", "minimum": 1, "description": "Which thing."},
    "colour": {"type": "string", "enum": ["red", "green"], "description": "Its colour."},
    "parts": {"type": "array", "items": {"type": "integer"}, "description": "Its parts."},
    "pin": {"type": "string", "minLength": 8, "description": "Its pin."},
}
TOOL = make_tool(
    "PATCH",
    properties=PROPERTIES,
    required=["id"],
    rules=[
        {"say": "Name a colour or parts.", "condition": {"anyOf": [{"required": ["colour"]}, {"required": ["parts"]}]}}
    ],
    documented={"size": "The API ignores it."},
    secrets=["pin"],
)


def told(arguments: dict[str, object]) -> str:
    with pytest.raises(InvalidArguments) as caught:
        raise_if_invalid(TOOL, argument_errors(TOOL, arguments))
    return str(caught.value)


def test_arguments_that_fit_pass():
    assert argument_errors(TOOL, {"id": 1, "colour": "red"}) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"colour": "red"}, "id: missing. Which thing."),
        ({"id": 1, "colour": "blue"}, "colour: "),
        ({"id": 1, "colour": "blue"}, "is not one of red, green. Its colour."),
        ({"id": 0, "colour": "red"}, "id: 0 is less than the minimum of 1. Which thing."),
        ({"id": 1, "parts": [1, "x"]}, 'parts[1]: "x" is not of type "integer". Its parts.'),
        ({"id": 1}, "Name a colour or parts."),
        ({"id": 1, "colour": "red", "color": "red"}, 'color: no such argument. Did you mean "colour"?'),
        ({"id": 1, "colour": "red", "zzz": 1}, "zzz: no such argument. Arguments: id, colour, parts, pin."),
        ({"id": 1, "colour": "red", "size": 3}, "size: not accepted. The API ignores it."),
    ],
)
def test_a_fault_says_what_is_wrong_and_what_would_be_right(arguments, says):
    text = told(arguments)
    assert says in text
    assert "1 invalid argument; nothing was sent." in text
    assert text.endswith("Correct it and call things-do again.")


@pytest.mark.parametrize("given", [5, "5", "small", None, [1]])
def test_a_choice_among_numbers_is_told_like_any_other(given):
    tool = make_tool(properties={"id": {}, "size": {"type": "integer", "enum": [1, 2, 3], "description": "Its size."}})
    assert any("1, 2, 3" in fault for fault in argument_errors(tool, {"size": given}))


def test_every_fault_is_told_at_once():
    text = told({"colour": "blue", "parts": ["x", "y"], "zzz": 1, "size": 2})
    assert "6 invalid arguments" in text and "(6)" in text and "Correct them" in text
    assert len(text.splitlines()) == 3


def test_a_secret_is_not_told_back_and_what_is_wrong_with_it_is():
    text = told({"id": 1, "colour": "red", "pin": "hunter2"})
    assert "hunter2" not in text and "pin: the value is shorter than 8 characters. Its pin." in text


def test_what_is_wrong_with_a_secret_is_not_told_where_that_would_tell_it():
    tool = make_tool("PATCH", properties={"pin": {"const": "the-only-one"}}, secrets=["pin"])
    assert argument_errors(tool, {"pin": "hunter2"}) == ["pin: the value does not match."]


def test_a_long_value_does_not_hide_what_is_wrong_with_it():
    text = told({"id": "x" * 5000, "colour": "red"})
    assert '… is not of type "integer". Which thing.' in text and len(text) < 500


def test_a_name_or_value_that_someone_else_wrote_is_put_on_one_line_and_cut():
    text = told({"id": 1, "colour": "red\n\u202e" + "x" * 5000, "y" * 5000 + "\nSYSTEM:": 1})
    assert len(text) < 3000 and len(text.splitlines()) == 3 and "\u202e" not in text


def test_the_first_faulty_argument_is_named_for_programs():
    with pytest.raises(InvalidArguments) as caught:
        raise_if_invalid(TOOL, argument_errors(TOOL, {"colour": "red"}))
    assert caught.value.details == {"code": "invalid_arguments", "retryable": False, "field": "id"}
    with pytest.raises(InvalidArguments) as caught:
        raise_if_invalid(TOOL, argument_errors(TOOL, {"id": 1}))
    assert "field" not in caught.value.details


def test_a_tool_without_arguments_says_so():
    assert argument_errors(make_tool(properties={}, path="/api/things/"), {"x": 1}) == [
        "x: no such argument. Arguments: none."
    ]


@pytest.mark.parametrize(
    "when", ["2026-01-05T09:00:00Z", "2026-01-05T09:00:00+02:00", "2026-01-05T09:00", "2026-01-05"]
)
def test_dates_that_the_api_takes_are_taken(when):
    assert (
        argument_errors(make_tool(properties={"id": {}, "at": {"type": "string", "format": "date-time"}}), {"at": when})
        == []
    )


@pytest.mark.parametrize("when", ["tomorrow", "2026-13-01", "05.01.2026", "", "2026-01-05T25:00:00Z"])
def test_other_dates_are_refused(when):
    tool = make_tool(properties={"id": {}, "at": {"type": "string", "format": "date-time", "description": "When."}})
    assert len(argument_errors(tool, {"at": when})) == 1


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("subscription-list", "subscriptions-list"),
        ("USERS-LIST", "users-list"),
        ("subscriptions-delete", "subscriptions-destroy"),
        ("subscriptions-update", "subscriptions-partial-update"),
        ("users-get", "users-retrieve"),
    ],
)
def test_the_nearest_name_is_found_whatever_its_case(sent, meant):
    assert suggestions(sent, load())[0] == meant


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("name", ["last_name", "first_name"]),
        ("lastName", ["last_name"]),
        ("user_id", []),
        ("frist_name", ["first_name"]),
    ],
)
def test_several_names_may_be_meant(sent, meant):
    assert suggestions(sent, ["first_name", "last_name", "email"]) == meant


def test_a_value_or_argument_that_is_nearly_right_is_corrected_by_name():
    properties = {
        "id": {"type": "integer"},
        "colour": {"type": "string", "enum": ["red", "green"], "default": "red"},
        "first_name": {"type": "string"},
        "last_name": {"type": "string"},
    }
    found = argument_errors(make_tool(properties=properties), {"colour": "gren", "name": "x"})
    assert found == [
        'colour: "gren" is not one of red, green. Did you mean "green"? The default is red.',
        'name: no such argument. Did you mean "last_name" or "first_name"?',
    ]


def test_names_of_which_the_same_is_to_be_said_share_a_sentence():
    tool = make_tool(path="/api/things/", documented={"a": "It is ignored.", "b": "It is ignored."})
    assert argument_errors(tool, {"a": 1, "b": 1, "zzz": 1, "yyy": 1}) == [
        "a, b: not accepted. It is ignored.",
        "zzz, yyy: no such argument. Arguments: id.",
    ]


def test_nothing_is_near_what_resembles_nothing():
    assert did_you_mean("weather", load()) == ""
