"""What would have been sent: a row for each message, because nothing leaves the machine."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from .store import Row, Store
from .times import stamp

CREATED: Final = "created"
RE_ENABLED: Final = "re-enabled"
TARGET_CHANGED: Final = "target changed"
TEST: Final = "test"


def put(store: Store, now: datetime, why: str, channel: str, recipients: list[str], **rest: Any) -> None:
    doc = {"at": stamp(now), "why": why, "channel": channel, "recipients": recipients, "subscription": None}
    store.insert("outbox", doc=doc | {"subject": None, "message": None} | rest)


def rows(store: Store) -> list[dict[str, Any]]:
    """All messages, oldest first: id, at, why, channel, recipients, subscription, subject, message."""
    return [{"id": row["id"], **row["doc"]} for row in store.all("select id, doc from outbox order by id")]


def deliver(store: Store, now: datetime, why: str, row: Row, recipients: list[str], **rest: Any) -> None:
    """A delivery of a subscription. Webhooks are stored by the API, but nothing is ever sent to one."""
    channel = row["doc"]["target_type"]
    if channel in ("email", "slack") and recipients:
        put(store, now, why, channel, recipients, subscription=row["id"], **rest)


def addresses(doc: dict[str, Any]) -> list[str]:
    """Who a subscription reaches: e-mail addresses split at commas as they are, or one Slack channel."""
    value: str = doc["target_value"]
    return value.split("|")[:1] if doc["target_type"] == "slack" else value.split(",")
