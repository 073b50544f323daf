"""What a write says it did."""

from __future__ import annotations

from typing import Any

import pytest

from core13_mcp.declarations.catalog import load
from core13_mcp.pipeline.confirm import find_confirmation, render_question
from core13_mcp.pipeline.projection import project_response

CATALOG = load()


def done(tool: str, arguments: dict[str, Any], **answer: Any) -> str:
    result = project_response(
        CATALOG[tool], {"id": 7, "enabled": True, "deleted": False, **answer}, arguments, 40_000
    ).value
    return str(result["done"])


@pytest.mark.parametrize(
    ("value", "to"),
    [
        ("a@x.example", "1 recipient"),
        ("a@x.example,", "1 recipient"),
        (",a@x.example", "1 recipient"),
        ("a@x.example, ,", "1 recipient"),
        ("a@x.example,b@x.example", "2 recipients"),
        ("a@x.example,b@x.example,", "2 recipients"),
        ("a@x.example,b@x.example,c@x.example", "3 recipients"),
    ],
)
def test_recipients_are_counted_right(value: str, to: str):
    email = {"target_type": "email", "target_value": value}
    for said in (
        done("subscriptions-create", email, **email),
        done("subscriptions-partial-update", {"id": 7, **email}, **email),
    ):
        assert f" {to}" in said and "1 recipients" not in said
        assert value not in said


def test_a_question_counts_only_what_is_several():
    tool, one = CATALOG["subscriptions-create"], {"target_type": "email", "target_value": "a@x.example"}
    for given, asked in (
        (one, "by email right now to a@x.example?"),
        ({**one, "target_value": "a@x.example,b@x.example"}, "to 2 recipients: a@x.example,b@x.example?"),
    ):
        needed = find_confirmation(tool, given, "auto")
        assert needed is not None and render_question(needed, given, None).endswith(asked)


@pytest.mark.parametrize(
    ("arguments", "answer", "says"),
    [
        ({"enabled": False}, {"enabled": False}, "It is paused: nothing was sent"),
        ({"enabled": True}, {}, "one may go out now"),
        ({"deleted": True}, {"deleted": True}, "Deleted"),
        ({"deleted": False}, {}, "Restored"),
        ({"title": "x"}, {"deleted": True}, "is deleted and sends nothing"),
        ({"title": "x"}, {}, "Nothing was sent now"),
        ({"target_value": "https://x.example"}, {"target_type": "webhook"}, "not known to deliver"),
        ({"target_value": "C1"}, {"target_type": "slack", "target_value": "C1"}, "to the new slack target"),
        ({"insight": 2}, {"target_type": "email"}, "The new content goes out on schedule"),
    ],
)
def test_a_change_says_what_it_set_off(arguments: dict[str, Any], answer: dict[str, Any], says: str):
    assert says in done("subscriptions-partial-update", {"id": 7, **arguments}, **answer)


def test_a_password_that_was_sent_is_not_called_one_to_hand_on():
    answer = {"id": 3, "password": "x" * 20}
    tool = CATALOG["session-recordings-sharing-passwords-create"]
    assert "hand it on now" in project_response(tool, answer, {}, 4000).value["done"]
    assert "hand it on now" not in project_response(tool, answer, {"raw_password": "x" * 20}, 4000).value["done"]


@pytest.mark.parametrize("enabled", [True, False])
def test_a_new_link_says_whether_anyone_can_open_it(enabled: bool):
    said = done("session-recordings-sharing-refresh-create", {}, enabled=enabled)
    assert ("nobody can open it" in said) is not enabled
