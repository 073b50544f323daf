"""Turns a response, or its absence, into a JSON value or an error with a next step. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

import httpx2

from ..api.exchange import APIRequest, APIResponse
from ..api.retry import AMBIGUOUS_STATUSES, NOT_SENT_ERRORS, retry_after
from ..errors import OutcomeUnknown, Refused, ToolError, Unavailable, Unreadable
from ..jsonio import parse_json
from ..redaction import redact
from ..text import may_have_invisible, render, single_line, strip_invisible
from .call import Call

# Next steps by status, or by status and error code. A declaration can replace them.
_HINTS = {
    "400": "Correct {field} and call again.",
    "401": "The key was not accepted: it is wrong, was revoked, or belongs to another region or host.",
    "403": "The key or its owner has no access to this, or the key lacks the scope {scope}.",
    "403 missing_scope": "No argument changes that: the person adds {scope} to the key in PostHog, Settings, "
    "Personal API keys.",
    "404": "There is no object with this id here: the id may be wrong, deleted, or from another project.",
    "405": "The API does not support this.",
    "409": "The current state of the object does not allow this.",
    "429": "The API limits the number of calls, and the wait is longer than the time limit of this call.",
}
_MAY_BE_APPLIED = (
    "An earlier attempt of this call had no clear outcome and may have been applied: check before you call again."
)
_API_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}")

# Codes for responses without a code of their own. They are the ones that the API uses elsewhere.
_CODES = {
    400: "bad_request",
    401: "not_authenticated",
    402: "payment_required",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    429: "throttled",
}
_NOT_SENT_PROBLEMS = {
    httpx2.ConnectError: "the connection failed",
    httpx2.ConnectTimeout: "the connection took too long",
    httpx2.PoolTimeout: "no connection became free in time",
    httpx2.ProxyError: "the proxy refused the connection or cannot be used",
}


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request of a call, after it was sent.

    Attributes:
        ambiguous: Whether an earlier attempt of the request may have been applied.
    """

    call: Call
    request: APIRequest
    ambiguous: bool = False


def parse_response(sent: SentRequest, response: APIResponse) -> Any:
    """Return the JSON object of a successful response without invisible characters, or None if it has no body.

    Raises:
        Refused, Unavailable, OutcomeUnknown, Unreadable: The response is an error or cannot be read.
    """
    if not 200 <= response.status < 300:
        raise _error(sent, response)
    if not response.body:
        return None
    try:
        value = parse_json(response.body)
    except ValueError:
        raise invalid_response(sent, "its body is not JSON", response.status) from None
    if not isinstance(value, dict):
        raise invalid_response(sent, "its body is not a JSON object", response.status)
    return strip_invisible(value) if may_have_invisible(response.body) else value


def from_transport_error(sent: SentRequest, error: httpx2.RequestError) -> ToolError:
    """Return the error for a request without a readable response."""
    if isinstance(error, NOT_SENT_ERRORS) and not sent.ambiguous:
        problem = next(text for kind, text in _NOT_SENT_PROBLEMS.items() if isinstance(error, kind))
        return Unavailable(
            f"{sent.call.tool.name}: the API could not be reached: {problem}; nothing was sent.",
            "Call again later. If that does not help, the administrator of this server can run `core13-mcp doctor`.",
            code="unreachable",
            retryable=True,
        )
    if not isinstance(error, httpx2.TransportError):
        return invalid_response(sent, "its body is too large or wrongly compressed")
    timed_out = isinstance(error, httpx2.TimeoutException)
    return _ambiguous_outcome(
        sent, "the API did not respond in time" if timed_out else "the connection to the API broke"
    )


def invalid_response(sent: SentRequest, problem: str, status: int | None = None) -> ToolError:
    """Return the error for a response that PostHog would not send."""
    reason = f"the API responded{f' with status {status}' if status else ''}, but {problem}"
    if not sent.request.repeatable:
        return _ambiguous_outcome(sent, reason, status)
    return Unreadable(
        f"{sent.call.tool.name}: {reason}.",
        "Another service than PostHog may run at this host. Calling again is safe.",
        status=status,
    )


def from_exception(call: Call, error: Exception, *, sent: bool) -> ToolError:
    """Return the error for an unexpected exception of this server. `sent`: a request may have been sent."""
    reason = "internal error of this server; its log has the details"
    if sent and not call.tool.repeatable:
        return _outcome_unknown(call, reason)
    return ToolError(f"{call.tool.name}: {reason}.")


class _APIError(NamedTuple):
    """The parts of an error body: PostHog's usual form, one of the two older forms, or nothing."""

    code: str = ""
    field: str | None = None
    message: str = ""


def _error(sent: SentRequest, response: APIResponse) -> ToolError:
    if response.status < 400:
        return invalid_response(sent, "that is a redirect, which is not followed", response.status)
    error = _parse_error(response, sent.call.secrets)
    reason = f"{response.status} {_phrase(response.status)}"
    if error.message:
        reason += f', the API says: "{error.message}"'
    if response.status not in AMBIGUOUS_STATUSES:
        return _refused(sent, response, error, reason)
    if not sent.request.repeatable:
        return _ambiguous_outcome(sent, f"the API failed with {reason}", response.status)
    wait = retry_after(response.headers)
    return Unavailable(
        f"{sent.call.tool.name}: {reason}",
        _call_again_in(wait) if wait else "Calling again later is safe.",
        status=response.status,
        retryable=True,
        retry_after=wait,
    )


def _refused(sent: SentRequest, response: APIResponse, error: _APIError, reason: str) -> Refused:
    status, scope = response.status, sent.call.tool.endpoint.scope
    code = "missing_scope" if status == 403 and scope and scope in error.message else error.code
    wait = retry_after(response.headers) if status == 429 else None
    warning = _MAY_BE_APPLIED if sent.ambiguous and sent.request.method != "GET" else ""
    return Refused(
        f"{sent.call.tool.name}: {reason}" + (f" (field {error.field})" if error.field else ""),
        _hint(sent.call, str(status), code, error.field),
        warning if wait is None else _call_again_in(wait),
        code=code or _CODES.get(status),
        status=status,
        field=error.field,
        retryable=status == 429,
        retry_after=wait,
    )


def _hint(call: Call, status: str, code: str = "", field: str | None = None) -> str:
    """Return the next step for a status and an error code, from the declaration or the general ones."""
    tool, exact = call.tool, f"{status} {code}"
    hints = (tool.hints.get(exact), _HINTS.get(exact), tool.hints.get(status), _HINTS.get(status))
    return render(
        next(filter(None, hints), ""),
        arguments=call.arguments,
        scope=tool.endpoint.scope or "of a login session",
        field=field if field in tool.arguments else "the argument that the API names",
    )


def _call_again_in(seconds: float) -> str:
    return f"Call again in {math.ceil(seconds)} s."


def _ambiguous_outcome(sent: SentRequest, reason: str, status: int | None = None) -> ToolError:
    if not sent.request.repeatable:
        return _outcome_unknown(sent.call, reason, status)
    return Unavailable(f"{sent.call.tool.name}: {reason}.", "Calling again is safe.", status=status, retryable=True)


def _outcome_unknown(call: Call, reason: str, status: int | None = None) -> ToolError:
    return OutcomeUnknown(
        f"{call.tool.name}: outcome unknown: {reason}. The request may have been applied; it was not sent again.",
        _hint(call, "unknown"),
        "Check before you call it again.",
        status=status,
    )


def _parse_error(response: APIResponse, secrets: tuple[str, ...]) -> _APIError:
    try:
        # Secrets are removed before the text is shortened, so that no part of one remains.
        body = redact(parse_json(response.body), secrets)
    except ValueError:
        return _APIError()
    if not isinstance(body, dict):
        return _APIError()
    texts = {name: value for name, value in body.items() if isinstance(value, str)}
    code, field = texts.get("code", ""), texts.get("attr")
    return _APIError(
        code if _API_CODE.fullmatch(code) else "",
        field and single_line(field, 60),
        single_line(texts.get("detail", texts.get("error", ""))).replace('"', "'").rstrip("."),
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "(unknown status)"
