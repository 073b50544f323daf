"""What the API says about a request that it refused, and what the caller can do next. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..api.exchange import APIResponse
from ..jsonio import parse_json
from ..origins import login_command
from ..redaction import redact
from ..templates.language import fill
from ..text import single_line, strip_invisible
from .call import Call

# Next steps by status, or by status and error code. A declaration can replace them, also by status and field.
_HINTS = {
    "400": "Correct {field} and call again.",
    "401": "The key was not accepted: it is wrong, was revoked, or belongs to another region or host.",
    "403": "The credentials or their owner have no access to this, or {scope} is missing.",
    "403 missing_scope": "No argument changes that: the person adds {scope} to the key in PostHog, Settings, "
    "Personal API keys.",
    "404": "There is no object with this id here: the id may be wrong, deleted, or from another project.",
    "405": "The API does not support this.",
    "409": "The current state of the object does not allow this.",
    "429": "The API limits the number of calls, and the wait is longer than the time limit of this call.",
}
# The same for the access token of a sign-in.
_SIGN_IN_HINTS = _HINTS | {
    "401": "PostHog did not accept the sign-in. If the next call fails too, the person runs `{login}` in a terminal.",
    "403 missing_scope": "No argument changes that: the person runs `{login}` in a terminal and allows {scope}.",
}
_API_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}")

_MISSING_SCOPE = re.compile(r"required scope '([a-z_]{1,40}:(?:read|write))'")

# The name of a field stands outside the quotation marks, so it must not be able to be a sentence.
_API_FIELD = re.compile(r"[A-Za-z0-9_.\[\]-]{1,60}")

# Codes for responses without a code of their own. They are the ones that the API uses elsewhere.
DEFAULT_CODES = {
    400: "bad_request",
    401: "not_authenticated",
    402: "payment_required",
    403: "permission_denied",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    429: "throttled",
}


class APIError(NamedTuple):
    """The parts of an error body in PostHog's usual form or in one of its two older forms."""

    code: str = ""
    field: str | None = None
    message: str = ""


def parse_error(response: APIResponse, secrets: tuple[str, ...]) -> APIError:
    """Read the body of an error response; the result is empty if it has another form."""
    try:
        body = parse_json(response.body)
    except ValueError:
        body = None
    fields = body if isinstance(body, dict) else {}
    texts = {name: fields[name] for name in ("code", "attr", "detail", "error") if isinstance(fields.get(name), str)}
    # Secrets are removed before a text is shortened, so that no part of one remains.
    texts = redact(strip_invisible(texts), secrets)
    code, field = texts.get("code", ""), texts.get("attr", "")
    return APIError(
        code if _API_CODE.fullmatch(code) else "",
        field if _API_FIELD.fullmatch(field) else None,
        single_line(texts.get("detail", texts.get("error", ""))).rstrip("."),
    )


def missing_scope(error: APIError, scope: str | None) -> str | None:
    """Return the scope that the text of an error names as missing. It can be another one than that of the tool."""
    if scope and scope in error.message:
        return scope
    match = _MISSING_SCOPE.search(error.message)
    return match[1] if match else None


def next_step(call: Call, status: str, code: str = "", field: str | None = None, scope: str | None = None) -> str:
    """Return the next step. The hints of the declaration come before the general ones."""
    tool, exact = call.tool, f"{status} {code}"
    declared = [tool.hints.get(key) for key in (f"{status} field {field or 'none'}", exact)]
    general = _SIGN_IN_HINTS if call.context.credentials.sign_in else _HINTS
    hints = (*declared, general.get(exact), tool.hints.get(status), general.get(status))
    return fill(
        next(filter(None, hints), ""),
        login=login_command(call.context.client.origin),
        arguments=dict(call.arguments),
        scope=scope or tool.endpoint.scope or "the rights of a login session",
        field=field if field in tool.arguments else "the argument that the API names",
    )
