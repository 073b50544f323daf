"""Shows a question as a form to the person behind an MCP client, over old and new protocol versions."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import anyio
import mcp_types as types
from mcp.server import ServerRequestContext
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError, NoBackChannelError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from ..api.exchange import ProgressCallback
from ..pipeline.confirm import Answer, Confirmer, Obstacle
from ..pipeline.confirmation_code import UsedOnce
from ..pipeline.question import Question

# Seconds for which the SDK accepts the state of a question. Answers after the timeout of the question are refused with
# an explanation, and answers after this time with a protocol error.
STATE_TTL = 7200.0

# Seconds between two progress notifications while a question is open. Many clients end a call without any after 60 s.
PROGRESS_INTERVAL = 10.0

# The name of the only field of the form.
_FIELD = "confirm"

Request = ServerRequestContext[Any]


class InputRequired(Exception):
    """The client must ask the person and repeat the request (protocol 2026-07-28)."""

    def __init__(self, result: types.InputRequiredResult) -> None:
        super().__init__()
        self.result = result


class State(NamedTuple):
    """What the server knows about an open question, in a text that the client carries.

    Attributes:
        nonce: A random text, so that each answer counts once.
        digest: A hash of the effect that the question states.
        asked: The time of the question, in seconds since 1970.
    """

    nonce: str
    digest: str
    asked: float

    def __str__(self) -> str:
        return f"{self.nonce} {self.digest} {self.asked:.3f}"

    @classmethod
    def parse(cls, text: str) -> State | None:
        """Parse a state; another version of this server may have written it in another form."""
        try:
            nonce, digest, asked = text.split(" ")
            return cls(nonce, digest, float(asked))
        except ValueError:
            return None


class Elicitor:
    """Asks questions, and accepts each answer once.

    On connections of the 2025 protocols, the server sends an elicitation request while the call waits. On 2026-07-28
    it returns `input_required` with a state, and the client repeats the call with the answer. The SDK binds the
    state to the caller, the tool, the arguments and the time. This class adds the effect, the time of the question,
    and a nonce against replay.
    """

    def __init__(self) -> None:
        self._nonces = UsedOnce(STATE_TTL)

    def for_request(
        self, request: Request, params: types.CallToolRequestParams, timeout: float, report: ProgressCallback
    ) -> Confirmer | Obstacle:
        """Return a function that asks the person behind a request within `timeout` seconds, or why that is impossible.

        `report` receives the progress while a question is open.
        """
        client = request.session.client_capabilities
        if request.protocol_version in MODERN_PROTOCOL_VERSIONS:
            return self._ask_by_result(params, timeout) if _supports_forms(client) else "client"
        if request.session.can_send_request:
            return _ask_by_request(request, timeout, report) if _supports_forms(client) else "client"
        # Without a session, the capabilities of a client are unknown.
        return "transport" if client is None or _supports_forms(client) else "client"

    def _ask_by_result(self, params: types.CallToolRequestParams, timeout: float) -> Confirmer:
        async def ask(question: Question) -> Answer:
            result = (params.input_responses or {}).get(_FIELD)
            state = State.parse(params.request_state or "")
            if state is None or not isinstance(result, types.ElicitResult) or not self._nonces.consume(state.nonce):
                raise InputRequired(_input_required(question))
            # The clock of the replica that asked may be ahead.
            seconds = max(time.time() - state.asked, 0.0)
            answer = _answer(result, seconds) if seconds <= timeout else Answer("timeout", seconds=timeout)
            if answer.is_yes and state.digest != _digest(question.effect):
                raise InputRequired(_input_required(question))
            return answer

        return ask


def request_state_middleware(name: str, principal: Any, keys: Sequence[str]) -> RequestStateBoundary:
    """Return the SDK's middleware that encrypts the state of a confirmation, which the client carries.

    It refuses the state of a request with another `principal`.
    """
    security = RequestStateSecurity(keys=list(keys), ttl=STATE_TTL, bind_principal=principal)
    return RequestStateBoundary(security, default_audience=name)


def _ask_by_request(request: Request, timeout: float, report: ProgressCallback) -> Confirmer:
    async def ask(question: Question) -> Answer:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_report_waiting, report)
            answer = Answer("timeout", seconds=timeout)
            with anyio.move_on_after(timeout):
                answer = await _elicit(request, question)
            tasks.cancel_scope.cancel()
        return answer

    return ask


async def _elicit(request: Request, question: Question) -> Answer:
    started = anyio.current_time()
    try:
        form = _form(question)
        result = await request.session.elicit_form(question.text, form, related_request_id=request.request_id)
    except ValidationError:
        return Answer("error", detail="the answer is not valid")
    except (NoBackChannelError, MCPError) as error:
        return Answer("closed" if error.code == types.CONNECTION_CLOSED else "error", detail=str(error))
    return _answer(result, anyio.current_time() - started)


async def _report_waiting(report: ProgressCallback) -> None:
    while True:
        await report("waiting for the answer to a question")
        await anyio.sleep(PROGRESS_INTERVAL)


def _supports_forms(client: types.ClientCapabilities | None) -> bool:
    # A client that names no mode of elicitation supports forms.
    elicitation = client.elicitation if client else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def _input_required(question: Question) -> types.InputRequiredResult:
    state = State(secrets.token_urlsafe(12), _digest(question.effect), time.time())
    form = types.ElicitRequestFormParams(message=question.text, requested_schema=_form(question))
    request = types.ElicitRequest(params=form)
    return types.InputRequiredResult(input_requests={_FIELD: request}, request_state=str(state))


def _form(question: Question) -> dict[str, Any]:
    """Return the schema of a form with one field, which is true if the person agrees.

    Some clients accept a form without fields by themselves.
    """
    field = {"type": "boolean", "title": question.title}
    return {"type": "object", "properties": {_FIELD: field}, "required": [_FIELD]}


def _answer(result: types.ElicitResult, seconds: float) -> Answer:
    return Answer(result.action, confirmed=(result.content or {}).get(_FIELD) is True, seconds=seconds)


def _digest(effect: str) -> str:
    return hashlib.sha256(effect.encode()).hexdigest()
