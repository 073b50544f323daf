"""From the API's answer, or its silence, to a JSON value or an error that says what to do. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import httpx2

from ..api.exchange import APIRequest, APIResponse
from ..api.retry import AMBIGUOUS_STATUSES, NOT_SENT_ERRORS, retry_after
from ..declarations.model import Declaration
from ..errors import OutcomeUnknown, Refused, ToolError, Unavailable, Unreadable
from ..jsonio import JSON, parse_json
from ..redaction import redact
from ..text import is_plain_ascii, render, single_line, strip_invisible

_GENERAL = {
    "400": "Correct {field} and call again.",
    "401": "The key was not accepted: it is wrong, revoked, or belongs to another region or host than this server's.",
    "403": "The key or its owner has no access to this, or the key lacks the scope {scope}.",
    "403 missing_scope": "No argument changes that: the person adds {scope} to the key in PostHog, Settings, "
    "Personal API keys.",
    "404": "Nothing has this id here: it may be wrong, deleted, or in another project.",
    "405": "The API never does this.",
    "409": "What is there now stands against it.",
    "429": "The API limits calls, and the wait does not fit into this one.",
}
_TWICE = "An earlier try of this same call got no clear answer: it may have done it already, so look first."
_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}")
_CODES = {400: "bad_request", 401: "not_authenticated", 402: "payment_required", 403: "permission_denied"}
_CODES |= {404: "not_found", 405: "method_not_allowed", 409: "conflict", 429: "throttled"}
# Where the API gives no code of its own: the one it gives elsewhere, so that programs know one vocabulary.


def parse_response(
    tool: Declaration,
    request: APIRequest,
    answer: APIResponse,
    arguments: JSON,
    *,
    unclear: bool = False,
    secrets: Iterable[str] = (),
) -> Any:
    """The JSON value of a success, stripped of what cannot be seen; None where the API answers nothing.

    `unclear` says that an earlier try of the same request got no clear answer and may have been acted on. `secrets` are taken
    out of the API's words before those are cut, so that not even a part of one remains.

    Raises:
        Refused, Unavailable, OutcomeUnknown, Unreadable: It is not a success, or cannot be read.
    """
    if not 200 <= answer.status < 300:
        raise _failure(tool, request, answer, arguments, unclear, secrets)
    if not answer.body:
        return None
    try:
        value = parse_json(answer.body)
    except ValueError:
        raise invalid_response(tool, request, arguments, answer.status, "its body is not JSON") from None
    if not isinstance(value, dict):
        raise invalid_response(tool, request, arguments, answer.status, "its body is not a JSON object")
    return value if is_plain_ascii(answer.body) else strip_invisible(value)


def from_transport_error(
    tool: Declaration, request: APIRequest, error: httpx2.RequestError, arguments: JSON, *, unclear: bool = False
) -> ToolError:
    """What to say when there was no answer that could be read."""
    if isinstance(error, NOT_SENT_ERRORS) and not unclear:
        return Unavailable(
            f"{tool.name}: the API could not be reached ({type(error).__name__}); nothing was sent.",
            "Call again later; if it stays so, whoever runs this server should run `core13-mcp doctor`.",
            code="unreachable",
            retryable=True,
        )
    if not isinstance(error, httpx2.TransportError):
        return invalid_response(tool, request, arguments, None, "it is too large or wrongly packed")
    how = "did not answer in time" if isinstance(error, httpx2.TimeoutException) else "broke off"
    return _unclear(tool, request, arguments, f"the API {how} ({type(error).__name__})", None)


def invalid_response(
    tool: Declaration, request: APIRequest, arguments: JSON, status: int | None, why: str
) -> ToolError:
    """What to say of an answer that the API itself would not give."""
    said = f"the API answered {status}, but {why}" if status else f"the API answered, but {why}"
    if not request.repeatable:
        return _unclear(tool, request, arguments, said, status)
    return Unreadable(
        f"{tool.name}: {said}.",
        "Something other than PostHog may answer at this host; calling again is safe, if it is likely to help.",
        status=status,
    )


def from_exception(tool: Declaration, arguments: JSON, error: Exception, *, sent: bool) -> ToolError:
    """What to say when this server itself failed, `sent` if that may have been after it sent something."""
    said = f"this server failed ({type(error).__name__}); its log says where"
    if sent and not tool.repeatable:
        return _unknown(tool, arguments, said, None)
    return ToolError(f"{tool.name}: {said}.")


def hint(tool: Declaration, key: str, code: str, arguments: JSON, field: str | None = None) -> str:
    """What the declaration says of this status and code, or of this status, or what holds for every tool."""
    exact = f"{key} {code}"
    found = tool.hints.get(exact) or _GENERAL.get(exact) or tool.hints.get(key) or _GENERAL.get(key, "")
    named = field if field in tool.arguments else "what the API names"
    return render(found, arguments=arguments, scope=tool.endpoint.scope or "of a login session", field=named)


def _failure(
    tool: Declaration, request: APIRequest, answer: APIResponse, arguments: JSON, unclear: bool, secrets: Iterable[str]
) -> ToolError:
    status, wait = answer.status, retry_after(answer.headers)
    code, field, words = _words(answer, secrets)
    said = f"{status} {_phrase(status)}" + (f', the API says: "{words}"' if words else "")
    if status == 403 and tool.endpoint.scope and tool.endpoint.scope in words:
        code = "missing_scope"
    if status < 400:
        return invalid_response(tool, request, arguments, status, "that leads elsewhere, which is not followed")
    if status in AMBIGUOUS_STATUSES and not request.repeatable:
        return _unclear(tool, request, arguments, f"the API failed with {said}", status)
    if status >= 500:
        later = f"Call again in {math.ceil(wait)} s." if wait else "Calling again later is safe."
        return Unavailable(f"{tool.name}: {said}", later, status=status, retryable=True, retry_after=wait)
    waiting = f"Call again in {math.ceil(wait)} s." if status == 429 and wait is not None else ""
    return Refused(
        f"{tool.name}: {said}" + (f" (field {field})" if field else ""),
        hint(tool, str(status), code, arguments, field),
        waiting or (_TWICE if unclear and request.method != "GET" else ""),
        code=code or _CODES.get(status),
        status=status,
        field=field,
        retryable=status == 429,
        retry_after=wait if status == 429 else None,
    )


def _unclear(tool: Declaration, request: APIRequest, arguments: JSON, said: str, status: int | None) -> ToolError:
    if request.repeatable:
        return Unavailable(f"{tool.name}: {said}.", "Calling again is safe.", status=status, retryable=True)
    return _unknown(tool, arguments, said, status)


def _unknown(tool: Declaration, arguments: JSON, said: str, status: int | None) -> ToolError:
    return OutcomeUnknown(
        f"{tool.name}: outcome unknown: {said}. It may have happened; it was not sent again.",
        hint(tool, "unknown", "", arguments),
        "Do not call it again before you know.",
        status=status,
    )


def _words(answer: APIResponse, secrets: Iterable[str]) -> tuple[str, str | None, str]:
    """The API's own code, field and words: its usual shape, the two hand-made ones, or nothing."""
    try:
        body = redact(parse_json(answer.body), secrets)
    except ValueError:
        return "", None, ""
    if not isinstance(body, dict):
        return "", None, ""
    code, field = (body.get(name) if isinstance(body.get(name), str) else None for name in ("code", "attr"))
    words = next((body[name] for name in ("detail", "error") if isinstance(body.get(name), str)), "")
    return (
        code if code and _CODE.fullmatch(code) else "",
        field and single_line(field, 60),
        single_line(words).replace('"', "'").rstrip("."),
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "(unknown status)"
