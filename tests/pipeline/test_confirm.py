from __future__ import annotations

from typing import Any

import pytest

from core13_mcp.errors import Declined
from core13_mcp.pipeline.confirm import (
    Decision,
    find_confirmation,
    render_question,
    require_accepted,
)

from ..factories import make_tool

TOOL = make_tool(
    "PATCH",
    properties={"id": {}, "loud": {}},
    confirm=[
        {"level": "require", "when": {"required": ["loud"]}, "say": "Shout at {answer.name}, {arguments.id}?"},
        {"level": "ask", "say": "Go on?"},
    ],
)


@pytest.mark.parametrize(("arguments", "level"), [({"loud": 1}, "require"), ({}, "ask")])
def test_the_first_confirmation_that_applies_is_used(arguments: dict[str, Any], level: str) -> None:
    confirm = find_confirmation(TOOL, arguments, "auto")
    assert confirm is not None and confirm.level == level


def test_there_is_no_confirmation_without_a_declaration_or_with_the_policy_never() -> None:
    assert find_confirmation(TOOL, {"loud": 1}, "never") is None
    assert find_confirmation(make_tool(), {}, "always") is None


def test_the_question_names_the_effect_of_the_call() -> None:
    confirm = TOOL.confirm[0]
    assert render_question(confirm, {"id": 3}, {"name": "Ada"}) == "Shout at Ada, 3?"
    assert render_question(confirm, {"id": 3}, None) == "Shout at unknown, 3?"


def test_an_accepted_call_continues() -> None:
    require_accepted(TOOL, "Go on?", "accepted")


@pytest.mark.parametrize(
    ("decision", "code", "text"),
    [("declined", "declined", "the person declined"), ("unable", "confirmation_required", 'The question: "Go on?"')],
)
def test_a_call_that_is_not_accepted_is_refused_before_it_is_sent(decision: Decision, code: str, text: str) -> None:
    with pytest.raises(Declined, match="nothing was sent") as caught:
        require_accepted(TOOL, "Go on?", decision)
    assert caught.value.details["code"] == code
    assert text in str(caught.value)
