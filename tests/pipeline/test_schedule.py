"""Schedules in UTC: weekdays, offsets and positions."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest

from core13_mcp.compose.engine import context_provider
from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.derivation import Derivation, derive
from core13_mcp.declarations.model import Declaration
from core13_mcp.errors import InvalidArguments
from core13_mcp.pipeline.call import plan
from core13_mcp.settings import Settings

from ..clients import connected, result_text
from ..factories import make_tool
from ..fake_api import FakeAPI, call_error, call_value, reply

CATALOG = load()
CREATE, UPDATE = CATALOG["subscriptions-create"], CATALOG["subscriptions-partial-update"]
NEW: dict[str, Any] = {"project_id": 1, "insight": 1, "target_type": "email", "target_value": "a@b.example"}
BOTH = pytest.mark.parametrize(("tool", "base"), [(CREATE, NEW), (UPDATE, {"project_id": 1, "id": 1})])
# Monday 01:00 in Berlin is Sunday in UTC; Monday 22:00 in New York is Tuesday.
BERLIN, NEW_YORK = "2031-05-12T01:00:00+02:00", "2031-05-12T22:00:00-04:00"

IN_BERLIN = (
    "Next delivery: 2031-05-12T23:00:00Z, which is 2031-05-13T01:00:00+02:00 in the offset of start_date. "
    "Deliveries keep their time in UTC, so local times shift with daylight saving."
)


def refusals(tool: Declaration, arguments: dict[str, Any]) -> str:
    try:
        plan(tool, arguments)
    except InvalidArguments as error:
        return str(error).splitlines()[1]
    return ""


@BOTH
@pytest.mark.parametrize(
    ("start", "days", "correction"),
    [
        (BERLIN, ["monday"], 'start_date=2031-05-11T23:00:00Z and byweekday=["sunday"], or'),
        (BERLIN, ["monday", "sunday"], 'byweekday=["sunday","saturday"], or'),
        (NEW_YORK, ["monday", "sunday"], 'start_date=2031-05-13T02:00:00Z and byweekday=["tuesday","monday"], or'),
    ],
)
def test_weekdays_that_differ_in_utc_are_refused_with_the_correct_ones(
    tool: Declaration, base: dict[str, Any], start: str, days: list[str], correction: str
) -> None:
    error = refusals(tool, {**base, "frequency": "weekly", "byweekday": days, "start_date": start})
    assert "start_date is a monday where it was written and a " in error and correction in error


@BOTH
@pytest.mark.parametrize(
    "arguments",
    [
        {"start_date": "2031-05-11T23:00:00Z", "byweekday": ["sunday"]},
        {"start_date": "2031-05-12T09:00:00+02:00", "byweekday": ["monday"]},
        {"start_date": "2031-05-12T01:00:00", "byweekday": ["monday"]},
        {"start_date": "2031-05-12", "byweekday": ["monday"]},
        {"start_date": BERLIN},
    ],
)
def test_weekdays_that_are_the_same_in_utc_are_sent(
    tool: Declaration, base: dict[str, Any], arguments: dict[str, Any]
) -> None:
    assert refusals(tool, {**base, "frequency": "weekly", **arguments}) == ""


def test_a_position_in_the_month_on_another_day_in_utc_is_refused() -> None:
    schedule = {"frequency": "monthly", "byweekday": ["monday"], "bysetpos": 1, "start_date": BERLIN}
    error = refusals(CREATE, NEW | schedule)
    assert "bysetpos cannot express that: choose a time of day that is on the same day in UTC." in error
    assert "byweekday=" not in error


@pytest.mark.parametrize("frequency", ["daily", "weekly", "yearly"])
@BOTH
def test_a_position_needs_a_monthly_frequency(tool: Declaration, base: dict[str, Any], frequency: str) -> None:
    schedule = {"byweekday": ["monday"], "bysetpos": 1, "start_date": "2031-01-01T09:00:00Z"}
    error = refusals(tool, {**base, **schedule, "frequency": frequency})
    assert 'frequency monthly, interval 12, byweekday ["monday"], bysetpos 1' in error
    assert refusals(tool, {**base, **schedule, "frequency": "monthly", "interval": 12}) == ""


@pytest.mark.parametrize("position", [-31, -2, 5, 31])
def test_any_position_in_a_month_is_sent(position: int) -> None:
    schedule = {"frequency": "monthly", "byweekday": ["monday", "friday"], "start_date": "2031-01-01T09:00:00Z"}
    assert refusals(CREATE, NEW | schedule | {"bysetpos": position}) == ""
    assert "there is no 0" in refusals(CREATE, NEW | schedule | {"bysetpos": 0})


@pytest.mark.parametrize(
    ("interval", "days", "is_refused"),
    [(7, ["tuesday"], True), (14, ["tuesday"], True), (7, ["tuesday", "monday"], False), (3, ["tuesday"], False)],
)
def test_whole_weeks_in_days_need_the_weekday_of_the_start(interval: int, days: list[str], is_refused: bool) -> None:
    schedule = {"frequency": "daily", "interval": interval, "byweekday": days, "start_date": "2031-05-12T09:00:00Z"}
    error = refusals(CREATE, NEW | schedule)
    assert ("on the UTC weekday of start_date, monday, only" in error) == is_refused == bool(error)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("dates", "enabled", "notes"),
    [
        (
            {"start_date": "2031-05-13T01:00:00+02:00"},
            True,
            IN_BERLIN,
        ),
        ({"start_date": "2031-05-13T01:00:00+02:00"}, False, None),
        ({"start_date": "2031-05-12T23:00:00Z"}, True, None),
        (
            {"start_date": "2031-05-12", "until_date": "2032-01-01T00:00"},
            True,
            "start_date has no offset, so it is UTC: 2031-05-12T00:00:00Z. until_date has no offset, so it is UTC.",
        ),
    ],
)
async def test_a_result_shows_times_in_utc_and_in_the_offset_of_the_call(
    dates: dict[str, Any], enabled: bool, notes: str | None
) -> None:
    answer = {"id": 1, "enabled": enabled, "next_delivery_date": "2031-05-12T23:00:00Z"}
    value = await call_value(CREATE, FakeAPI(reply(201, answer)), confirm="never", **NEW, frequency="daily", **dates)
    assert value.get("note") == notes


@pytest.mark.anyio
async def test_the_corrected_call_delivers_on_the_day_that_was_meant() -> None:
    wrong = {**NEW, "frequency": "weekly", "byweekday": ["monday"], "start_date": BERLIN}
    async with context_provider(Settings(sandbox=True, confirm="never")) as context, connected(context()) as client:
        refused = await client.call_tool(CREATE.name, wrong)
        found = re.search(r"start_date=(\S+) and byweekday=(\S+),", result_text(refused))
        assert refused.is_error and found
        corrected = {**wrong, "start_date": found[1], "byweekday": found[2]}
        created = (await client.call_tool(CREATE.name, corrected)).structured_content or {}
    assert datetime.fromisoformat(created["next_delivery_date"]) == datetime.fromisoformat(BERLIN)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("field", "step"),
    [
        ("enabled", "Do not correct enabled. If the schedule has ended, pass enabled=true with a later until_date"),
        (None, 'clear=["until_date","count"], or other byweekday, bysetpos or interval'),
        ("start_date", "a later until_date or none, a larger count or none"),
        ("title", "Correct title and call again."),
    ],
)
async def test_a_schedule_error_names_the_argument_that_fixes_it(field: str | None, step: str) -> None:
    body = {"type": "validation_error", "code": "invalid_input", "detail": "No future deliveries.", "attr": field}
    error = await call_error(UPDATE, FakeAPI(reply(400, body)), confirm="never", project_id=1, id=1, title="x")
    assert step in str(error)


@pytest.mark.parametrize(
    ("function", "values", "expected"),
    [
        ("weekday", ["2031-05-12"], "monday"),
        ("utc_weekday", [BERLIN], "sunday"),
        ("utc_day_shift", [BERLIN], -1),
        ("utc_day_shift", [NEW_YORK], 1),
        ("utc_day_shift", ["0001-01-01T00:00:00+02:00"], None),
        ("utc_weekdays", [BERLIN, ["monday", "someday", 7]], '["sunday"]'),
        ("utc_weekdays", [BERLIN, "monday"], None),
        ("utc_weekdays", ["soon", ["monday"]], None),
        ("includes_utc_weekday", [BERLIN, ["sunday"]], True),
        ("includes_utc_weekday", [BERLIN, 1], None),
        ("utc", ["2031-05-12T01:00:00.5"], "2031-05-12T01:00:00.500000Z"),
        ("utc", [7], None),
        ("offset", [BERLIN], "+02:00"),
        ("offset", ["2031-05-12T01:00"], "none"),
        ("in_offset", ["2031-05-12T00:00:00Z", NEW_YORK], "2031-05-11T20:00:00-04:00"),
        ("in_offset", ["2031-05-12T00:00:00Z", "2031-05-12"], None),
        ("in_offset", ["never", NEW_YORK], None),
    ],
)
def test_a_derived_value_is_absent_if_it_cannot_be_computed(function: Any, values: list[Any], expected: Any) -> None:
    names = [f"v{number}" for number in range(len(values))]
    derivation = Derivation(function=function, values=tuple(f"arguments.{name}" for name in names))
    arguments = dict(zip(names, values, strict=True))
    assert derive({"x": derivation}, arguments) == ({} if expected is None else {"x": expected})


def test_a_rule_without_derived_values_is_plain_text() -> None:
    tool = make_tool(rules=[{"say": 'Pass {"a": 1}.', "condition": {"required": ["id"]}}])
    assert refusals(tool, {}) == 'Pass {"a": 1}.'
