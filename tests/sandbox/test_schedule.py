"""The next delivery date and the summary of a schedule."""

from __future__ import annotations

from typing import Any

import pytest

from core13_mcp.sandbox.eras import Era

from .sandbox_client import Client, Clock, error, subscription, weekly

pytestmark = pytest.mark.anyio
WORKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday"]
PAST = "2020-03-02T09:30:00Z"


# The clock stands at Thursday 2026-01-01 12:00.
@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"frequency": "daily", "start_date": PAST}, "2026-01-02T09:30:00Z"),
        ({"frequency": "daily", "start_date": "2026-01-01T12:15:00Z"}, "2026-01-02T12:15:00Z"),
        ({"frequency": "daily", "start_date": "2026-01-01T12:15:01Z"}, "2026-01-01T12:15:01Z"),
        ({"frequency": "weekly", "start_date": PAST}, "2026-01-05T09:30:00Z"),
        ({"frequency": "weekly", "interval": 2, "start_date": "2025-12-29T09:00:00Z"}, "2026-01-12T09:00:00Z"),
        ({"frequency": "weekly", "byweekday": ["friday"], "start_date": PAST}, "2026-01-02T09:30:00Z"),
        ({"frequency": "weekly", "byweekday": ["monday", "sunday"], "start_date": PAST}, "2026-01-04T09:30:00Z"),
        ({"frequency": "monthly", "start_date": "2025-01-31T09:00:00Z"}, "2026-01-31T09:00:00Z"),
        ({"frequency": "monthly", "start_date": "2025-12-31T09:00:00Z", "interval": 2}, "2026-08-31T09:00:00Z"),
        ({"frequency": "monthly", "byweekday": ["friday"], "bysetpos": -1, "start_date": PAST}, "2026-01-30T09:30:00Z"),
        ({"frequency": "yearly", "start_date": "2024-02-29T09:00:00Z"}, "2028-02-29T09:00:00Z"),
        ({"frequency": "daily", "start_date": "0001-01-01T00:00:00Z"}, "2026-01-02T00:00:00Z"),
        ({"frequency": "daily", "count": 3, "start_date": "2025-12-31T20:00:00Z"}, "2026-01-01T20:00:00Z"),
        ({"frequency": "weekly", "until_date": "2026-01-05T09:30:00Z", "start_date": PAST}, "2026-01-05T09:30:00Z"),
        ({"frequency": "yearly", "start_date": "9999-12-31T23:00:00Z"}, "9999-12-31T23:00:00Z"),
    ],
)
async def test_the_next_delivery_is_the_first_occurrence_more_than_15_minutes_ahead(
    ada: Client, rule: dict[str, Any], expected: str
) -> None:
    assert (await ada.create(**rule))["next_delivery_date"] == expected


@pytest.mark.parametrize(
    "rule",
    [
        {"until_date": "2025-12-31T00:00:00Z", "start_date": PAST},
        {"until_date": "2026-01-05T09:29:59Z", "start_date": PAST},
        {"count": 1, "start_date": PAST},
        {"count": 0},
        {"frequency": "daily", "count": 2, "start_date": "2025-12-31T09:00:00Z"},
        {"frequency": "monthly", "byweekday": ["monday"], "bysetpos": 6, "count": 5},
        {"frequency": "daily", "interval": 7, "byweekday": ["tuesday"], "start_date": "2026-01-05T09:00:00Z"},
        {"frequency": "weekly", "byweekday": ["monday"], "count": 5, "start_date": PAST},
        {"frequency": "daily", "interval": 2**31 - 1, "start_date": PAST},
    ],
)
async def test_a_schedule_without_a_future_delivery_is_rejected(ada: Client, rule: dict[str, Any]) -> None:
    assert await ada.rejection(weekly(**rule)) == (400, "invalid_input", "start_date")


async def test_a_schedule_without_a_future_delivery_is_rejected_on_change_and_on_enabling_again(
    ada: Client,
) -> None:
    row = await ada.create()
    ended = {"until_date": "2025-01-01T00:00:00Z"}
    assert error(await ada.change(row["id"], **ended)) == (400, "invalid_input", None)
    paused = await ada.change(row["id"], enabled=False, **ended)
    assert (paused.status_code, paused.json()["next_delivery_date"]) == (200, None)
    assert error(await ada.change(row["id"], enabled=True)) == (400, "invalid_input", "enabled")


async def test_the_next_delivery_is_recomputed_when_the_schedule_changes_or_is_enabled_again(
    ada: Client, clock: Clock
) -> None:
    row = await ada.create(frequency="daily", start_date=PAST)
    clock.advance(3 * 86400)
    assert (await ada.change(row["id"], title="Later")).json()["next_delivery_date"] == row["next_delivery_date"]
    changed = (await ada.change(row["id"], frequency="weekly")).json()["next_delivery_date"]
    assert changed == "2026-01-05T09:30:00Z"
    clock.advance(7 * 86400)
    await ada.change(row["id"], enabled=False)
    assert (await ada.get(subscription(row["id"]))).json()["next_delivery_date"] == changed
    assert (await ada.change(row["id"], enabled=True)).json()["next_delivery_date"] == "2026-01-12T09:30:00Z"


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"frequency": "daily"}, "sent every day"),
        ({"frequency": "monthly", "interval": 3}, "sent every 3 months"),
        ({"frequency": "yearly", "interval": 2}, "sent every 2 years"),
        ({"frequency": "monthly", "bysetpos": 1}, "sent every month"),
        ({"frequency": "monthly", "byweekday": ["friday"], "bysetpos": -1}, "sent every month on the last Friday"),
        ({"frequency": "monthly", "byweekday": ["monday", "friday"], "bysetpos": 2}, "sent every month on the second day"),
        ({"frequency": "monthly", "interval": 2, "byweekday": ["sunday"], "bysetpos": 4},
         "sent every 2 months on the fourth Sunday"),
        ({"frequency": "monthly", "byweekday": ["monday"], "bysetpos": 5}, "sent on a schedule"),
        ({"frequency": "monthly", "byweekday": WORKDAYS, "bysetpos": 1}, "sent every month on the first weekday"),
        ({"frequency": "daily", "byweekday": [*WORKDAYS, "saturday", "sunday"]}, "sent every day"),
    ],
)  # fmt: skip
async def test_the_summary_describes_the_schedule(ada: Client, rule: dict[str, Any], sentence: str) -> None:
    assert (await ada.create(**rule))["summary"] == sentence


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ({"frequency": "weekly", "byweekday": ["monday"]}, " on Monday"),
        ({"frequency": "weekly", "byweekday": ["tuesday", "thursday"]}, " on Tuesday and Thursday"),
        ({"frequency": "weekly", "byweekday": ["monday", "tuesday", "sunday"]}, " on Monday, Tuesday and Sunday"),
        ({"frequency": "weekly", "byweekday": WORKDAYS}, " on weekdays"),
    ],
)
async def test_the_summary_names_weekdays_if_the_era_does_it(
    ada: Client, rules: Era, rule: dict[str, Any], days: str
) -> None:
    assert (await ada.create(**rule))["summary"] == "sent every week" + (days if rules.names_weekdays else "")


@pytest.mark.parametrize(
    ("frequency", "next_of_position", "next_of_weekday"),
    [
        ("yearly", "2027-01-04T09:30:00Z", "2026-01-12T09:30:00Z"),
        ("monthly", "2026-02-02T09:30:00Z", None),
        ("weekly", "2026-01-12T09:30:00Z", "2026-01-12T09:30:00Z"),
    ],
)
async def test_bysetpos_counts_only_for_the_frequencies_of_the_era(
    ada: Client, clock: Clock, rules: Era, frequency: str, next_of_position: str, next_of_weekday: str | None
) -> None:
    # The first Monday of January 2026 has passed.
    clock.advance(7 * 86400)
    created = await ada.create(frequency=frequency, byweekday=["monday"], bysetpos=1, start_date=PAST)
    counts = frequency in rules.positional_frequencies
    assert created["next_delivery_date"] == (next_of_position if counts else next_of_weekday)


@pytest.mark.parametrize("frequency", ["daily", "weekly", "monthly", "yearly"])
@pytest.mark.parametrize("weekdays", [None, ["monday"], [*WORKDAYS, "saturday", "sunday"]])
async def test_a_schedule_that_starts_in_the_last_year_of_the_calendar_does_not_fail(
    ada: Client, frequency: str, weekdays: list[str] | None
) -> None:
    for start in ("9999-01-01T00:00:00Z", "9999-12-27T22:16:59Z", "9999-12-31T23:59:59.999999Z"):
        body = weekly(frequency=frequency, interval=2, byweekday=weekdays, bysetpos=-1, start_date=start)
        response = await ada.post("/api/projects/1/subscriptions/", json=body)
        assert response.status_code in (201, 400), response.text
