"""Gets the confirmation of a call: by a form, or by a code that the person received through the conversation."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .call import Call
from .confirm import Confirmer, Obstacle, refusal, stale
from .confirmation_code import ConfirmationCodes, Subject
from .question import Confirmation, Question


@dataclass(frozen=True, slots=True)
class Channel:
    """How the person behind a client can confirm calls.

    Attributes:
        ask: Shows a form to the person; or why no form can be shown.
        codes: The codes for a confirmation through the conversation. Without them there is none.
    """

    ask: Confirmer | Obstacle = "client"
    codes: ConfirmationCodes | None = None


async def require_confirmed(
    call: Call, confirmation: Confirmation, channel: Channel, read_question: Callable[[], Awaitable[Question | None]]
) -> None:
    """Ask the person, unless the arguments contain a valid code.

    Args:
        read_question: Returns the question about the current effect of the call, or None if there is none.

    Raises:
        Declined: The call is not confirmed, or its effect changed while the question was open.
    """
    question = await read_question()
    if question is None:
        return
    accepts_codes = confirmation.level == "ask" and call.context.confirm == "auto"
    codes = channel.codes if accepts_codes else None
    subject, problem = Subject(_identify(call), question.effect), None
    if codes and call.confirmation:
        problem = codes.redeem(call.confirmation, subject)
        if problem is None:
            return
    answer = channel.ask if isinstance(channel.ask, str) else await channel.ask(question)
    if not isinstance(answer, str) and answer.is_yes:
        if confirmation.read is not None and not _is_same(question, await read_question()):
            raise stale(call.tool.name)
        return
    is_refusal = not isinstance(answer, str) and answer.is_refusal
    code = codes.make(subject) if codes and not is_refusal else None
    raise refusal(call.tool.name, question, answer, code, problem)


def _is_same(question: Question, current: Question | None) -> bool:
    return current is not None and question.effect == current.effect


def _identify(call: Call) -> str:
    """Return the caller, the tool, the API and the arguments of a call as one text."""
    context = call.context
    parts = [context.principal, call.tool.name, context.client.origin, call.project, call.arguments]
    return json.dumps(parts, sort_keys=True)
