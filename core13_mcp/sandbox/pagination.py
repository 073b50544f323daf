"""Pagination by `limit` and `offset`, with absolute links that keep the other query parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urlencode

from starlette.responses import Response

from . import errors
from .context import RequestContext

DEFAULT_LIMIT: Final = 100
Item = TypeVar("Item")


def paginate(context: RequestContext, items: Sequence[Item], serialize: Callable[[Item], Any]) -> Response:
    """Return one page. An invalid limit or offset is replaced by its default; a limit has no maximum."""
    limit = _number(context.query.get("limit"), minimum=1, default=DEFAULT_LIMIT)
    offset = _number(context.query.get("offset"), minimum=0, default=0)
    page = {
        "count": len(items),
        "next": _link(context, limit, offset + limit) if offset + limit < len(items) else None,
        "previous": _link(context, limit, offset - limit) if offset > 0 else None,
        "results": [serialize(item) for item in items[offset : offset + limit]],
    }
    return errors.json_response(200, page)


def _number(value: str | None, *, minimum: int, default: int) -> int:
    try:
        number = int(value or "")
    except ValueError:
        return default
    return number if number >= minimum else default


def _link(context: RequestContext, limit: int, offset: int) -> str:
    """A link as Django REST Framework writes it: parameters sorted by name, no offset for the first page."""
    query = parse_qs(context.request.url.query, keep_blank_values=True)
    query["limit"], query["offset"] = [str(limit)], [str(offset)]
    if offset <= 0:
        del query["offset"]
    return str(context.request.url.replace(query=urlencode(sorted(query.items()), doseq=True)))
