"""What to ask the person before a call is sent. Pure."""

from __future__ import annotations

from typing import Any, Literal

from ..declarations.model import Confirm, Declaration
from ..errors import Declined
from ..jsonio import JSON
from ..text import render

Policy = Literal["auto", "always", "never"]
Decision = Literal["accepted", "declined", "unable"]
"""What came of asking; `unable` means that nobody can be asked through this client."""


def confirmation(tool: Declaration, arguments: JSON, policy: Policy) -> Confirm | None:
    """The confirmation that this call needs, if it needs one."""
    if policy == "never":
        return None
    return next((confirm for confirm in tool.confirm if confirm.validator.is_valid(dict(arguments))), None)


def required(confirm: Confirm, policy: Policy) -> bool:
    """Whether the call is refused where nobody can be asked."""
    return policy == "always" or confirm.level == "require"


def question(confirm: Confirm, arguments: JSON, answer: Any) -> str:
    """The question in words. `answer` is what the API said at `confirm.read`, or None."""
    return render(confirm.message, arguments=dict(arguments), answer=answer or {})


def stale_confirmation(tool: Declaration) -> Declined:
    """What to say when the effect is no longer the one that the person agreed to."""
    return Declined(
        f"{tool.name}: what it would do has changed since the person was asked; nothing was sent.",
        "Call it again, so that they are asked about what holds now.",
        code="confirmation_stale",
    )


def require_accepted(tool: Declaration, asked: str, verdict: Decision) -> None:
    """Let an accepted call go on, and refuse any other.

    Raises:
        Declined: The person said no, or could not be asked.
    """
    if verdict == "accepted":
        return
    if verdict == "declined":
        raise Declined(
            f"{tool.name}: the person was asked and did not agree; nothing was sent.",
            "Do not try again unless they ask for it.",
        )
    # The question may quote what other people wrote: it stays in the first line, as data.
    quoted = asked.replace('"', "'")
    raise Declined(
        f'{tool.name}: a person must agree, and this client cannot ask; nothing was sent. The question: "{quoted}"',
        "Tell the person. They can use a client that supports elicitation; or whoever runs this server can set "
        "CORE13_CONFIRM=never, which lets everything through unasked.",
        code="confirmation_required",
    )
