from __future__ import annotations

import pytest

from core13_mcp.errors import Declined
from core13_mcp.pipeline.confirm import confirmation, question, require_accepted, required

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
def test_the_first_confirmation_that_applies_is_the_one(arguments, level):
    found = confirmation(TOOL, arguments, "auto")
    assert found is not None and found.level == level


def test_nobody_is_asked_where_nothing_is_declared_or_the_operator_says_never():
    assert confirmation(TOOL, {"loud": 1}, "never") is None
    assert confirmation(make_tool(), {}, "always") is None


@pytest.mark.parametrize(
    ("arguments", "policy", "refused"),
    [({"loud": 1}, "auto", True), ({}, "auto", False), ({}, "always", True)],
)
def test_what_cannot_be_asked_is_refused_where_it_is_required(arguments, policy, refused):
    found = confirmation(TOOL, arguments, policy)
    assert found is not None and required(found, policy) is refused


def test_the_question_names_the_concrete_effect():
    found = TOOL.confirm[0]
    assert question(found, {"id": 3}, {"name": "Ada"}) == "Shout at Ada, 3?"
    assert question(found, {"id": 3}, None) == "Shout at unknown, 3?"


def test_an_accepted_call_goes_on():
    require_accepted(TOOL, "Go on?", "accepted")


@pytest.mark.parametrize(
    ("verdict", "code", "says"),
    [("declined", "declined", "did not agree"), ("unable", "confirmation_required", 'The question: "Go on?"')],
)
def test_any_other_is_refused_with_nothing_sent(verdict, code, says):
    with pytest.raises(Declined, match="nothing was sent") as caught:
        require_accepted(TOOL, "Go on?", verdict)
    assert caught.value.details["code"] == code
    assert says in str(caught.value)
