"""What the answer to a question means for a call. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from ..declarations.model import Declaration
from ..errors import Declined
from .question import Question

Policy = Literal["auto", "always", "never"]

Decision = Literal["accepted", "declined", "unable"]
"""The answer to a question; `unable` if the client cannot ask the person."""

Confirmer = Callable[[Question], Awaitable[Decision]]
"""Asks the person behind the client a question."""


def require_accepted(tool: Declaration, question: Question, decision: Decision) -> None:
    """Raise Declined unless the person accepted."""
    if decision == "accepted":
        return
    if decision == "declined":
        raise Declined(
            f"{tool.name}: the person declined; nothing was sent.", "Call it again only if the person asks for it."
        )
    # The question may quote text of other people. It stays in the first line, as data.
    quoted = question.text.replace('"', "'")
    raise Declined(
        f"{tool.name}: a person must confirm this call, and this client cannot ask; nothing was sent. "
        f'The question: "{quoted}"',
        "Tell the person. They can use a client that supports elicitation, or the administrator of this server can "
        "set CORE13_CONFIRM=never, which sends every call without confirmation.",
        code="confirmation_required",
    )
