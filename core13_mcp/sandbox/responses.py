"""The API's responses: JSON, pages of a list, and errors in one common shape."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import Response

Headers = Mapping[str, str]
Item = TypeVar("Item")
DEFAULT_LIMIT: Final = 100
# The type and the usual code of an error, by status.
TYPES: Final = {
    400: ("validation_error", "invalid_input"),
    401: ("authentication_error", "authentication_failed"),
    402: ("server_error", "payment_required"),
    403: ("authentication_error", "permission_denied"),
    404: ("invalid_request", "not_found"),
    405: ("invalid_request", "method_not_allowed"),
    409: ("server_error", "conflict"),
    415: ("invalid_request", "unsupported_media_type"),
    429: ("throttled_error", "throttled"),
    500: ("server_error", "error"),
}
# The codes with another type than their status has.
TYPES_BY_CODE: Final = {"parse_error": "invalid_request", "limit_exceeded": "limit_exceeded"}


class APIError(Exception):
    """Ends a request with an error response and rolls back its transaction. The dispatcher catches it."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def api_error(
    status: int, detail: str, attr: str | None = None, code: str = "", headers: Headers | None = None
) -> APIError:
    """An error in the common shape; `attr` names the field at fault."""
    return APIError(json_response(status, error_body(status, detail, attr, code), headers))


def error_body(status: int, detail: str, attr: str | None = None, code: str = "") -> dict[str, Any]:
    kind, usual_code = TYPES[status]
    return {"type": TYPES_BY_CODE.get(code, kind), "code": code or usual_code, "detail": detail, "attr": attr}


def not_found() -> APIError:
    return api_error(404, "Not found.")


def server_error() -> Response:
    return api_error(500, "A server error occurred.").response


def json_response(status: int, body: Any, headers: Headers | None = None) -> Response:
    """A JSON response. Lone surrogates, which UTF-8 cannot encode, are escaped."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    try:
        content = text.encode()
    except UnicodeEncodeError:
        content = json.dumps(body, separators=(",", ":")).encode()
    return Response(content, status, headers, "application/json")


def page_response(request: Request, items: Sequence[Item], serialize: Callable[[Item], Any]) -> Response:
    """One page of a list. An invalid limit or offset is replaced by its default; a limit has no maximum."""
    limit = _number(request.query_params.get("limit"), minimum=1, default=DEFAULT_LIMIT)
    offset = _number(request.query_params.get("offset"), minimum=0, default=0)
    page = {
        "count": len(items),
        "next": _link(request, limit, offset + limit) if offset + limit < len(items) else None,
        "previous": _link(request, limit, offset - limit) if offset > 0 else None,
        "results": [serialize(item) for item in items[offset : offset + limit]],
    }
    return json_response(200, page)


def _number(value: str | None, *, minimum: int, default: int) -> int:
    try:
        number = int(value or "")
    except ValueError:
        return default
    return number if number >= minimum else default


def _link(request: Request, limit: int, offset: int) -> str:
    """An absolute link as Django REST Framework writes it: sorted parameters, no offset for the first page."""
    query = parse_qs(request.url.query, keep_blank_values=True) | {"limit": [str(limit)], "offset": [str(offset)]}
    if offset <= 0:
        del query["offset"]
    return str(request.url.replace(query=urlencode(sorted(query.items()), doseq=True)))
