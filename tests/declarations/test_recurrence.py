"""Schedules in words."""

from __future__ import annotations

from typing import Any

import pytest

from core13_mcp.declarations.recurrence import describe_schedule

START = "2027-01-04T12:30:00Z"


@pytest.mark.parametrize(
    ("frequency", "interval", "weekdays", "position", "words"),
    [
        ("daily", 1, None, None, "every day at 12:30 UTC"),
        ("daily", 1, ["monday", "friday"], None, "every day if it is Monday or Friday at 12:30 UTC"),
        ("weekly", 2, ["thursday", "tuesday"], None, "every 2 weeks on Tuesday and Thursday at 12:30 UTC"),
        ("weekly", 1, [], None, "every week on Monday at 12:30 UTC"),
        ("monthly", 1, None, None, "every month on day 4 at 12:30 UTC"),
        ("monthly", 12, ["monday"], 1, "every 12 months on the first Monday at 12:30 UTC"),
        (
            "monthly",
            1,
            ["monday", "tuesday", "friday"],
            -1,
            "every month on the last Monday, Tuesday or Friday at 12:30 UTC",
        ),
        ("yearly", 1, ["monday"], None, "every year on every Monday at 12:30 UTC"),
        ("yearly", 1, None, None, "every year on January 4 at 12:30 UTC"),
    ],
)
def test_a_schedule_is_described_with_days_and_time(
    frequency: str, interval: int, weekdays: Any, position: int | None, words: str
) -> None:
    assert describe_schedule(frequency, interval, weekdays, position, START) == words


@pytest.mark.parametrize(
    ("frequency", "interval", "weekdays", "position", "start"),
    [
        ("monthly", 1, ["monday"], 7, START),
        ("monthly", 1, ["monday"], True, START),
        ("weekly", 1, ["monday"], 1, START),
        ("hourly", 1, None, None, START),
        ("daily", 0, None, None, START),
        ("daily", 1, ["someday"], None, START),
        ("daily", 1, "monday", None, START),
        ("daily", 1, None, None, "soon"),
        ("daily", 1, None, None, None),
    ],
)
def test_other_values_have_no_description(
    frequency: str, interval: int, weekdays: Any, position: Any, start: Any
) -> None:
    assert describe_schedule(frequency, interval, weekdays, position, start) is None
