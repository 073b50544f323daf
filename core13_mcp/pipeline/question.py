"""The question to a person before a call is sent. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..declarations.model import Confirm, Declaration
from ..jsonio import JSON
from ..text import render


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one call.

    Attributes:
        text: The question, as the person reads it. Long values may be truncated.
        title: The action that an answer of yes triggers, such as "Send it to 3 recipients now".
        effect: The complete effect of the call. Two questions are about the same effect if these are equal.
    """

    text: str
    title: str
    effect: str


def find_confirmation(tool: Declaration, arguments: JSON) -> Confirm | None:
    """Return the first declared confirmation that applies to these arguments, if any."""
    return next((confirm for confirm in tool.confirm if confirm.validator.is_valid(arguments)), None)


def render_question(confirm: Confirm, arguments: JSON, answer: Any) -> Question:
    """Return the question about the arguments and the API's response to `confirm.read`."""
    text = render(confirm.message, arguments=dict(arguments), answer=answer or {})
    return Question(text, title="Yes, do it", effect=text)
