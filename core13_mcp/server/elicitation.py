"""Asks the person behind an MCP client, over old and new protocol versions."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import mcp_types as types
from mcp.server import ServerRequestContext
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError, NoBackChannelError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from ..pipeline.confirm import Confirmer, Decision
from ..pipeline.question import Question

# Seconds for which a question waits for its answer, and for which an answer is valid.
CONFIRMATION_TTL = 300.0

# The form has no fields: accepting it is the answer.
_EMPTY_FORM = {"type": "object", "properties": {}}


class InputRequired(Exception):
    """The client must ask the person and send the request again (protocol 2026-07-28)."""

    def __init__(self, result: types.InputRequiredResult) -> None:
        super().__init__()
        self.result = result


class UsedNonces:
    """Nonces that this process consumed during the last `CONFIRMATION_TTL` seconds. Other replicas have their own."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._expiry: dict[str, float] = {}

    def consume(self, nonce: str) -> bool:
        """Mark a nonce as used, and return whether it was unused."""
        now = self._clock()
        self._expiry = {used: expiry for used, expiry in self._expiry.items() if expiry > now}
        unused = nonce not in self._expiry
        self._expiry.setdefault(nonce, now + CONFIRMATION_TTL)
        return unused


class Elicitor:
    """Asks questions, and accepts each answer once.

    On connections of the 2025 protocols, the server sends an elicitation request while the call waits. On 2026-07-28
    it returns `input_required` with a state, and the client sends the call again with the answer. The SDK binds the
    state to the caller, the tool, the arguments and the time. This class adds the question, and a nonce against replay.
    """

    def __init__(self) -> None:
        self._nonces = UsedNonces()

    def for_request(self, request: ServerRequestContext[Any], params: types.CallToolRequestParams) -> Confirmer | None:
        """Return a function that asks the person behind a request, or None if the client cannot ask."""
        if not _supports_forms(request.session.client_capabilities):
            return None
        if request.protocol_version in MODERN_PROTOCOL_VERSIONS:
            return self._ask_by_result(params)
        return _ask_by_request(request) if request.session.can_send_request else None

    def _ask_by_result(self, params: types.CallToolRequestParams) -> Confirmer:
        async def ask(question: Question) -> Decision:
            response = (params.input_responses or {}).get("confirm")
            # The state of another version of this server has another form. It does not match, and the person is
            # asked again.
            nonce, _, digest = (params.request_state or "").partition(" ")
            if (
                isinstance(response, types.ElicitResult)
                and digest == _digest(question.effect)
                and self._nonces.consume(nonce)
            ):
                return "accepted" if response.action == "accept" else "declined"
            raise InputRequired(_input_required(question))

        return ask


def request_state_middleware(name: str, principal: Any, keys: Sequence[str] = ()) -> RequestStateBoundary:
    """Return the SDK's middleware that encrypts the state of a confirmation, which the client carries.

    It refuses the state of a request whose `principal` differs. Without `keys`, this process uses a random one.
    """
    security = RequestStateSecurity(
        keys=list(keys) or [secrets.token_bytes(32)], ttl=CONFIRMATION_TTL, bind_principal=principal
    )
    return RequestStateBoundary(security, default_audience=name)


def _ask_by_request(request: ServerRequestContext[Any]) -> Confirmer:
    async def ask(question: Question) -> Decision:
        with anyio.move_on_after(CONFIRMATION_TTL):
            try:
                answer = await request.session.elicit_form(
                    question.text, _EMPTY_FORM, related_request_id=request.request_id
                )
            except (NoBackChannelError, MCPError):
                return "unable"
            return "accepted" if answer.action == "accept" else "declined"
        return "declined"

    return ask


def _supports_forms(client: types.ClientCapabilities | None) -> bool:
    # A client that names no mode of elicitation supports forms.
    elicitation = client.elicitation if client else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def _input_required(question: Question) -> types.InputRequiredResult:
    state = f"{secrets.token_urlsafe(12)} {_digest(question.effect)}"
    form = types.ElicitRequestFormParams(message=question.text, requested_schema=_EMPTY_FORM)
    return types.InputRequiredResult(input_requests={"confirm": types.ElicitRequest(params=form)}, request_state=state)


def _digest(effect: str) -> str:
    return hashlib.sha256(effect.encode()).hexdigest()
