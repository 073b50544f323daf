"""Find, filter, search and order the subscriptions of a project by query parameters."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from functools import partial
from typing import Any, Final

from ..context import RequestContext
from ..responses import api_error, not_found
from ..store import Doc, Row
from ..validation import TRUE, parse_integer

ORDERS: Final = ("created_at", "next_delivery_date", "title", "created_by__email")


def find(context: RequestContext) -> Row:
    """The subscription of the path. The filters by insight, dashboard and deleted apply here too."""
    key = context.path["id"]
    if not re.fullmatch("[0-9]{1,18}", key):
        raise not_found()
    sql = "select * from subscription where project_id = ? and id = ?"
    rows = _filter(context, context.store.all(sql, context.project["id"], int(key)))
    if not rows:
        raise api_error(404, "No Subscription matches the given query.")
    return rows[0]


def search(context: RequestContext) -> list[Row]:
    """The subscriptions of the project that match the query parameters, in the requested order."""
    rows = _filter(context, context.store.all("select * from subscription where project_id = ?", context.project["id"]))
    if "deleted" not in context.query:
        rows = [row for row in rows if not row["doc"]["deleted"]]
    rows = _filter_for_lists(context, rows)
    terms = _terms(context.query.get("search", "").lower())
    return _order(context, [row for row in rows if _contains(context, row["doc"], terms)])


def _terms(search: str) -> list[str]:
    """The words of a search, separated by spaces and commas. A phrase in quotes is one term."""
    quoted_or_word = re.findall(r"\"([^\"]*)\"|'([^']*)'|([^\s,]+)", search)
    return [next(filter(None, groups), "") for groups in quoted_or_word]


def resource(context: RequestContext, doc: Doc) -> Doc:
    """The document of the dashboard or insight of a subscription; empty if it has a prompt."""
    table = "dashboard" if doc["dashboard"] is not None else "insight"
    row = context.store.one(f"select doc from {table} where id = ?", doc[table])
    return row["doc"] if row else {}


def resource_name(context: RequestContext, doc: Doc) -> str | None:
    """The name of what a subscription delivers. An AI report has its title, or the start of its prompt."""
    if doc.get("prompt"):
        return doc["title"] or str(doc["prompt"]).strip()[:60]
    shown = resource(context, doc)
    return shown.get("name") or shown.get("derived_name")


def _filter(context: RequestContext, rows: list[Row]) -> list[Row]:
    query = context.query
    for name in ("insight", "dashboard"):
        if name in query:
            number = parse_integer(query[name])
            if number is None:
                raise api_error(400, "Enter a whole number.", name)
            rows = [row for row in rows if row["doc"][name] == number]
    if "deleted" in query:
        deleted = query["deleted"].lower() in TRUE
        rows = [row for row in rows if row["doc"]["deleted"] == deleted]
    return rows


def _filter_for_lists(context: RequestContext, rows: list[Row]) -> list[Row]:
    creator, target, kind = (context.query.get(name) for name in ("created_by", "target_type", "resource_type"))
    if creator:
        try:
            uuid.UUID(creator)
        except ValueError:
            raise api_error(400, "Enter a valid UUID.", "created_by") from None
        user = context.store.value("select id from person where uuid = ?", creator.lower())
        rows = [row for row in rows if user is not None and row["doc"]["created_by"] == user]
    if target:
        if target not in context.era.target_types:
            raise api_error(400, f"Must be one of: {', '.join(sorted(context.era.target_types))}.", "target_type")
        rows = [row for row in rows if row["doc"]["target_type"] == target]
    column = {"dashboard": "dashboard", "insight": "insight"} | (
        {"ai_prompt": "prompt"} if context.era.ai_prompts else {}
    )
    if kind in column:
        rows = [row for row in rows if row["doc"].get(column[kind]) is not None]
    return rows


def _contains(context: RequestContext, doc: Doc, terms: list[str]) -> bool:
    """Whether every term is in the title or in the name of the resource."""
    shown = resource(context, doc)
    names = [name.lower() for name in (doc["title"], shown.get("name"), shown.get("derived_name")) if name]
    return all(any(term in name for name in names) for term in terms)


def _order(context: RequestContext, rows: list[Row]) -> list[Row]:
    """Order by the known names in `ordering`, else newest first. The id decides between equal rows."""
    names = [name.strip() for name in context.query.get("ordering", "").split(",")]
    names = [name for name in names if name.removeprefix("-") in ORDERS] or ["-created_at"]
    rows = sorted(rows, key=lambda row: row["id"], reverse=names[0].startswith("-"))
    for name in reversed(names):
        rows.sort(key=partial(_sort_key, context, name.removeprefix("-")), reverse=name.startswith("-"))
    return rows


def _sort_key(context: RequestContext, name: str, row: Row) -> tuple[bool, Any]:
    value = row["doc"].get(name)
    if name == "created_by__email":
        value = context.store.value("select email from person where id = ?", row["doc"]["created_by"])
    elif name != "title" and value is not None:
        value = datetime.fromisoformat(value)
    # Null sorts after every value, as in PostgreSQL.
    return (True, "") if value is None else (False, value)
