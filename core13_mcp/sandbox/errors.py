"""How the API says no: one shape nearly everywhere, and the few answers that do not use it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

VALIDATION = "validation_error"
REQUEST = "invalid_request"
AUTHENTICATION = "authentication_error"
SERVER = "server_error"


def answer(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer. Lone surrogates, which UTF-8 cannot carry, travel escaped."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    try:
        content = text.encode()
    except UnicodeEncodeError:
        content = json.dumps(body, separators=(",", ":")).encode()
    return Response(content, status, dict(headers or {}), "application/json")


def empty(status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(None, status, dict(headers or {}))


class Refusal(Exception):
    """Ends a request and rolls its transaction back; carries the whole answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def refusal(
    status: int,
    kind: str,
    code: str,
    detail: str,
    attr: str | None = None,
    *,
    extra: dict[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Refusal:
    body = {"type": kind, "code": code, "detail": detail, "attr": attr}
    return Refusal(answer(status, body | ({"extra": extra} if extra else {}), headers))


def bare(status: int, body: dict[str, str] | None) -> Refusal:
    """One of the hand-built answers outside the common shape; without a body for None."""
    return Refusal(empty(status) if body is None else answer(status, body))


def invalid(detail: str, attr: str | None = None, code: str = "invalid_input") -> Refusal:
    return refusal(400, VALIDATION, code, detail, attr)


def malformed(detail: str) -> Refusal:
    return refusal(400, REQUEST, "parse_error", detail)


def unauthenticated(scheme: str = "Bearer") -> Refusal:
    text = "Authentication credentials were not provided."
    return refusal(401, AUTHENTICATION, "not_authenticated", text, headers={"WWW-Authenticate": scheme})


def bad_credential(detail: str, scheme: str = "Bearer") -> Refusal:
    return refusal(401, AUTHENTICATION, "authentication_failed", detail, headers={"WWW-Authenticate": scheme})


def denied(detail: str, code: str = "permission_denied") -> Refusal:
    return refusal(403, AUTHENTICATION, code, detail)


def payment_required(detail: str, code: str = "payment_required") -> Refusal:
    return refusal(402, SERVER, code, detail)


def not_found(detail: str = "Not found.") -> Refusal:
    return refusal(404, REQUEST, "not_found", detail)


def not_allowed(method: str, allowed: str) -> Refusal:
    detail = f'Method "{method}" not allowed.'
    return refusal(405, REQUEST, "method_not_allowed", detail, headers={"Allow": allowed})


def conflict(detail: str) -> Refusal:
    return refusal(409, SERVER, "conflict", detail)


def unsupported(content_type: str) -> Refusal:
    return refusal(415, REQUEST, "unsupported_media_type", f'Unsupported media type "{content_type}" in request.')


def throttled(seconds: int) -> Refusal:
    unit = "second" if seconds == 1 else "seconds"
    detail = f"Request was throttled. Expected available in {seconds} {unit}."
    return refusal(429, "throttled_error", "throttled", detail, headers={"Retry-After": str(seconds)})


def broken() -> Refusal:
    return refusal(500, SERVER, "error", "A server error occurred.")
