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
def test_the_first_confirmation_that_applies_is_used(arguments: dict[str, Any], level: str) -> None:
    confirm = find_confirmation(TOOL, arguments)
    assert confirm is not None and confirm.level == level


def test_the_question_names_the_effect_of_the_call() -> None:
    confirm = TOOL.confirm[0]
    assert render_question(confirm, {"id": 3}, {"name": "Ada"}).text == "Shout at Ada, 3?"
    assert render_question(confirm, {"id": 3}, None).text == "Shout at unknown, 3?"
