"""The schedule of a subscription: iCalendar recurrence, and its summary as a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final, Literal, NamedTuple

from dateutil import rrule

from .eras import Era
from .store import format_timestamp


class Frequency(NamedTuple):
    """A frequency: dateutil's constant, the noun, its days and the number of equal weekdays in one period."""

    constant: Literal[0, 1, 2, 3]
    unit: str
    days: int
    weeks: int


FREQUENCIES: Final = {
    "daily": Frequency(rrule.DAILY, "day", 1, 1),
    "weekly": Frequency(rrule.WEEKLY, "week", 7, 1),
    "monthly": Frequency(rrule.MONTHLY, "month", 31, 5),
    "yearly": Frequency(rrule.YEARLY, "year", 366, 53),
}
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ORDINALS: Final = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
SCHEDULE_FIELDS: Final = ("frequency", "interval", "byweekday", "bysetpos", "count", "start_date", "until_date")
# A delivery lies at least this far ahead.
MIN_NOTICE: Final = timedelta(minutes=15)
# How far ahead an occurrence is searched for.
HORIZON: Final = timedelta(days=40 * 366)


def next_delivery(rule: Mapping[str, Any], now: datetime, era: Era) -> str | None:
    """The first occurrence more than 15 minutes after `now`, None if there is none within some decades."""
    weekdays = [WEEKDAYS.index(day) for day in rule["byweekday"] or ()]
    position = _position(rule, era)
    # dateutil would search for very long.
    if _can_never_occur(rule, weekdays, position):
        return None
    earliest = now + MIN_NOTICE
    try:
        occurrences = _occurrences({**rule, "bysetpos": position}, weekdays, earliest)
        date = next((date for date in occurrences if date > earliest), None)
    except (OverflowError, ValueError):
        # dateutil calculates beyond the year 9999.
        date = None
    if date is None or (rule["until_date"] and date > datetime.fromisoformat(rule["until_date"])):
        return None
    return format_timestamp(date)


def _can_never_occur(rule: Mapping[str, Any], weekdays: list[int], position: int | None) -> bool:
    """Whether no period contains so many of the weekdays, or every day of the rule is another weekday."""
    if abs(position or 0) > len(set(weekdays)) * FREQUENCIES[rule["frequency"]].weeks:
        return True
    whole_weeks = rule["frequency"] == "daily" and rule["interval"] % 7 == 0
    return bool(weekdays) and whole_weeks and datetime.fromisoformat(rule["start_date"]).weekday() not in weekdays


def _position(rule: Mapping[str, Any], era: Era) -> int | None:
    """The position within the weekdays of a period, None if the server ignores it."""
    position: int | None = rule["bysetpos"]
    counts = rule["byweekday"] and rule["frequency"] in era.positional_frequencies
    return position if counts else None


def _occurrences(rule: Mapping[str, Any], weekdays: list[int], earliest: datetime) -> Iterator[datetime]:
    """The occurrences up to the horizon. Whole past periods are skipped, so that an old start date is not slow."""
    frequency, start = FREQUENCIES[rule["frequency"]], datetime.fromisoformat(rule["start_date"])
    count = None if rule["count"] is None else max(0, rule["count"])
    days = rule["interval"] * frequency.days
    if start < earliest and frequency.unit in ("day", "week") and not (weekdays and count is not None):
        periods = (earliest - start).days // days
        start += timedelta(days=periods * days)
        count = None if count is None else max(0, count - periods)
    base, last = max(earliest, start), datetime.max.replace(tzinfo=UTC)
    span = max(HORIZON, timedelta(days=min(days * 13, 10**7)))
    dates = rrule.rrule(
        frequency.constant,
        dtstart=start,
        interval=rule["interval"],
        until=base + span if last - base > span else last,
        byweekday=weekdays or None,
        bysetpos=rule["bysetpos"],
    )
    return islice(dates, count)


def summary(rule: Mapping[str, Any], era: Era) -> str:
    """The schedule as a sentence, such as "sent every 2 weeks" or "sent every month on the last Friday"."""
    interval, unit = rule["interval"], FREQUENCIES[rule["frequency"]].unit
    sentence = f"sent every {interval} {unit}s" if interval > 1 else f"sent every {unit}"
    days: list[str] = rule["byweekday"] or []
    if days and _position(rule, era):
        ordinal = ORDINALS.get(rule["bysetpos"])
        return f"{sentence} on the {ordinal} {_day(days)}" if ordinal else "sent on a schedule"
    if not days or not era.names_weekdays or (unit == "day" and set(days) == set(WEEKDAYS)):
        return sentence
    return f"{sentence} on {_enumeration(days)}"


def _day(days: list[str]) -> str:
    """The noun for a day out of several weekdays."""
    if len(days) == 1:
        return days[0].capitalize()
    return "weekday" if set(days) == set(WEEKDAYS[:5]) else "day"


def _enumeration(days: list[str]) -> str:
    if set(days) == set(WEEKDAYS[:5]):
        return "weekdays"
    *first, last = (day.capitalize() for day in days)
    return f"{', '.join(first)} and {last}" if first else last
