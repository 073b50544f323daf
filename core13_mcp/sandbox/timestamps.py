"""Timestamps in the API's format: ISO 8601 in UTC with `Z`, microseconds only if there are any."""

from __future__ import annotations

from datetime import UTC, datetime


def format_timestamp(moment: datetime) -> str:
    """Format a time for a response or for the database."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_timestamp(timestamp: str) -> datetime:
    """Parse a timestamp that `format_timestamp` wrote."""
    return datetime.fromisoformat(timestamp)


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)
