"""The seven subscription endpoints."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from starlette.responses import Response

from . import errors, outbox
from .call import Call
from .fields import TRUE, fits, is_uuid, whole
from .pages import page
from .people import basic
from .schedule import FIELDS as SCHEDULE
from .schedule import next_date, summary
from .store import Row
from .subscription_rules import Doc, check, summary_quota
from .times import moment, stamp

RUNNING: Final = timedelta(seconds=5)
"""How long a test delivery is under way."""


def listing(call: Call) -> Response:
    rows = _filtered(call, "select * from subscription where project_id = ?", call.project["id"])
    if "deleted" not in call.query:
        rows = [row for row in rows if not row["doc"]["deleted"]]
    for choose in (_by_creator, _by_target, _by_resource, _by_search):
        rows = choose(call, rows)
    return page(call, _ordered(call, rows), lambda row: render(call, row))


def create(call: Call) -> Response:
    sent, doc = check(call, None)
    doc |= {"created_at": stamp(call.now), "created_by": call.caller.id, "delivering_until": None}
    doc["next_delivery_date"] = next_date(doc, call.now)
    row = {"id": call.store.insert("subscription", project_id=call.project["id"], doc=doc), "doc": doc}
    if doc["enabled"] and not doc["deleted"]:
        _send(call, outbox.CREATED, row, outbox.addresses(doc), sent)
    return errors.answer(201, render(call, row))


def retrieve(call: Call) -> Response:
    return errors.answer(200, render(call, _found(call)))


def update(call: Call) -> Response:
    row = _found(call)
    sent, doc = check(call, row)
    old, row = row["doc"], {**row, "doc": doc}
    re_enabled = doc["enabled"] and not old["enabled"]
    if re_enabled or any(doc[name] != old[name] for name in SCHEDULE):
        doc["next_delivery_date"] = next_date(doc, call.now)
    call.store.write("subscription", row["id"], doc)
    if doc["enabled"] and not doc["deleted"]:
        _announce(call, row, old, sent)
    return errors.answer(200, render(call, row))


def _announce(call: Call, row: Row, old: Doc, sent: Doc) -> None:
    """What a change of a subscription that is on sends: everybody when it was off, else only who is new."""
    doc = row["doc"]
    if not old["enabled"]:
        _send(call, outbox.RE_ENABLED, row, outbox.addresses(doc), sent)
    elif doc["target_value"] != old["target_value"]:
        known = old["target_value"].split(",") if doc["target_type"] == "email" else []
        added = [address for address in outbox.addresses(doc) if address not in known]
        _send(call, outbox.TARGET_CHANGED, row, added, sent)


def _send(call: Call, why: str, row: Row, recipients: list[str], sent: Doc) -> None:
    told = {"subject": row["doc"]["title"] or _resource(call, row["doc"]).get("name")}
    outbox.deliver(call.store, call.now, why, row, recipients, **told, message=sent.get("invite_message"))


def destroy(call: Call) -> Response:
    """Never allowed, and nothing is looked up: the answer is empty, and offers DELETE all the same."""
    return errors.empty(405, {"Allow": "GET, PATCH, DELETE, HEAD, OPTIONS"})


def test_delivery(call: Call) -> Response:
    row = _found(call)
    doc = row["doc"]
    if doc["deleted"]:
        raise errors.bare(404, None)
    if not doc["enabled"]:
        raise errors.bare(409, {"detail": "This subscription is disabled. Enable it to send a test delivery."})
    if doc["delivering_until"] and moment(doc["delivering_until"]) > call.now:
        raise errors.bare(409, {"detail": "A test delivery of this subscription is already in progress."})
    call.store.write("subscription", row["id"], doc | {"delivering_until": stamp(call.now + RUNNING)})
    _send(call, outbox.TEST, row, outbox.addresses(doc), {})
    return errors.empty(202)


def quota(call: Call) -> Response:
    return errors.answer(200, summary_quota(call))


def _found(call: Call) -> Row:
    """The subscription a path names; the list's filters by insight, dashboard and deleted hold here too."""
    spelled = call.path["id"]
    number = whole(spelled) if re.fullmatch(r"[0-9]+", spelled) else None
    if number is None or not fits(number):
        raise errors.not_found()
    sql = "select * from subscription where project_id = ? and id = ?"
    rows = _filtered(call, sql, call.project["id"], number)
    if not rows:
        raise errors.not_found("No Subscription matches the given query.")
    return rows[0]


def _filtered(call: Call, sql: str, *values: Any) -> list[Row]:
    rows = call.store.all(sql, *values)
    for name in ("insight", "dashboard"):
        if name in call.query:
            number = whole(call.query[name])
            if number is None:
                raise errors.invalid("Enter a whole number.", name)
            rows = [row for row in rows if row["doc"][name] == number]
    if "deleted" in call.query:
        wanted = call.query["deleted"].lower() in TRUE
        rows = [row for row in rows if row["doc"]["deleted"] == wanted]
    return rows


def _by_creator(call: Call, rows: list[Row]) -> list[Row]:
    spelled = call.query.get("created_by")
    if not spelled:
        return rows
    if not is_uuid(spelled):
        raise errors.invalid("Enter a valid UUID.", "created_by")
    wanted = call.store.value("select id from person where uuid = ?", spelled.lower())
    return [row for row in rows if wanted is not None and row["doc"]["created_by"] == wanted]


def _by_target(call: Call, rows: list[Row]) -> list[Row]:
    wanted = call.query.get("target_type")
    if not wanted:
        return rows
    if wanted not in ("email", "slack", "webhook"):
        detail = f"Select a valid choice. {wanted} is not one of the available choices."
        raise errors.invalid(detail, "target_type", "invalid_choice")
    return [row for row in rows if row["doc"]["target_type"] == wanted]


def _by_resource(call: Call, rows: list[Row]) -> list[Row]:
    wanted = call.query.get("resource_type")
    if wanted not in ("dashboard", "insight"):
        return rows
    return [row for row in rows if row["doc"][wanted] is not None]


def _by_search(call: Call, rows: list[Row]) -> list[Row]:
    words = re.split(r"[\s,]+", call.query.get("search", "").strip().lower())
    return [row for row in rows if all(_matches(word, _searched(call, row["doc"])) for word in words if word)]


def _matches(word: str, texts: list[str]) -> bool:
    return any(word in text.lower() for text in texts)


def _searched(call: Call, doc: Doc) -> list[str]:
    resource = _resource(call, doc)
    return [text for text in (doc["title"], resource.get("name"), resource.get("derived_name")) if text]


def _ordered(call: Call, rows: list[Row]) -> list[Row]:
    """By the known names among those asked for, else newest first. The id decides between equals."""
    asked = [name.strip() for name in call.query.get("ordering", "").split(",")]
    known = [name for name in asked if name.removeprefix("-") in ORDERS] or ["-created_at"]
    rows = sorted(rows, key=lambda row: row["id"], reverse=known[0].startswith("-"))
    for name in reversed(known):
        value = ORDERS[name.removeprefix("-")]
        # Nothing sorts after everything, as in the server's database.
        values = {row["id"]: _last_when_none(value(call, row["doc"])) for row in rows}
        rows.sort(key=lambda row: values[row["id"]], reverse=name.startswith("-"))
    return rows


def _last_when_none(value: Any) -> tuple[bool, Any]:
    return (True, "") if value is None else (False, value)


def _date(name: str) -> Callable[[Call, Doc], Any]:
    return lambda call, doc: moment(doc[name]).timestamp() if doc[name] else None


def _creator_email(call: Call, doc: Doc) -> Any:
    return call.store.value("select email from person where id = ?", doc["created_by"])


ORDERS: Final[dict[str, Callable[[Call, Doc], Any]]] = {
    "created_at": _date("created_at"),
    "next_delivery_date": _date("next_delivery_date"),
    "title": lambda call, doc: doc["title"],
    "created_by__email": _creator_email,
}


def _resource(call: Call, doc: Doc) -> Doc:
    table = "dashboard" if doc["dashboard"] is not None else "insight"
    row = call.store.one(f"select doc from {table} where id = ?", doc[table])
    return row["doc"] if row else {}


def render(call: Call, row: Row) -> dict[str, Any]:
    """A subscription as it is answered, in the order of the API's document."""
    doc = row["doc"]
    resource = _resource(call, doc)
    shown = (
        "dashboard_export_insights",
        "target_type",
        "target_value",
        "frequency",
        "interval",
        "byweekday",
        "bysetpos",
    )
    rest = ("count", "start_date", "until_date", "created_at")
    state = ("deleted", "enabled", "title")
    return {
        "id": row["id"],
        "dashboard": doc["dashboard"],
        "insight": doc["insight"],
        "insight_short_id": resource.get("short_id"),
        "resource_name": resource.get("name") or resource.get("derived_name"),
        **{name: doc[name] for name in (*shown, *rest)},
        "created_by": basic(call.store, doc["created_by"]),
        **{name: doc[name] for name in state},
        "summary": summary(doc),
        "next_delivery_date": doc["next_delivery_date"],
        "integration_id": doc["integration_id"],
        "invite_message": None,
        "summary_enabled": doc["summary_enabled"],
        "summary_prompt_guide": doc["summary_prompt_guide"],
    }
