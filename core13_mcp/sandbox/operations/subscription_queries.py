"""Find, filter, search and order the subscriptions of a project by query parameters."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from .. import errors
from ..context import RequestContext
from ..store import Row
from ..timestamps import parse_timestamp
from ..validators import TRUE, is_uuid, is_valid_key, parse_integer
from .subscription_fields import TARGET_TYPES

Doc = dict[str, Any]


def find(context: RequestContext) -> Row:
    """The subscription of the path. The filters by insight, dashboard and deleted apply here too.

    Raises:
        APIError: 404.
    """
    key = context.path["id"]
    number = int(key) if re.fullmatch(r"[0-9]{1,1000}", key) else None
    if number is None or not is_valid_key(number):
        raise errors.not_found()
    sql = "select * from subscription where project_id = ? and id = ?"
    rows = _filter(context, context.store.all(sql, context.project["id"], number))
    if not rows:
        raise errors.not_found("No Subscription matches the given query.")
    return rows[0]


def search(context: RequestContext) -> list[Row]:
    """The subscriptions of the project that match the query parameters, in the requested order.

    Raises:
        APIError: 400 for an invalid filter.
    """
    rows = _filter(context, context.store.all("select * from subscription where project_id = ?", context.project["id"]))
    if "deleted" not in context.query:
        rows = [row for row in rows if not row["doc"]["deleted"]]
    for choose in (_by_creator, _by_target, _by_resource, _by_words):
        rows = choose(context, rows)
    return _order(context, rows)


def resource(context: RequestContext, doc: Doc) -> Doc:
    """The document of the dashboard or insight of a subscription."""
    table = "dashboard" if doc["dashboard"] is not None else "insight"
    row = context.store.one(f"select doc from {table} where id = ?", doc[table])
    return row["doc"] if row else {}


def _filter(context: RequestContext, rows: list[Row]) -> list[Row]:
    query = context.query
    for name in ("insight", "dashboard"):
        if name in query:
            number = parse_integer(query[name])
            if number is None:
                raise errors.invalid("Enter a whole number.", name)
            rows = [row for row in rows if row["doc"][name] == number]
    if "deleted" in query:
        deleted = query["deleted"].lower() in TRUE
        rows = [row for row in rows if row["doc"]["deleted"] == deleted]
    return rows


def _by_creator(context: RequestContext, rows: list[Row]) -> list[Row]:
    uuid = context.query.get("created_by")
    if not uuid:
        return rows
    if not is_uuid(uuid):
        raise errors.invalid("Enter a valid UUID.", "created_by")
    creator = context.store.value("select id from person where uuid = ?", uuid.lower())
    return [row for row in rows if creator is not None and row["doc"]["created_by"] == creator]


def _by_target(context: RequestContext, rows: list[Row]) -> list[Row]:
    target = context.query.get("target_type")
    if not target:
        return rows
    if target not in TARGET_TYPES:
        detail = f"Select a valid choice. {target} is not one of the available choices."
        raise errors.invalid(detail, "target_type", "invalid_choice")
    return [row for row in rows if row["doc"]["target_type"] == target]


def _by_resource(context: RequestContext, rows: list[Row]) -> list[Row]:
    kind = context.query.get("resource_type")
    if kind not in ("dashboard", "insight"):
        return rows
    return [row for row in rows if row["doc"][kind] is not None]


def _by_words(context: RequestContext, rows: list[Row]) -> list[Row]:
    """The subscriptions with every word of `search` in the title or in the name of the resource."""
    words = re.split(r"[\s,]+", context.query.get("search", "").strip().lower())

    def matches(doc: Doc) -> bool:
        shown = resource(context, doc)
        names = [name.lower() for name in (doc["title"], shown.get("name"), shown.get("derived_name")) if name]
        return all(any(word in name for name in names) for word in words if word)

    return [row for row in rows if matches(row["doc"])]


def _date(name: str) -> Callable[[RequestContext, Doc], Any]:
    return lambda context, doc: parse_timestamp(doc[name]).timestamp() if doc[name] else None


def _creator_email(context: RequestContext, doc: Doc) -> Any:
    return context.store.value("select email from person where id = ?", doc["created_by"])


ORDERS: Final[dict[str, Callable[[RequestContext, Doc], Any]]] = {
    "created_at": _date("created_at"),
    "next_delivery_date": _date("next_delivery_date"),
    "title": lambda context, doc: doc["title"],
    "created_by__email": _creator_email,
}


def _order(context: RequestContext, rows: list[Row]) -> list[Row]:
    """Order by the known names in `ordering`, else newest first. The id decides between equal rows."""
    names = [name.strip() for name in context.query.get("ordering", "").split(",")]
    names = [name for name in names if name.removeprefix("-") in ORDERS] or ["-created_at"]
    rows = sorted(rows, key=lambda row: row["id"], reverse=names[0].startswith("-"))
    for name in reversed(names):
        value = ORDERS[name.removeprefix("-")]
        # Null sorts after every value, as in PostgreSQL.
        keys = {row["id"]: _null_last(value(context, row["doc"])) for row in rows}
        rows.sort(key=lambda row: keys[row["id"]], reverse=name.startswith("-"))
    return rows


def _null_last(value: Any) -> tuple[bool, Any]:
    return (True, "") if value is None else (False, value)
