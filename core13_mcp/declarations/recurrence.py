"""Describes a recurring schedule in words. Pure, standard library only."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_UNITS = {"daily": "day", "weekly": "week", "monthly": "month", "yearly": "year"}
_POSITIONS = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last", -2: "second last"}


def describe_schedule(frequency: Any, interval: Any, weekdays: Any, position: Any, start: Any) -> str | None:
    """Return words such as "every week on Tuesday and Thursday at 12:30 UTC", or None for other values."""
    moment = parse_moment(start)
    days = [] if weekdays is None else weekdays
    is_known = isinstance(frequency, str) and frequency in _UNITS and type(interval) is int and interval > 0
    if moment is None or not is_known or not isinstance(days, list) or not all(day in WEEKDAYS for day in days):
        return None
    if position is not None and (type(position) is not int or position not in _POSITIONS or frequency != "monthly"):
        # Versions of the API differ in the meaning of other positions.
        return None
    start_utc = in_utc(moment)
    which = _weekdays(frequency, days, position) if days else _day_of_start(frequency, start_utc)
    unit = _UNITS[frequency]
    time = start_utc.strftime("%H:%M:%S").removesuffix(":00")
    return f"every {unit if interval == 1 else f'{interval} {unit}s'}{which} at {time} UTC"


def parse_moment(text: Any) -> datetime | None:
    """Return the date of a text, or None if it is not a date or has no equivalent in UTC."""
    try:
        moment = datetime.fromisoformat(text)
        _ = in_utc(moment)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment


def in_utc(moment: datetime) -> datetime:
    """Return a date in UTC. PostHog reads a date without an offset as UTC."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _weekdays(frequency: str, days: list[str], position: int | None) -> str:
    names = [day.capitalize() for day in WEEKDAYS if day in days]
    if position is not None:
        return f" on the {_POSITIONS[position]} {_joined(names, 'or')}"
    prefix = {"daily": " if it is ", "weekly": " on "}.get(frequency, " on every ")
    return prefix + _joined(names, "or" if frequency == "daily" else "and")


def _day_of_start(frequency: str, start: datetime) -> str:
    weekday = WEEKDAYS[start.weekday()].capitalize()
    return {
        "daily": "",
        "weekly": f" on {weekday}",
        "monthly": f" on day {start.day}",
        "yearly": f" on {start.strftime('%B')} {start.day}",
    }[frequency]


def _joined(names: list[str], word: str) -> str:
    return f" {word} ".join(filter(None, (", ".join(names[:-1]), names[-1])))
