"""Moments as the API writes them: ISO 8601 in UTC with ``Z``, microseconds only when there are any."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment(stamped: str) -> datetime:
    return datetime.fromisoformat(stamped)


def now() -> datetime:
    return datetime.now(UTC)
