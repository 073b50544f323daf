"""How a person is asked through an MCP client, in both eras of the protocol."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Sequence
from typing import Any

import anyio
import mcp_types as types
from mcp.server import ServerRequestContext
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError, NoBackChannelError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from ..pipeline.call import Confirmer
from ..pipeline.confirm import Decision

CONFIRMATION_TTL = 300.0
"""Seconds for which a question waits for its answer, and an answer may be used."""

_FORM = {"type": "object", "properties": {}}
# Nothing to fill in: accepting is the answer.


class InputRequired(Exception):
    """The client has to ask the person and call again (2026-07-28)."""

    def __init__(self, result: types.InputRequiredResult) -> None:
        super().__init__()
        self.result = result


class Elicitor:
    """Asks, and lets each answer be used once.

    On 2025-era connections the question is an elicitation while the call waits. On 2026-07-28 it goes back as
    `input_required`, with a state that the SDK seals to the caller, the tool, the arguments and the time; ours
    adds the question itself, so that an answer to another question does not count, and a number used once. Which
    numbers were used is known to this process only: another replica would take the same answer again.
    """

    def __init__(self) -> None:
        self._used: dict[str, float] = {}

    def through(self, context: ServerRequestContext[Any], params: types.CallToolRequestParams) -> Confirmer | None:
        """How to ask the person behind this request; None where the client cannot."""
        session = context.session
        able = _takes_forms(session.client_capabilities)
        if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
            return self._by_return(params) if able else None
        return _by_request(context) if able and session.can_send_request else None

    def _by_return(self, params: types.CallToolRequestParams) -> Confirmer:
        async def ask(question: str) -> Decision:
            answer = self._answered(question, params)
            if answer is None:
                raise InputRequired(_required(question))
            return "accepted" if answer == "accept" else "declined"

        return ask

    def _answered(self, question: str, params: types.CallToolRequestParams) -> str | None:
        """What was answered to this very question, if it was asked and the answer was not used before."""
        response = (params.input_responses or {}).get("confirm")
        if params.request_state is None or not isinstance(response, types.ElicitResult):
            return None
        state = json.loads(params.request_state)
        if state["question"] != _digest(question) or not self._use(state["once"]):
            return None
        return response.action

    def _use(self, once: str) -> bool:
        now = time.monotonic()
        self._used = {number: until for number, until in self._used.items() if until > now}
        fresh = once not in self._used
        self._used.setdefault(once, now + CONFIRMATION_TTL)
        return fresh


def request_state_middleware(name: str, principal: Any, keys: Sequence[str] = ()) -> RequestStateBoundary:
    """The SDK's middleware that seals what a client carries between two rounds, under shared keys or a fresh one."""
    security = RequestStateSecurity(
        keys=list(keys) or [secrets.token_bytes(32)], ttl=CONFIRMATION_TTL, bind_principal=principal
    )
    return RequestStateBoundary(security, default_audience=name)


def _by_request(context: ServerRequestContext[Any]) -> Confirmer:
    async def ask(question: str) -> Decision:
        with anyio.move_on_after(CONFIRMATION_TTL):
            try:
                answer = await context.session.elicit_form(question, _FORM, related_request_id=context.request_id)
            except (NoBackChannelError, MCPError):
                return "unable"
            return "accepted" if answer.action == "accept" else "declined"
        return "declined"

    return ask


def _takes_forms(client: types.ClientCapabilities | None) -> bool:
    """Whether the client shows forms; one that names no kind of elicitation means them."""
    asks = client.elicitation if client else None
    return asks is not None and (asks.form is not None or asks.url is None)


def _required(question: str) -> types.InputRequiredResult:
    state = json.dumps({"question": _digest(question), "once": secrets.token_urlsafe(12)})
    form = types.ElicitRequestFormParams(message=question, requested_schema=_FORM)
    return types.InputRequiredResult(input_requests={"confirm": types.ElicitRequest(params=form)}, request_state=state)


def _digest(question: str) -> str:
    return hashlib.sha256(question.encode()).hexdigest()
