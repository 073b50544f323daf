from __future__ import annotations

from typing import Any

import pytest

from core13_mcp.pipeline.question import (
    find_confirmation,
    render_question,
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
def test_the_strictest_level_of_all_confirmations_that_apply_is_used(arguments: dict[str, Any], level: str) -> None:
    confirmation = find_confirmation(TOOL, arguments)
    assert confirmation is not None and confirmation.level == level


def question(arguments: dict[str, Any], answer: Any = None) -> str:
    confirmation = find_confirmation(TOOL, arguments)
    assert confirmation is not None
    return render_question(confirmation, arguments, answer).text


def test_the_question_names_every_effect_of_the_call() -> None:
    assert question({"id": 3}) == "Go on?"
    assert question({"id": 3, "loud": 1}, {"name": "Ada"}) == "Shout at Ada, 3? Go on?"
    assert question({"id": 3, "loud": 1}) == "Shout at unknown, 3? Go on?"
