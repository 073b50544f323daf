"""The seven operations on subscriptions."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from starlette.responses import Response

from ..context import RequestContext
from ..responses import json_response, page_response
from ..schedule import SCHEDULE_FIELDS, next_delivery, summary
from ..serializers import pick, user_summary
from ..store import Doc, Row, format_timestamp
from .subscription_queries import find, resource, search
from .subscription_rules import check, summary_quota

# How long a test delivery is in progress.
DELIVERY_TIME: Final = timedelta(seconds=5)


def list_all(context: RequestContext) -> Response:
    return page_response(context.request, search(context), lambda row: serialize(context, row))


def create(context: RequestContext) -> Response:
    """Create a subscription and send it, unless it is paused or deleted."""
    change = check(context, None)
    created = {"created_at": format_timestamp(context.now), "created_by": context.principal.id}
    doc = (
        change.new | created | {"delivering_until": None, "next_delivery_date": next_delivery(change.new, context.now)}
    )
    row = {"id": context.store.insert("subscription", project_id=context.project["id"], doc=doc), "doc": doc}
    if _is_active(doc):
        _send(context, row, "created", _recipients(doc), change.sent.get("invite_message"))
    return json_response(201, serialize(context, row))


def retrieve(context: RequestContext) -> Response:
    return json_response(200, serialize(context, find(context)))


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
    if _is_active(doc) and change.enables_again:
        _send(context, row, "re-enabled", _recipients(doc), message)
    elif _is_active(doc) and doc["target_value"] != old["target_value"]:
        previous = old["target_value"].split(",") if doc["target_type"] == "email" else []
        new = [recipient for recipient in _recipients(doc) if recipient not in previous]
        _send(context, row, "target changed", new, message)
    return json_response(200, serialize(context, row))


def _is_active(doc: Doc) -> bool:
    return bool(doc["enabled"] and not doc["deleted"])


def _recipients(doc: Doc) -> list[str]:
    """The recipients of a subscription: e-mail addresses split at commas, untrimmed, or one Slack channel."""
    target: str = doc["target_value"]
    return target.split("|")[:1] if doc["target_type"] == "slack" else target.split(",")


def _send(context: RequestContext, row: Row, why: str, recipients: list[str], message: str | None) -> None:
    """Add a delivery to the outbox. The API stores webhooks, but never sends to one."""
    channel = row["doc"]["target_type"]
    if channel != "webhook" and recipients:
        subject = row["doc"]["title"] or resource(context, row["doc"]).get("name")
        delivery = {"why": why, "channel": channel, "recipients": recipients, "subscription": row["id"]}
        context.store.add_message(context.now, delivery | {"subject": subject, "message": message})


def destroy(context: RequestContext) -> Response:
    """Reject the request: DELETE is never allowed, for any id. The `Allow` header names it nevertheless."""
    return Response(None, 405, {"Allow": "GET, PATCH, DELETE, HEAD, OPTIONS"})


def test_delivery(context: RequestContext) -> Response:
    """Send a subscription to all recipients, as a test."""
    row = find(context)
    doc = row["doc"]
    if doc["deleted"]:
        return Response(None, 404)
    if not doc["enabled"]:
        return json_response(409, {"detail": "This subscription is disabled. Enable it to send a test delivery."})
    if doc["delivering_until"] and datetime.fromisoformat(doc["delivering_until"]) > context.now:
        return json_response(409, {"detail": "A test delivery of this subscription is already in progress."})
    until = format_timestamp(context.now + DELIVERY_TIME)
    context.store.update("subscription", row["id"], doc | {"delivering_until": until})
    _send(context, row, "test", _recipients(doc), None)
    return Response(None, 202)


def quota(context: RequestContext) -> Response:
    return json_response(200, summary_quota(context))


def serialize(context: RequestContext, row: Row) -> Doc:
    """The JSON representation of a subscription, in the order of the API's OpenAPI document."""
    doc = row["doc"]
    shown = resource(context, doc)
    return {
        "id": row["id"],
        **pick(doc, ("dashboard", "insight")),
        "insight_short_id": shown.get("short_id"),
        "resource_name": shown.get("name") or shown.get("derived_name"),
        **pick(doc, ("dashboard_export_insights", "target_type", "target_value", *SCHEDULE_FIELDS, "created_at")),
        "created_by": user_summary(context.store, doc["created_by"]),
        **pick(doc, ("deleted", "enabled", "title")),
        "summary": summary(doc),
        **pick(doc, ("next_delivery_date", "integration_id")),
        "invite_message": None,
        **pick(doc, ("summary_enabled", "summary_prompt_guide")),
    }
