"""The seven operations on subscriptions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from starlette.responses import Response

from .. import errors, outbox
from ..context import RequestContext
from ..pagination import paginate
from ..schedule import SCHEDULE_FIELDS, next_delivery, summary
from ..serializers import user_summary
from ..store import Row
from ..timestamps import format_timestamp, parse_timestamp
from .subscription_queries import find, resource, search
from .subscription_rules import check, summary_quota

Doc = dict[str, Any]
# How long a test delivery is in progress.
DELIVERY_TIME: Final = timedelta(seconds=5)


def list_all(context: RequestContext) -> Response:
    """Return the subscriptions of the project, filtered and ordered."""
    return paginate(context, search(context), lambda row: serialize(context, row))


def create(context: RequestContext) -> Response:
    """Create a subscription and send it, unless it is paused or deleted."""
    change = check(context, None)
    created = {"created_at": format_timestamp(context.now), "created_by": context.principal.id}
    doc = change.new | created | {"delivering_until": None}
    doc["next_delivery_date"] = next_delivery(doc, context.now)
    row = {"id": context.store.insert("subscription", project_id=context.project["id"], doc=doc), "doc": doc}
    if _is_active(doc):
        _send(context, row, outbox.CREATED, outbox.recipients(doc), change.sent.get("invite_message"))
    return errors.json_response(201, serialize(context, row))


def retrieve(context: RequestContext) -> Response:
    """Return one subscription."""
    return errors.json_response(200, serialize(context, find(context)))


def update(context: RequestContext) -> Response:
    """Change a subscription, and send it to new recipients, or to all if it is enabled again."""
    row = find(context)
    old = row["doc"]
    change = check(context, row)
    doc = dict(change.new)
    if change.enables_again or any(doc[name] != old[name] for name in SCHEDULE_FIELDS):
        doc["next_delivery_date"] = next_delivery(doc, context.now)
    row = {**row, "doc": doc}
    context.store.update("subscription", row["id"], doc)
    message = change.sent.get("invite_message")
    if _is_active(doc) and not old["enabled"]:
        _send(context, row, outbox.RE_ENABLED, outbox.recipients(doc), message)
    elif _is_active(doc) and doc["target_value"] != old["target_value"]:
        _send(context, row, outbox.TARGET_CHANGED, _new_recipients(old, doc), message)
    return errors.json_response(200, serialize(context, row))


def _is_active(doc: Doc) -> bool:
    return bool(doc["enabled"] and not doc["deleted"])


def _new_recipients(old: Doc, new: Doc) -> list[str]:
    previous = old["target_value"].split(",") if new["target_type"] == "email" else []
    return [recipient for recipient in outbox.recipients(new) if recipient not in previous]


def _send(context: RequestContext, row: Row, why: str, recipients: list[str], message: str | None) -> None:
    subject = row["doc"]["title"] or resource(context, row["doc"]).get("name")
    delivery = {"why": why, "recipients": recipients, "subject": subject, "message": message}
    outbox.deliver(context.store, context.now, row, delivery)


def destroy(context: RequestContext) -> Response:
    """Reject the request: DELETE is never allowed, for any id. The `Allow` header names it nevertheless."""
    return errors.empty_response(405, {"Allow": "GET, PATCH, DELETE, HEAD, OPTIONS"})


def test_delivery(context: RequestContext) -> Response:
    """Send a subscription to all recipients, as a test."""
    row = find(context)
    doc = row["doc"]
    if doc["deleted"]:
        raise errors.raw(404, None)
    if not doc["enabled"]:
        raise errors.raw(409, {"detail": "This subscription is disabled. Enable it to send a test delivery."})
    if doc["delivering_until"] and parse_timestamp(doc["delivering_until"]) > context.now:
        raise errors.raw(409, {"detail": "A test delivery of this subscription is already in progress."})
    until = format_timestamp(context.now + DELIVERY_TIME)
    context.store.update("subscription", row["id"], doc | {"delivering_until": until})
    _send(context, row, outbox.TEST, outbox.recipients(doc), None)
    return errors.empty_response(202)


def quota(context: RequestContext) -> Response:
    """Return the number of AI summaries and their limit."""
    return errors.json_response(200, summary_quota(context))


def serialize(context: RequestContext, row: Row) -> Doc:
    """The JSON representation of a subscription, in the order of the API's OpenAPI document."""
    doc = row["doc"]
    shown = resource(context, doc)
    schedule = ("frequency", "interval", "byweekday", "bysetpos", "count", "start_date", "until_date")
    stored = ("dashboard_export_insights", "target_type", "target_value", *schedule, "created_at")
    return {
        "id": row["id"],
        "dashboard": doc["dashboard"],
        "insight": doc["insight"],
        "insight_short_id": shown.get("short_id"),
        "resource_name": shown.get("name") or shown.get("derived_name"),
        **{name: doc[name] for name in stored},
        "created_by": user_summary(context.store, doc["created_by"]),
        **{name: doc[name] for name in ("deleted", "enabled", "title")},
        "summary": summary(doc),
        "next_delivery_date": doc["next_delivery_date"],
        "integration_id": doc["integration_id"],
        "invite_message": None,
        "summary_enabled": doc["summary_enabled"],
        "summary_prompt_guide": doc["summary_prompt_guide"],
    }
