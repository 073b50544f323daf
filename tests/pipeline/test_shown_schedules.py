"""Schedules in words, and what results of paused subscriptions leave out."""

from __future__ import annotations

from typing import Any

import pytest

from core13_mcp.compose.engine import context_provider
from core13_mcp.declarations.catalog import load
from core13_mcp.jsonio import compact_json
from core13_mcp.settings import Settings

from ..clients import connected
from ..fake_api import FakeAPI, call_value, reply

pytestmark = pytest.mark.anyio

CATALOG = load()
READ, UPDATE = CATALOG["subscriptions-retrieve"], CATALOG["subscriptions-partial-update"]
# A Monday.
START = "2031-05-12T12:30:00Z"
WORKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday"]


def stored(**fields: Any) -> dict[str, Any]:
    schedule = {"frequency": "weekly", "interval": 1, "byweekday": None, "bysetpos": None, "start_date": START}
    return {"id": 1, **schedule, "enabled": True, "deleted": False, "summary": "from the API", **fields}


async def read(**fields: Any) -> dict[str, Any]:
    value: dict[str, Any] = await call_value(READ, FakeAPI(reply(200, stored(**fields))), id=1)
    return value


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"byweekday": ["thursday", "tuesday"]}, "every week on Tuesday and Thursday at 12:30 UTC"),
        ({"byweekday": []}, "every week on Monday at 12:30 UTC"),
        ({"interval": 2, "start_date": "2031-05-12T01:00:00+02:00"}, "every 2 weeks on Sunday at 23:00 UTC"),
        ({"frequency": "daily", "start_date": "2031-05-12T09:00:05"}, "every day at 09:00:05 UTC"),
        ({"frequency": "daily", "interval": 2, "byweekday": ["monday", "friday"]},
         "every 2 days if it is Monday or Friday at 12:30 UTC"),
        ({"frequency": "monthly"}, "every month on day 12 at 12:30 UTC"),
        ({"frequency": "monthly", "byweekday": ["monday"]}, "every month on every Monday at 12:30 UTC"),
        ({"frequency": "monthly", "interval": 12, "byweekday": ["monday"], "bysetpos": 1},
         "every 12 months on the first Monday at 12:30 UTC"),
        ({"frequency": "monthly", "byweekday": WORKDAYS, "bysetpos": -1},
         "every month on the last Monday, Tuesday, Wednesday, Thursday or Friday at 12:30 UTC"),
        ({"frequency": "yearly"}, "every year on May 12 at 12:30 UTC"),
    ],
)  # fmt: skip
async def test_a_summary_has_the_days_and_the_time(fields: dict[str, Any], words: str) -> None:
    assert (await read(**fields))["summary"] == words


@pytest.mark.parametrize(
    "fields",
    [
        {"frequency": "hourly"},
        {"frequency": ["weekly"]},
        {"interval": 0},
        {"interval": True},
        {"byweekday": "monday"},
        {"byweekday": ["someday"]},
        {"byweekday": [["monday"]]},
        {"byweekday": ["monday"], "bysetpos": 1},
        {"frequency": "monthly", "byweekday": ["monday"], "bysetpos": 17},
        {"frequency": "monthly", "byweekday": ["monday"], "bysetpos": [1]},
        {"start_date": "soon"},
        {"start_date": None},
    ],
)
async def test_the_summary_of_the_api_stays_if_the_schedule_has_another_form(fields: dict[str, Any]) -> None:
    assert (await read(**fields))["summary"] == "from the API"


@pytest.mark.parametrize(("state", "is_shown"), [({}, True), ({"enabled": False}, False), ({"deleted": True}, False)])
@pytest.mark.parametrize("detail", ["concise", "full"])
async def test_what_is_paused_or_deleted_has_no_next_delivery(
    state: dict[str, Any], is_shown: bool, detail: str
) -> None:
    row = stored(next_delivery_date=START, **state)
    for tool, body in ((READ, row), (CATALOG["subscriptions-list"], {"count": 1, "results": [row]})):
        arguments = {"detail": detail} if "results" in body else {"detail": detail, "id": 1}
        value = await call_value(tool, FakeAPI(reply(200, body)), **arguments)
        assert ("next_delivery_date" in value.get("results", [value])[0]) is is_shown


async def test_a_write_returns_the_schedule() -> None:
    fields = {"interval": 2, "byweekday": ["monday"], "count": 3, "until_date": START, "integration_id": 4}
    row = stored(frequency="monthly", bysetpos=1, **fields)
    value = await call_value(UPDATE, FakeAPI(reply(200, row)), confirm="never", project_id=1, id=1, title="x")
    assert value.items() >= {**fields, "frequency": "monthly", "bysetpos": 1}.items()


async def test_the_own_account_is_read_within_900_characters_with_the_projects() -> None:
    async with context_provider(Settings(sandbox=True)) as context, connected(context()) as client:
        user = (await client.call_tool("users-retrieve", {})).structured_content or {}
    assert user["organization"]["projects"] == [{"id": 1, "name": "Engine"}, {"id": 2, "name": "Mill"}]
    assert len(compact_json(user)) <= 900
