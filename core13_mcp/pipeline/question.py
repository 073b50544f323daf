"""The question to a person before a call is sent. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

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


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Every declared confirmation that applies to one call. Together they are one question."""

    tool: Declaration
    entries: tuple[Confirm, ...]

    @property
    def level(self) -> Literal["ask", "require"]:
        """The strictest level."""
        return "require" if any(entry.level == "require" for entry in self.entries) else "ask"

    @property
    def read(self) -> str | None:
        """The path of the request to send first. All entries of a tool have the same one."""
        return next((entry.read for entry in self.entries if entry.read), None)


def find_confirmation(tool: Declaration, arguments: JSON) -> Confirmation | None:
    """Return the declared confirmations that apply to these arguments, if any."""
    entries = tuple(entry for entry in tool.confirm if entry.validator.is_valid(arguments))
    return Confirmation(tool, entries) if entries else None


def render_question(confirmation: Confirmation, arguments: JSON, answer: Any) -> Question:
    """Return the question about the arguments and the API's response to `confirmation.read`."""
    values = {"arguments": dict(arguments), "answer": answer or {}}
    text = " ".join(render(entry.message, **values) for entry in confirmation.entries)
    return Question(text, title="Yes, do it", effect=text)
