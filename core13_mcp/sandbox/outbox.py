"""The outbox: one row per message that would have been sent. Nothing leaves the machine."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from .store import Doc, Store, format_timestamp

FIELDS: Final = ("at", "why", "channel", "recipients", "subscription", "subject", "message")


def add(store: Store, now: datetime, message: Doc) -> None:
    """Add a message: `why`, `channel` and `recipients`, and optionally `subscription`, `subject` and `message`."""
    store.insert("outbox", doc=dict.fromkeys(FIELDS) | {"at": format_timestamp(now)} | message)


def messages(store: Store) -> list[Doc]:
    """All messages, oldest first: the id and the `FIELDS`."""
    return [{"id": row["id"], **row["doc"]} for row in store.all("select id, doc from outbox order by id")]
