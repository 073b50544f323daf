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
from .deliveries import deliver, recipients, send_after_change, send_after_create
from .subscription_change import kind_of
from .subscription_content import check_prompt_scope
from .subscription_fields import AI_DEFAULTS
from .subscription_limits import summary_quota
from .subscription_queries import find, resource, resource_name, search
from .subscription_rules import check

# How long a test delivery is in progress.
DELIVERY_TIME: Final = timedelta(seconds=5)


def list_all(context: RequestContext) -> Response:
    return page_response(context.request, search(context), lambda row: serialize(context, row))


def create(context: RequestContext) -> Response:
    """Create a subscription and send it, unless it is paused or deleted."""
    check_prompt_scope(context, None)
    change = check(context, None)
    delivery_date = next_delivery(change.new, context.now, context.era)
    created = {"created_at": format_timestamp(context.now), "created_by": context.principal.id}
    doc = change.new | created | {"delivering_until": None, "next_delivery_date": delivery_date}
    row = {"id": context.store.insert("subscription", project_id=context.project["id"], doc=doc), "doc": doc}
    send_after_create(context, row, change.sent.get("invite_message"))
    return json_response(201, serialize(context, row))


def retrieve(context: RequestContext) -> Response:
    return json_response(200, serialize(context, find(context)))


def update(context: RequestContext) -> Response:
    """Change a subscription, and send what the change requires."""
    row = find(context)
    check_prompt_scope(context, row)
    old = row["doc"]
    change = check(context, row)
    doc = dict(change.new)
    if change.enables_again or any(doc[name] != old[name] for name in SCHEDULE_FIELDS):
        doc["next_delivery_date"] = next_delivery(doc, context.now, context.era)
    row = {**row, "doc": doc}
    context.store.update("subscription", row["id"], doc)
    send_after_change(context, row, old, change)
    return json_response(200, serialize(context, row))


def destroy(context: RequestContext) -> Response:
    """Reject the request: DELETE is never allowed, for any id. The `Allow` header names it nevertheless."""
    return Response(None, 405, {"Allow": "GET, PATCH, DELETE, HEAD, OPTIONS"})


def test_delivery(context: RequestContext) -> Response:
    """Send a subscription to all recipients, as a test."""
    row = find(context)
    check_prompt_scope(context, row)
    doc = row["doc"]
    if doc["deleted"]:
        return Response(None, 404)
    if not doc["enabled"]:
        return json_response(409, {"detail": "Subscription is disabled. Re-enable it before sending a test delivery."})
    if doc["delivering_until"] and datetime.fromisoformat(doc["delivering_until"]) > context.now:
        return json_response(409, {"detail": "Delivery already in progress"})
    doc |= {"delivering_until": format_timestamp(context.now + DELIVERY_TIME)}
    context.store.update("subscription", row["id"], doc)
    deliver(context, row, "test", recipients(context, doc), None)
    return Response(None, 202)


def quota(context: RequestContext) -> Response:
    return json_response(200, summary_quota(context))


def serialize(context: RequestContext, row: Row) -> Doc:
    """The JSON representation of a subscription, in the order of the API's OpenAPI document."""
    doc = row["doc"]
    shown = {
        "id": row["id"],
        **pick(doc, ("dashboard", "insight")),
        "insight_short_id": resource(context, doc).get("short_id"),
        "resource_name": resource_name(context, doc),
        **pick(doc, ("dashboard_export_insights", "target_type", "target_value", *SCHEDULE_FIELDS, "created_at")),
        "created_by": user_summary(context.store, doc["created_by"]),
        **pick(doc, ("deleted", "enabled", "title")),
        "summary": summary(doc, context.era),
        **pick(doc, ("next_delivery_date", "integration_id")),
        "invite_message": None,
        **pick(doc, ("summary_enabled", "summary_prompt_guide")),
    }
    kind = kind_of(doc)
    more = AI_DEFAULTS | {"resource_type": "ai_prompt" if kind == "prompt" else kind, "prompt": doc.get("prompt")}
    return shown | pick(more, context.era.subscription_fields)
