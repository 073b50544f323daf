"""The API's error responses: one JSON shape, and a few responses outside that shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

Headers = Mapping[str, str]
AUTHENTICATION: Final = "authentication_error"
INVALID_REQUEST: Final = "invalid_request"
SERVER: Final = "server_error"


class APIError(Exception):
    """Ends a request with an error response and rolls back its transaction."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def json_response(status: int, body: Any, headers: Headers | None = None) -> Response:
    """A JSON response. Lone surrogates, which UTF-8 cannot encode, are escaped."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    try:
        content = text.encode()
    except UnicodeEncodeError:
        content = json.dumps(body, separators=(",", ":")).encode()
    return Response(content, status, dict(headers or {}), "application/json")


def empty_response(status: int, headers: Headers | None = None) -> Response:
    """A response without a body."""
    return Response(None, status, dict(headers or {}))


def error_body(kind: str, code: str, detail: str, attr: str | None = None) -> dict[str, Any]:
    """The common JSON shape of an error; `attr` names the field at fault."""
    return {"type": kind, "code": code, "detail": detail, "attr": attr}


def api_error(status: int, body: Mapping[str, Any], headers: Headers | None = None) -> APIError:
    """An error with a JSON body."""
    return APIError(json_response(status, body, headers))


def raw(status: int, body: Mapping[str, str] | None) -> APIError:
    """An error outside the common shape; None sends no body."""
    return APIError(empty_response(status)) if body is None else api_error(status, body)


def invalid(detail: str, attr: str | None = None, code: str = "invalid_input") -> APIError:
    """400: the body or a query parameter is invalid."""
    return api_error(400, error_body("validation_error", code, detail, attr))


def parse_error(detail: str) -> APIError:
    """400: the body is not JSON."""
    return api_error(400, error_body(INVALID_REQUEST, "parse_error", detail))


def not_authenticated(scheme: str = "Bearer") -> APIError:
    """401: there are no credentials of the accepted scheme."""
    detail = "Authentication credentials were not provided."
    return api_error(401, error_body(AUTHENTICATION, "not_authenticated", detail), {"WWW-Authenticate": scheme})


def authentication_failed(detail: str) -> APIError:
    """401: the key or token is unknown or expired."""
    return api_error(401, error_body(AUTHENTICATION, "authentication_failed", detail), {"WWW-Authenticate": "Bearer"})


def permission_denied(detail: str, code: str = "permission_denied") -> APIError:
    """403: the caller may not do this."""
    return api_error(403, error_body(AUTHENTICATION, code, detail))


def payment_required(detail: str, code: str = "payment_required") -> APIError:
    """402: the plan of the organization does not include this."""
    return api_error(402, error_body(SERVER, code, detail))


def limit_exceeded(detail: str, extra: Mapping[str, Any]) -> APIError:
    """402: the project has reached a limit; `extra` describes it."""
    return api_error(402, error_body("limit_exceeded", "limit_exceeded", detail) | {"extra": extra})


def not_found(detail: str = "Not found.") -> APIError:
    """404: the object does not exist, or the caller cannot see it."""
    return api_error(404, error_body(INVALID_REQUEST, "not_found", detail))


def method_not_allowed(method: str, allowed: str) -> APIError:
    """405: the path exists, but not with this method."""
    body = error_body(INVALID_REQUEST, "method_not_allowed", f'Method "{method}" not allowed.')
    return api_error(405, body, {"Allow": allowed})


def conflict(detail: str) -> APIError:
    """409: the state of the object does not allow this."""
    return api_error(409, error_body(SERVER, "conflict", detail))


def unsupported_media_type(content_type: str) -> APIError:
    """415: the body is not `application/json`."""
    detail = f'Unsupported media type "{content_type}" in request.'
    return api_error(415, error_body(INVALID_REQUEST, "unsupported_media_type", detail))


def throttled(seconds: int) -> APIError:
    """429: a rate limit is reached; the caller may retry after so many seconds."""
    unit = "second" if seconds == 1 else "seconds"
    detail = f"Request was throttled. Expected available in {seconds} {unit}."
    return api_error(429, error_body("throttled_error", "throttled", detail), {"Retry-After": str(seconds)})


def server_error() -> APIError:
    """500: the server failed."""
    return api_error(500, error_body(SERVER, "error", "A server error occurred."))
