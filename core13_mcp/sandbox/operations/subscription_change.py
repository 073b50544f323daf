"""A requested change of a subscription."""

from __future__ import annotations

from dataclasses import dataclass

from ..context import RequestContext
from ..store import Doc, Row


@dataclass(frozen=True)
class Change:
    """A requested change: the fields that were sent, and the subscription before (None on create) and after it."""

    context: RequestContext
    sent: Doc
    old: Doc | None
    new: Doc

    @property
    def enables_again(self) -> bool:
        """Whether the change enables a paused subscription."""
        return self.old is not None and not self.old["enabled"] and bool(self.new["enabled"])

    @property
    def restores(self) -> bool:
        """Whether the change restores a deleted subscription."""
        return self.old is not None and bool(self.old["deleted"]) and not self.new["deleted"]


def find_resource(context: RequestContext, table: str, number: int) -> Row | None:
    """A dashboard or insight that is not deleted."""
    row = context.store.one(f"select * from {table} where id = ?", number)
    return row if row and not row["doc"]["deleted"] else None


def kind_of(doc: Doc) -> str | None:
    """What a subscription delivers: `insight`, `dashboard` or `prompt`; None if it has none of them."""
    return next((name for name in ("insight", "dashboard", "prompt") if doc.get(name)), None)
