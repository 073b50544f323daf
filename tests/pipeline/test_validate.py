from __future__ import annotations

from typing import Any

import pytest

from core13_mcp.declarations.catalog import load
from core13_mcp.errors import InvalidArguments
from core13_mcp.pipeline.validate import argument_errors, invalid_arguments
from core13_mcp.text import suggestions

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


def error(arguments: dict[str, Any]) -> InvalidArguments:
    return invalid_arguments(TOOL, argument_errors(TOOL, arguments))


def test_valid_arguments_have_no_errors() -> None:
    assert argument_errors(TOOL, {"id": 1, "colour": "red"}) == []


@pytest.mark.parametrize(
    ("arguments", "description"),
    [
        ({"colour": "red"}, "id: missing. Which thing."),
        ({"id": 1, "colour": "blue"}, 'colour: "blue" is not one of red, green. Its colour.'),
        ({"id": 0, "colour": "red"}, "id: 0 is less than the minimum of 1. Which thing."),
        ({"id": 1, "parts": [1, "x"]}, 'parts[1]: "x" is not of type "integer". Its parts.'),
        ({"id": 1}, "Name a colour or parts."),
        ({"id": 1, "colour": "red", "color": "red"}, 'color: no such argument. Did you mean "colour"?'),
        ({"id": 1, "colour": "red", "zzz": 1}, "zzz: no such argument. Arguments: id, colour, parts, pin."),
        ({"id": 1, "colour": "red", "size": 3}, "size: not accepted. The API ignores it."),
    ],
)
def test_an_error_says_what_is_wrong_and_what_is_allowed(arguments: dict[str, Any], description: str) -> None:
    text = str(error(arguments))
    assert description in text
    assert "1 invalid argument; nothing was sent." in text
    assert text.endswith("Correct it and call things-do again.")


def test_all_errors_are_listed_at_once() -> None:
    text = str(error({"colour": "blue", "parts": ["x", "y"], "zzz": 1, "size": 2}))
    assert "6 invalid arguments" in text and "(6)" in text and "Correct them" in text
    assert len(text.splitlines()) == 3


def test_the_description_of_an_invalid_secret_does_not_quote_it() -> None:
    text = str(error({"id": 1, "colour": "red", "pin": "hunter2"}))
    assert "hunter2" not in text and "pin: the value is shorter than 8 characters. Its pin." in text


def test_the_description_of_an_invalid_secret_does_not_reveal_the_allowed_value() -> None:
    tool = make_tool("PATCH", properties={"pin": {"const": "the-only-one"}}, secrets=["pin"])
    assert argument_errors(tool, {"pin": "hunter2"}) == ["pin: the value does not match."]


def test_a_long_value_is_shortened_and_the_reason_stays() -> None:
    text = str(error({"id": "x" * 5000, "colour": "red"}))
    assert '… is not of type "integer". Which thing.' in text and len(text) < 500


def test_names_and_values_are_put_on_one_line_and_shortened() -> None:
    text = str(error({"id": 1, "colour": "red\n\u202e" + "x" * 5000, "y" * 5000 + "\nSYSTEM:": 1}))
    assert len(text) < 3000 and len(text.splitlines()) == 3 and "\u202e" not in text


def test_the_details_name_the_first_invalid_argument() -> None:
    assert error({"colour": "red"}).details == {"code": "invalid_arguments", "retryable": False, "field": "id"}
    assert "field" not in error({"id": 1}).details


DATED = make_tool(properties={"id": {}, "at": {"type": "string", "format": "date-time", "description": "When."}})


@pytest.mark.parametrize(
    "date", ["2026-01-05T09:00:00Z", "2026-01-05T09:00:00+02:00", "2026-01-05T09:00", "2026-01-05"]
)
def test_a_date_that_the_api_accepts_is_valid(date: str) -> None:
    assert argument_errors(DATED, {"at": date}) == []


@pytest.mark.parametrize("date", ["tomorrow", "2026-13-01", "05.01.2026", "", "2026-01-05T25:00:00Z"])
def test_any_other_date_is_invalid(date: str) -> None:
    assert len(argument_errors(DATED, {"at": date})) == 1


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("subscription-list", "subscriptions-list"),
        ("USERS-LIST", "users-list"),
        ("subscriptions-delete", "subscriptions-destroy"),
        ("subscriptions-update", "subscriptions-partial-update"),
        ("users-get", "users-retrieve"),
        ("weather", None),
    ],
)
def test_the_closest_tool_is_suggested(name: str, suggestion: str | None) -> None:
    assert next(iter(suggestions(name, load())), None) == suggestion


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("name", ["last_name", "first_name"]),
        ("lastName", ["last_name"]),
        ("user_id", []),
        ("frist_name", ["first_name"]),
    ],
)
def test_several_arguments_can_be_suggested(name: str, names: list[str]) -> None:
    assert suggestions(name, ["first_name", "last_name", "email"]) == names


def test_a_description_suggests_the_closest_value_or_argument() -> None:
    properties = {
        "id": {"type": "integer"},
        "colour": {"type": "string", "enum": ["red", "green"], "default": "red"},
        "first_name": {"type": "string"},
        "last_name": {"type": "string"},
    }
    assert argument_errors(make_tool(properties=properties), {"colour": "gren", "name": "x"}) == [
        'colour: "gren" is not one of red, green. Did you mean "green"? The default is red.',
        'name: no such argument. Did you mean "last_name" or "first_name"?',
    ]


def test_unknown_arguments_with_the_same_description_share_a_sentence() -> None:
    tool = make_tool(path="/api/things/", documented={"a": "It is ignored.", "b": "It is ignored."})
    assert argument_errors(tool, {"a": 1, "b": 1, "zzz": 1, "yyy": 1}) == [
        "a, b: not accepted. It is ignored.",
        "zzz, yyy: no such argument. Arguments: id.",
    ]


def test_the_errors_in_the_items_of_one_array_are_limited() -> None:
    errors = argument_errors(TOOL, {"id": 1, "parts": ["x"] * 5000})
    assert errors[9].startswith('parts[9]: "x" is not')
    assert errors[10:] == ["parts: 40 more errors in its first 50 items."]


def test_an_error_behind_the_start_of_a_value_is_described() -> None:
    [error] = argument_errors(TOOL, {"id": 1, "parts": [*range(200), "x"]})
    assert error == 'parts[200]: "x" is not of type "integer". Its parts.'


def test_unknown_arguments_are_limited_and_the_others_are_counted() -> None:
    errors = argument_errors(TOOL, {"id": 1, "colour": "red", **dict.fromkeys(map("x{}".format, range(5000)), 1)})
    assert "x19: no such argument" in errors[0] and "x20" not in errors[0]
    assert errors[1:] == ["4980 more unknown arguments."]


def test_a_message_lists_at_most_twenty_errors_in_a_bounded_length() -> None:
    properties = {f"field{number}": {"type": "integer", "description": "x" * 300} for number in range(30)}
    wrong = dict.fromkeys(properties, "y" * 10_000)
    raised = invalid_arguments(TOOL, argument_errors(make_tool(properties=properties), wrong))
    assert "30 invalid arguments" in str(raised) and str(raised).splitlines()[1].endswith(
        " 10 more errors are not listed."
    )
    assert len(str(raised)) < 3000


def test_the_details_are_short_for_any_names() -> None:
    error_field = error({"id": 1, "colour": "red", **{"x" * 5000 + str(number): 1 for number in range(100)}}).field
    assert error_field is not None and len(error_field) <= 60


def test_an_object_in_the_place_of_another_value_is_quoted() -> None:
    assert 'id: {"a":{"b":[1,null]}} is not of type' in str(error({"id": {"a": {"b": [1, None]}}, "colour": "red"}))
