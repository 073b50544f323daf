"""The outbox: one row per message that would have been sent. Nothing leaves the machine."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from .store import Row, Store
from .timestamps import format_timestamp

# Why a message is sent.
CREATED: Final = "created"
RE_ENABLED: Final = "re-enabled"
TARGET_CHANGED: Final = "target changed"
TEST: Final = "test"

FIELDS: Final = ("at", "why", "channel", "recipients", "subscription", "subject", "message")
Message = dict[str, Any]


def add(store: Store, now: datetime, message: Message) -> None:
    """Add a message: `why`, `channel` and `recipients`, and optionally `subscription`, `subject` and `message`."""
    empty = dict.fromkeys(FIELDS)
    store.insert("outbox", doc=empty | {"at": format_timestamp(now)} | message)


def messages(store: Store) -> list[Message]:
    """All messages, oldest first: id, at, why, channel, recipients, subscription, subject, message."""
    return [{"id": row["id"], **row["doc"]} for row in store.all("select id, doc from outbox order by id")]


def deliver(store: Store, now: datetime, row: Row, message: Message) -> None:
    """Add a delivery of a subscription. The API stores webhooks, but never sends to one."""
    channel = row["doc"]["target_type"]
    if channel in ("email", "slack") and message["recipients"]:
        add(store, now, message | {"channel": channel, "subscription": row["id"]})


def recipients(doc: dict[str, Any]) -> list[str]:
    """The recipients of a subscription: e-mail addresses split at commas, untrimmed, or one Slack channel."""
    target: str = doc["target_value"]
    return target.split("|")[:1] if doc["target_type"] == "slack" else target.split(",")
