"""What holds for whatever one does: drawn by hypothesis, spoken in plain HTTP."""

from __future__ import annotations

from typing import Any

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from core13_mcp import sandbox

from .sandbox_client import ME, SUBSCRIPTIONS, Clock, Speaker, weekly

PROFILE = settings(max_examples=60, deadline=None, derandomize=True)
ADDRESSES = st.lists(
    st.sampled_from(["a@x.example", "b@x.example", "c@x.example"]), min_size=1, max_size=3, unique=True
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = [
    "dashboard", "insight", "dashboard_export_insights", "target_type", "target_value", "frequency", "interval",
    "byweekday", "bysetpos", "count", "start_date", "until_date", "deleted", "enabled", "title", "integration_id",
    "invite_message", "summary_enabled", "summary_prompt_guide",
]  # fmt: skip
ANY_FIELDS = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4)
GOOD: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"insight": st.integers(1, 7), "target_value": ADDRESSES.map(",".join), "enabled": st.booleans()},
    optional={
        "frequency": st.sampled_from(["daily", "weekly", "monthly", "yearly"]),
        "interval": st.integers(1, 12),
        "byweekday": st.lists(st.sampled_from(["monday", "friday"]), max_size=2),
        "bysetpos": st.sampled_from([1, 2, 3, 4, -1, 5, None]),
        "title": st.text(max_size=20) | st.none(),
        "summary_enabled": st.booleans(),
        "deleted": st.booleans(),
    },
)
CHANGE = st.fixed_dictionaries(
    {}, optional={"enabled": st.booleans(), "deleted": st.booleans(), "target_value": ADDRESSES.map(",".join),
                  "title": st.text(max_size=5), "interval": st.integers(-1, 3)}
)  # fmt: skip


async def speaking(play: Any, *arguments: Any) -> None:
    clock = Clock()
    app = sandbox.build(clock=clock, throttle=False)
    async with Speaker(app, sandbox.FULL_KEY) as ada:
        await play(app, ada, *arguments)
    app.state.close()


async def everything(ada: Speaker, **query: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await ada.get(SUBSCRIPTIONS, params=query | {"limit": 9999})).json()["results"]
    return rows


@PROFILE
@given(bodies=st.lists(GOOD, max_size=6))
def test_what_was_created_is_listed_exactly_once(bodies: list[dict[str, Any]]) -> None:
    async def play(app: Starlette, ada: Speaker) -> None:
        made = []
        for body in bodies:
            reply = await ada.post(SUBSCRIPTIONS, json=weekly() | body)
            if reply.status_code == 201:
                made.append(reply.json())
        listed = await everything(ada) + await everything(ada, deleted="true")
        for row in made:
            assert [found for found in listed if found["id"] == row["id"]] == [row]
            assert (row in await everything(ada)) is not row["deleted"]

    anyio.run(speaking, play)


@PROFILE
@given(more=st.integers(0, 6), limit=st.integers(1, 5), ordering=st.sampled_from(["", "title", "-next_delivery_date"]))
def test_the_count_is_what_paging_yields(more: int, limit: int, ordering: str) -> None:
    async def play(app: Starlette, ada: Speaker) -> None:
        for _ in range(more):
            await ada.create(enabled=False)
        whole = await everything(ada, ordering=ordering)
        url, back = f"{SUBSCRIPTIONS}?limit={limit}&ordering={ordering}", []
        rows = []
        while url:
            page = (await ada.get(url)).json()
            assert page["count"] == len(whole)
            rows += page["results"]
            back.append(page["previous"])
            url = page["next"]
        assert rows == whole
        assert [link is None for link in back] == [number == 0 for number in range(len(back))]

    anyio.run(speaking, play)


@PROFILE
@given(sent=ANY_FIELDS, create=st.booleans())
def test_a_refused_write_changes_nothing_and_no_write_breaks_the_server(sent: dict[str, Any], create: bool) -> None:
    async def play(app: Starlette, ada: Speaker) -> None:
        before = await everything(ada), await everything(ada, deleted="true"), app.state.outbox()
        path = SUBSCRIPTIONS if create else f"{SUBSCRIPTIONS}1/"
        body = weekly() | sent if create else sent
        reply = await ada.request("POST" if create else "PATCH", path, json=body)
        after = await everything(ada), await everything(ada, deleted="true"), app.state.outbox()
        assert reply.status_code in (200, 201, 400, 402, 403), reply.text
        if reply.status_code >= 400:
            assert reply.json().keys() >= {"type", "code", "detail", "attr"}
            assert after == before

    anyio.run(speaking, play)


@PROFILE
@given(sent=st.dictionaries(st.sampled_from(["first_name", "theme_mode", "notification_settings", "set_current_team",
                                             "hedgehog_config", "role_at_organization", "hide_mcp_hints"]), JSON))  # fmt: skip
def test_a_refused_change_of_a_user_changes_nothing(sent: dict[str, Any]) -> None:
    async def play(app: Starlette, ada: Speaker) -> None:
        before = (await ada.get(ME)).json()
        reply = await ada.patch(ME, json=sent)
        after = (await ada.get(ME)).json()
        assert reply.status_code in (200, 400), reply.text
        assert after == (before if reply.status_code == 400 else reply.json())

    anyio.run(speaking, play)


def expected(old: dict[str, Any] | None, new: dict[str, Any]) -> tuple[str, list[str]] | None:
    """What the facts say goes out when a subscription becomes another."""
    recipients = new["target_value"].split(",")
    if new["deleted"] or not new["enabled"]:
        return None
    if old is None:
        return "created", recipients
    if not old["enabled"]:
        return "re-enabled", recipients
    added = [address for address in recipients if address not in old["target_value"].split(",")]
    return ("target changed", added) if added else None


@PROFILE
@given(body=GOOD, changes=st.lists(CHANGE | st.just("test"), max_size=5))
def test_an_outbox_row_exists_exactly_when_a_message_goes_out(body: dict[str, Any], changes: list[Any]) -> None:
    async def play(app: Starlette, ada: Speaker) -> None:
        reply = await ada.post(SUBSCRIPTIONS, json=weekly() | body)
        if reply.status_code != 201:
            assert app.state.outbox() == []
            return
        row, wanted = reply.json(), [expected(None, reply.json())]
        running = False
        for change in changes:
            if change == "test":
                reply = await ada.post(f"{SUBSCRIPTIONS}{row['id']}/test-delivery/")
                works = row["enabled"] and not row["deleted"] and not running
                assert (reply.status_code == 202) is works
                running = running or works
                wanted.append(("test", row["target_value"].split(",")) if works else None)
                continue
            reply = await ada.change(row["id"], **change)
            if reply.status_code == 200:
                wanted.append(expected(row, reply.json()))
                row = reply.json()
        sent = [(message["why"], message["recipients"]) for message in app.state.outbox()]
        assert sent == [message for message in wanted if message]

    anyio.run(speaking, play)


@PROFILE
@given(
    frequency=st.sampled_from(["daily", "weekly", "monthly", "yearly"]),
    interval=st.integers(1, 2**31 - 1) | st.integers(1, 30),
    byweekday=st.none() | st.lists(st.sampled_from(["monday", "tuesday", "sunday"]), max_size=3),
    bysetpos=st.none() | st.integers(-366, 366),
    count=st.none() | st.integers(-5, 50),
    start=st.datetimes().map(lambda moment: moment.isoformat()),
)
def test_the_next_delivery_is_always_ahead(frequency: str, interval: int, start: str, **rest: Any) -> None:
    async def play(app: Starlette, ada: Speaker) -> None:
        body = weekly(frequency=frequency, interval=interval, start_date=start, **rest)
        reply = await ada.post(SUBSCRIPTIONS, json=body)
        assert reply.status_code in (201, 400), reply.text
        if reply.status_code == 201:
            assert reply.json()["next_delivery_date"] > "2026-01-01T12:15:00Z"

    anyio.run(speaking, play)
