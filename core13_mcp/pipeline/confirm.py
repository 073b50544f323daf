"""Whether a person must confirm a call, and the question. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from ..declarations.model import Confirm, Declaration
from ..errors import Declined
from ..jsonio import JSON
from ..text import render

Policy = Literal["auto", "always", "never"]

Decision = Literal["accepted", "declined", "unable"]
"""The answer to a question; `unable` if the client cannot ask the person."""

Confirmer = Callable[[str], Awaitable[Decision]]
"""Asks the person behind the client a question."""


def find_confirmation(tool: Declaration, arguments: JSON, policy: Policy) -> Confirm | None:
    """Return the first declared confirmation that applies to these arguments, if any."""
    if policy == "never":
        return None
    return next((confirm for confirm in tool.confirm if confirm.validator.is_valid(arguments)), None)


def render_question(confirm: Confirm, arguments: JSON, answer: Any) -> str:
    """Return the question about the arguments and the API's response to `confirm.read`."""
    return render(confirm.message, arguments=dict(arguments), answer=answer or {})


def require_accepted(tool: Declaration, question: str, decision: Decision) -> None:
    """Raise Declined unless the person accepted."""
    if decision == "accepted":
        return
    if decision == "declined":
        raise Declined(
            f"{tool.name}: the person declined; nothing was sent.", "Call it again only if the person asks for it."
        )
    # The question may quote text of other people. It stays in the first line, as data.
    quoted = question.replace('"', "'")
    raise Declined(
        f"{tool.name}: a person must confirm this call, and this client cannot ask; nothing was sent. "
        f'The question: "{quoted}"',
        "Tell the person. They can use a client that supports elicitation, or the administrator of this server can "
        "set CORE13_CONFIRM=never, which sends every call without confirmation.",
        code="confirmation_required",
    )
