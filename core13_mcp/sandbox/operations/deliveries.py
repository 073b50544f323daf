"""What the server sends when a subscription is created, changed or tested."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from ..context import RequestContext
from ..store import Doc, Row
from .subscription_change import Change
from .subscription_queries import resource_name
from .subscription_rules import DELIVERABLE

# A change of one of these fields, besides the target, changes what is delivered, or where.
CONTENT_FIELDS: Final = (
    "target_type", "integration_id", "prompt", "insight", "dashboard", "dashboard_export_insights",
)  # fmt: skip


def is_active(doc: Doc) -> bool:
    return bool(doc["enabled"] and not doc["deleted"])


def send_after_create(context: RequestContext, row: Row, message: str | None) -> None:
    if is_active(row["doc"]):
        deliver(context, row, "created", recipients(context, row["doc"]), message)


def send_after_change(context: RequestContext, row: Row, old: Doc, change: Change) -> None:
    """Send to new recipients only if the target changed, else to all, or to nobody, as the era requires."""
    doc, era, message = row["doc"], context.era, change.sent.get("invite_message")
    if not is_active(doc):
        return
    everybody = recipients(context, doc)
    if doc["target_value"] != old["target_value"]:
        previous = recipients(context, old) if doc["target_type"] == "email" else []
        new = [recipient for recipient in everybody if recipient not in previous]
        deliver(context, row, "target changed", new, message)
    elif change.enables_again and era.sends_when_resumed:
        deliver(context, row, "re-enabled", everybody, message)
    elif era.sends_new_content and any(doc.get(name) != old.get(name) for name in CONTENT_FIELDS):
        deliver(context, row, "content changed", everybody, message)


def recipients(context: RequestContext, doc: Doc) -> list[str]:
    """The recipients: e-mail addresses, one Slack channel, or the host of a Teams URL, which is a secret."""
    target: str = doc["target_value"]
    if doc["target_type"] == "slack":
        return target.split("|")[:1]
    if doc["target_type"] == "teams":
        return [urlsplit(target).hostname or ""]
    addresses = target.split(",")
    if context.era.trims_recipients:
        addresses = [address for address in dict.fromkeys(map(str.strip, addresses)) if address]
    return addresses


def deliver(context: RequestContext, row: Row, why: str, addressees: list[str], message: str | None) -> None:
    """Add a delivery to the outbox. A channel that does not exist any more disables the subscription instead."""
    doc = row["doc"]
    if doc["target_type"] not in DELIVERABLE:
        _disable(context, row)
    elif addressees:
        delivery = {"why": why, "channel": doc["target_type"], "recipients": addressees, "subscription": row["id"]}
        subject = doc["title"] or resource_name(context, doc)
        context.store.add_message(context.now, delivery | {"subject": subject, "message": message})


def _disable(context: RequestContext, row: Row) -> None:
    """Disable a subscription that cannot be delivered, and notify its creator by e-mail."""
    context.store.update("subscription", row["id"], row["doc"] | {"enabled": False})
    creator = context.store.value("select email from person where id = ?", row["doc"]["created_by"])
    subject = "Your PostHog subscription has been disabled automatically"
    notice = {"why": "disabled", "channel": "email", "recipients": [creator] if creator else []}
    context.store.add_message(context.now, notice | {"subscription": row["id"], "subject": subject})
