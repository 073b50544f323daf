"""What the answer to a question means for a call, and what the refusal of a call states. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from ..errors import Declined
from ..text import single_line
from .confirmation_code import CODE_LIFETIME_MINUTES, CodeProblem
from .question import Question

Policy = Literal["auto", "always", "never"]

Obstacle = Literal["client", "transport", "shell"]
"""Why a person cannot be asked: the client shows no forms, the connection carries none, or there is no terminal."""

# Clients without a user answer within a few milliseconds. A person needs longer to read a question.
INSTANT = 0.1


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client answered to a question.

    Attributes:
        action: The action of the answer; `timeout` if it came too late or not at all, `error` if it is none, and
            `closed` if the connection or the server ended before it.
        confirmed: Whether the answer contains the required `true`.
        seconds: The time between the question and the answer.
        detail: The message of an error.
    """

    action: Literal["accept", "decline", "cancel", "timeout", "error", "closed"]
    confirmed: bool = False
    seconds: float = 0.0
    detail: str = ""

    @property
    def is_yes(self) -> bool:
        return self.action == "accept" and self.confirmed

    @property
    def is_instant(self) -> bool:
        """Whether the client answered faster than a person can read a question."""
        return self.action in ("accept", "decline", "cancel") and self.seconds < INSTANT

    @property
    def is_refusal(self) -> bool:
        """Whether the client reports that the person refused."""
        return self.action == "decline" and not self.is_instant


Confirmer = Callable[[Question], Awaitable[Answer]]
"""Asks the person behind the client a question."""

_OBSTACLES = {
    "client": "a person must confirm this call, and this client does not show forms (MCP elicitation)",
    "transport": "a person must confirm this call, and this request over HTTP has no session, which a client of the 2025 "
    "protocol versions needs to show a form: it gets one if it declares forms (MCP elicitation) and sessions are on",
    "shell": "a person must confirm this call",
}
_CODE_PROBLEMS = {
    "expired": ("confirmation_expired", "the code in `confirmation` has expired"),
    "used": ("confirmation_used", "the code in `confirmation` was used before"),
    "changed": ("confirmation_stale", "the effect of this call has changed since the code was made"),
    "unknown": ("confirmation_invalid", "the code in `confirmation` is not for this call with these arguments"),
}
_WITHOUT_USER = "A client that runs without a user may answer by itself, or leave a question without an answer."
_NEVER = "the setting CORE13_CONFIRM=never of this server's operator, which sends every call without a question"


def refusal(
    tool: str, question: Question, answer: Answer | Obstacle, code: str | None, problem: CodeProblem | None
) -> Declined:
    """Return the error for a call that was not confirmed.

    Args:
        answer: The answer of the client, or why the person cannot be asked.
        code: The code with which the person can confirm the call through the conversation, if that is possible.
        problem: Why the code in the arguments was refused, if they contain one.
    """
    error_code, reason = _reason(answer)
    if problem:
        problem_code, problem_reason = _CODE_PROBLEMS[problem]
        # The question was asked too if there is an answer.
        reason = f"{problem_reason}, and {reason}" if isinstance(answer, Answer) else problem_reason
        error_code = error_code if isinstance(answer, Answer) else problem_code
    # The question quotes text of other people in “ ”. With other quotation marks around it, these stay distinct.
    quoted = single_line(question.text, len(question.text) + 1).replace('"', "'")
    return Declined(
        f'{tool}: {reason}; nothing was sent. The question: "{quoted}"',
        _WITHOUT_USER if isinstance(answer, Answer) else "",
        _next_step(tool, answer, code),
        _alternatives(answer, code),
        code=error_code,
    )


def stale(tool: str) -> Declined:
    """Return the error for a call if its effect changed while the question was open."""
    return Declined(
        f"{tool}: the effect of this call changed after the question was asked; nothing was sent.",
        "Call it again. The new question states the current effect.",
        code="confirmation_stale",
    )


def _reason(answer: Answer | Obstacle) -> tuple[str, str]:
    """Return the error code, and what is known about the answer."""
    if not isinstance(answer, Answer):
        return "confirmation_required", _OBSTACLES[answer]
    time = f"{answer.seconds * 1000:.0f} ms" if answer.seconds < 1 else f"{answer.seconds:.0f} s"
    match answer.action:
        case "timeout":
            return "confirmation_timeout", f"the question got no answer within {time}"
        case "closed":
            return "confirmation_failed", "the connection or this server ended before the question got an answer"
        case "error":
            detail = single_line(answer.detail, 100).replace('"', "'")
            return "confirmation_failed", f'the client answered the question with an error ("{detail}")'
        case "accept":
            code, reason = "confirmation_incomplete", "the client answered 'accept' without confirm=true"
        case "cancel":
            code, reason = "confirmation_cancelled", "the client answered 'cancel', which is neither yes nor no,"
        case _:
            code, reason = "declined", "the client answered 'decline'"
    return "confirmation_instant" if answer.is_instant else code, f"{reason} after {time}"


def _next_step(tool: str, answer: Answer | Obstacle, code: str | None) -> str:
    if isinstance(answer, Answer) and answer.is_refusal:
        return f"Call {tool} again only if the person wants it. The question is then asked again."
    first = "First show the question to the person and wait for their answer. Only if they agree,"
    lifetime = f"for {CODE_LIFETIME_MINUTES} minutes"
    if answer == "shell":
        option = f" or with confirmation={code} (valid {lifetime})" if code else ""
        return f"{first} run the same command again with --yes{option}."
    if code is None:
        return "No code can confirm this call. Show the question to the person, and name what they can do."
    return f"{first} make the same call again with confirmation={code}. The code is valid once, {lifetime}."


def _alternatives(answer: Answer | Obstacle, code: str | None) -> str:
    """Return how the call can be confirmed without a code."""
    if answer == "shell":
        return "On a terminal, the command asks for the confirmation itself."
    client = "a client that shows forms to a user"
    if answer == "transport":
        client += " over stdio, with protocol version 2026-07-28, or in a session (CORE13_HTTP_SESSIONS)"
    prefix = "Or use" if code else "Use"
    if isinstance(answer, Answer) and answer.is_refusal:
        prefix = "If they saw no question, use"
    return f"{prefix} {client}, or {_NEVER}."
