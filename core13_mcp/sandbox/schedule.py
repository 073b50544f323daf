"""When a subscription is delivered: iCalendar recurrence, and the sentence that tells it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final, Literal

from dateutil import rrule

from .times import moment, stamp

FREQUENCIES: Final[dict[str, Literal[0, 1, 2, 3]]] = {
    "daily": rrule.DAILY,
    "weekly": rrule.WEEKLY,
    "monthly": rrule.MONTHLY,
    "yearly": rrule.YEARLY,
}
UNITS: Final = {"daily": "day", "weekly": "week", "monthly": "month", "yearly": "year"}
DAYS: Final = {"daily": 1, "weekly": 7, "monthly": 31, "yearly": 366}
WEEKS: Final = {"daily": 1, "weekly": 1, "monthly": 5, "yearly": 53}
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
POSITIONS: Final = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
FIELDS: Final = ("frequency", "interval", "byweekday", "bysetpos", "count", "start_date", "until_date")
BUFFER: Final = timedelta(minutes=15)
HORIZON: Final = timedelta(days=40 * 366)


def next_date(rule: Mapping[str, Any], now: datetime) -> str | None:
    """The first occurrence strictly later than a quarter of an hour from now, None when there is none.

    The search ends some decades ahead.
    """
    if _impossible(rule):
        return None
    base = now + BUFFER
    found = next((date for date in _dates(rule, base) if date > base), None)
    ended = found is None or (rule["until_date"] and found > moment(rule["until_date"]))
    return None if found is None or ended else stamp(found)


def _impossible(rule: Mapping[str, Any]) -> bool:
    """Whether a position asks for more of its weekdays than any period has, which dateutil would seek for long."""
    weekdays = set(rule["byweekday"] or ())
    return bool(weekdays) and abs(rule["bysetpos"] or 0) > len(weekdays) * WEEKS[rule["frequency"]]


def _dates(rule: Mapping[str, Any], base: datetime) -> Iterator[datetime]:
    weekdays = [WEEKDAYS.index(day) for day in rule["byweekday"] or ()]
    start, count = _near(rule, base, weekdays)
    dates = rrule.rrule(
        FREQUENCIES[rule["frequency"]],
        dtstart=start,
        interval=rule["interval"],
        until=_horizon(rule, max(base, start)),
        byweekday=weekdays or None,
        bysetpos=rule["bysetpos"] if weekdays else None,
    )
    return islice(dates, count)


def _horizon(rule: Mapping[str, Any], base: datetime) -> datetime:
    steps = min(rule["interval"] * DAYS[rule["frequency"]] * 13, 10**7)
    last, span = datetime.max.replace(tzinfo=UTC), max(HORIZON, timedelta(days=steps))
    return base + span if last - base > span else last


def _near(rule: Mapping[str, Any], base: datetime, weekdays: list[int]) -> tuple[datetime, int | None]:
    """Start and count after skipping whole past periods, so that a start long ago costs nothing."""
    start, count = moment(rule["start_date"]), None if rule["count"] is None else max(0, rule["count"])
    if rule["frequency"] not in ("daily", "weekly") or start >= base or (weekdays and count is not None):
        return start, count
    days = rule["interval"] * DAYS[rule["frequency"]]
    skipped = (base - start).days // days
    return start + timedelta(days=skipped * days), None if count is None else max(0, count - skipped)


def summary(rule: Mapping[str, Any]) -> str:
    """The schedule in words, as "sent every 2 weeks" or "sent every month on the last friday"."""
    interval, unit = rule["interval"], UNITS[rule["frequency"]]
    told = f"sent every {interval} {unit}s" if interval > 1 else f"sent every {unit}"
    if not (rule["byweekday"] and rule["bysetpos"]):
        return told
    if rule["bysetpos"] not in POSITIONS:
        return "sent on a schedule"
    day = rule["byweekday"][0].capitalize() if len(rule["byweekday"]) == 1 else "day"
    return f"{told} on the {POSITIONS[rule['bysetpos']]} {day}"
