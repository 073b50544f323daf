"""Lists by limit and offset, with links that are absolute and keep the rest of the query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urlencode

from starlette.responses import Response

from . import errors
from .call import Call

DEFAULT_LIMIT: Final = 100
Item = TypeVar("Item")


def page(call: Call, found: Sequence[Item], render: Callable[[Item], Any]) -> Response:
    """One page. A limit or offset that is none falls back in silence, and no limit is too large."""
    limit = _number(call.query.get("limit"), least=1, fallback=DEFAULT_LIMIT)
    offset = _number(call.query.get("offset"), least=0, fallback=0)
    return errors.answer(
        200,
        {
            "count": len(found),
            "next": _link(call, limit, offset + limit) if offset + limit < len(found) else None,
            "previous": _link(call, limit, offset - limit) if offset > 0 else None,
            "results": [render(item) for item in found[offset : offset + limit]],
        },
    )


def _number(spelled: str | None, *, least: int, fallback: int) -> int:
    try:
        number = int(spelled or "")
    except ValueError:
        return fallback
    return number if number >= least else fallback


def _link(call: Call, limit: int, offset: int) -> str:
    """As Django REST Framework writes it: parameters by name, no offset for the first page."""
    query = parse_qs(call.request.url.query, keep_blank_values=True)
    query["limit"], query["offset"] = [str(limit)], [str(offset)]
    if offset <= 0:
        del query["offset"]
    return str(call.request.url.replace(query=urlencode(sorted(query.items()), doseq=True)))
