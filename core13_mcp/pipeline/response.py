"""Turns a response, or its absence, into a JSON value or an error with a next step. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from http.client import responses
from typing import Any

import httpx2

from ..api.exchange import APIRequest, APIResponse
from ..api.failures import ConnectFailure, RenewalFailed
from ..api.retry import AMBIGUOUS_STATUSES, NOT_SENT_ERRORS, retry_after
from ..errors import OutcomeUnknown, Refused, ToolError, Unavailable, Unreadable
from ..jsonio import MAX_TOKENS, compact_json, has_more_tokens, parse_json
from ..redaction import has_secret, redact
from ..text import may_have_invisible, quote, strip_invisible
from .call import Call
from .refusal import DEFAULT_CODES, APIError, missing_scope, next_step, parse_error
from .tolerance import Reply

_MAY_BE_APPLIED = (
    "An earlier attempt of this call had no clear outcome and may have been applied: check before you call again."
)
_LATER = "Calling again later is safe."
_NOT_SENT_PROBLEMS = {
    httpx2.ConnectError: "the connection failed",
    httpx2.ConnectTimeout: "the connection took too long",
    httpx2.PoolTimeout: "no connection became free in time",
    httpx2.LocalProtocolError: "the request cannot be sent as HTTP",
}


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request of a call, after it was sent. If it is ambiguous, an earlier attempt may have been applied."""

    call: Call
    request: APIRequest
    ambiguous: bool = False


def parse_response(sent: SentRequest, response: APIResponse) -> Any:
    """Return the JSON object of a response without invisible characters and secrets, or None if there is no body.

    Raises:
        ToolError: The response is an error or cannot be read.
    """
    if not 200 <= response.status < 300:
        raise _error(sent, response)
    if not response.body:
        return None
    if has_more_tokens(response.body, MAX_TOKENS):
        raise invalid_response(sent, f"its body has more than {MAX_TOKENS:,} values", response.status)
    try:
        value = parse_json(response.body, MAX_TOKENS)
    except ValueError:
        raise invalid_response(sent, "its body is not JSON", response.status) from None
    if may_have_invisible(response.body):
        value = strip_invisible(value)
    # Before the projection, which shortens texts: a part of a secret would not match.
    secrets = sent.call.secrets
    return redact(value, secrets) if has_secret(compact_json(value), secrets) else value


def from_transport_error(sent: SentRequest, error: httpx2.RequestError) -> ToolError:
    """Return the error for a request without a readable response."""
    if isinstance(error, NOT_SENT_ERRORS) and not sent.ambiguous:
        return _unreachable(sent, error)
    if not isinstance(error, httpx2.TransportError):
        return invalid_response(sent, "its body is too large or wrongly compressed")
    timed_out = isinstance(error, httpx2.TimeoutException)
    reason = "the API did not respond in time" if timed_out else "the connection to the API broke"
    if not sent.request.repeatable:
        return _outcome_unknown(sent.call, reason)
    return Unavailable(f"{sent.call.tool.name}: {reason}.", _repeat(sent, "Calling again is safe."), retryable=True)


def _unreachable(sent: SentRequest, error: httpx2.RequestError) -> ToolError:
    is_permanent = isinstance(error, ConnectFailure)
    if isinstance(error, RenewalFailed):
        problem, step = str(error), "Call again later."
    elif is_permanent:
        problem = str(error)
        step = "The same call fails until the administrator of this server corrects this; `core13-mcp doctor` helps."
    else:
        reason = next(text for kind, text in _NOT_SENT_PROBLEMS.items() if isinstance(error, kind))
        problem = f"the API could not be reached at {sent.call.context.client.origin}: {reason}"
        step = "Call again later. If that does not help, the administrator of this server can run `core13-mcp doctor`."
    message = f"{sent.call.tool.name}: {problem}; nothing was sent."
    return Unavailable(message, step, code="unreachable", retryable=not is_permanent)


def invalid_response(sent: SentRequest, problem: str, status: int | None = None) -> ToolError:
    """Return the error for a response that PostHog would not send."""
    reason = f"the API responded{f' with status {status}' if status else ''}, but {problem}"
    if not sent.request.repeatable:
        return _outcome_unknown(sent.call, reason, status)
    return Unreadable(
        f"{sent.call.tool.name}: {reason}.",
        f"A server other than PostHog may be running at this host. {_repeat(sent, 'Calling again is safe.')}",
        status=status,
    )


def require_evidence(sent: SentRequest, reply: Reply) -> None:
    """Raise ToolError if a response does not show that the API did what the call asks for.

    A read has no effect to show. Its result describes a response with an unexpected form.
    """
    tool, body = sent.call.tool, reply.value
    is_usual = body is None or isinstance(body, dict)
    is_shown = tool.evidence.is_in(reply.status, body, sent.request.body) if tool.evidence else is_usual
    if tool.read_only or is_shown:
        return
    received = f"the body {quote(compact_json(body))}" if body is not None else "no body"
    reason = f"the API responded with status {reply.status} and {received}, which does not show that it was done"
    raise _outcome_unknown(sent.call, reason, reply.status)


def interrupted(call: Call, reason: str, *, sent: bool) -> ToolError:
    """Return the error for a call without a response, before or after a request was `sent`."""
    if sent and not call.tool.repeatable:
        return _outcome_unknown(call, reason)
    return ToolError(f"{call.tool.name}: {reason}.")


def _error(sent: SentRequest, response: APIResponse) -> ToolError:
    if response.status < 400:
        return invalid_response(sent, "that is a redirect, which is not followed", response.status)
    reason = f"{response.status} {responses.get(response.status, '(unknown status)')}"
    if _is_html(response):
        return _foreign(sent, response, reason)
    error = parse_error(response, sent.call.secrets)
    if error.message:
        reason += f", the API says: {quote(error.message)}"
    if response.status not in AMBIGUOUS_STATUSES:
        return _refused(sent, response, error, reason)
    if not sent.request.repeatable:
        return _outcome_unknown(sent.call, f"the API failed with {reason}", response.status)
    wait = retry_after(response.headers)
    return Unavailable(
        f"{sent.call.tool.name}: {reason}",
        _repeat(sent, _call_again_in(wait) if wait else _LATER),
        status=response.status,
        retryable=True,
        retry_after=wait,
    )


def _repeat(sent: SentRequest, step: str) -> str:
    """Return the step after a repeatable request without a clear response. A write may have had its effect."""
    return step if sent.request.method == "GET" else f"The change may have been applied. {step}"


def _is_html(response: APIResponse) -> bool:
    return response.headers.get("Content-Type", "").startswith("text/html") or response.body.lstrip()[:1] == b"<"


def _foreign(sent: SentRequest, response: APIResponse, reason: str) -> ToolError:
    """Return the error for an HTML page instead of PostHog's JSON, such as that of a firewall or a sign-in page."""
    reason = f"{reason} with an HTML page, which does not come from the API but from a proxy, firewall or gateway"
    is_temporary = response.status in AMBIGUOUS_STATUSES
    if is_temporary and not sent.request.repeatable:
        return _outcome_unknown(sent.call, reason, response.status)
    step = _repeat(sent, _LATER) if is_temporary else "No argument changes that: tell the person."
    kind = Unavailable if is_temporary else Unreadable
    return kind(f"{sent.call.tool.name}: {reason}.", step, status=response.status, retryable=is_temporary)


def _refused(sent: SentRequest, response: APIResponse, error: APIError, reason: str) -> Refused:
    status = response.status
    scope = missing_scope(error, sent.call.tool.endpoint.scope) if status == 403 else None
    code = "missing_scope" if scope else error.code
    wait = retry_after(response.headers) if status == 429 else None
    warning = _MAY_BE_APPLIED if sent.ambiguous and sent.request.method != "GET" else ""
    return Refused(
        f"{sent.call.tool.name}: {reason}" + (f" (field {error.field})" if error.field else ""),
        next_step(sent.call, str(status), code, error.field, scope),
        warning if wait is None else _call_again_in(wait),
        code=code or DEFAULT_CODES.get(status),
        status=status,
        field=error.field,
        retryable=status == 429,
        retry_after=wait,
    )


def _call_again_in(seconds: float) -> str:
    return f"Call again in {math.ceil(seconds)} s."


def _outcome_unknown(call: Call, reason: str, status: int | None = None) -> ToolError:
    return OutcomeUnknown(
        f"{call.tool.name}: outcome unknown: {reason}. The request may have been applied; it was not sent again.",
        next_step(call, "unknown"),
        "Calling again is safe." if call.tool.repeatable else "Check before you call it again.",
        status=status,
    )
