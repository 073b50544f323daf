"""How often one may ask, where, and what the refusal says."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette

from core13_mcp import sandbox

from .conftest import Speak
from .sandbox_client import ME, OPEN, PAUSED, PROJECT, SUBSCRIPTIONS, WITH_SUMMARY, Clock, Speaker, fault, subscription

pytestmark = pytest.mark.anyio
QUOTA = SUBSCRIPTIONS + "summary_quota/"


async def ask(speaker: Speaker, path: str, times: int) -> set[int]:
    return {(await speaker.get(path)).status_code for _ in range(times)}


async def test_a_key_has_480_calls_a_minute_and_the_refusal_says_when(ada: Speaker, clock: Clock) -> None:
    assert await ask(ada, QUOTA, 480) == {200}
    clock.advance(17.5)
    reply = await ada.get(QUOTA)
    assert fault(reply) == (429, "throttled", None)
    assert reply.json()["type"] == "throttled_error"
    assert reply.json()["detail"] == "Request was throttled. Expected available in 43 seconds."
    assert reply.headers["retry-after"] == "43"
    clock.advance(42.5)
    assert (await ada.get(QUOTA)).status_code == 200


async def test_a_key_has_4800_calls_an_hour(ada: Speaker, clock: Clock) -> None:
    for _ in range(10):
        assert await ask(ada, OPEN, 480) == {200}
        clock.advance(60)
    assert (await ada.get(OPEN)).headers["retry-after"] == "3000"


async def test_each_key_has_its_own_budget(speak: Speak, ada: Speaker) -> None:
    await ask(ada, QUOTA, 480)
    assert await ask(ada, QUOTA, 1) == {429}
    assert await ask(speak(sandbox.READ_ONLY_KEY), QUOTA, 1) == {200}


async def test_tokens_and_sessions_pass_the_default_pair(speak: Speak) -> None:
    assert await ask(speak(sandbox.OAUTH_TOKEN), QUOTA, 481) == {200}
    assert await ask(speak(session=sandbox.SESSION_ID), QUOTA, 481) == {200}


async def test_users_are_not_under_the_default_pair(ada: Speaker) -> None:
    assert await ask(ada, ME + "github_login/", 481) == {200}


async def test_what_the_door_refuses_costs_nothing(speak: Speak, ada: Speaker) -> None:
    for _ in range(480):
        assert (await ada.get("/api/projects/3/subscriptions/")).status_code == 403
    assert await ask(ada, QUOTA, 1) == {200}


async def test_a_password_may_be_tried_five_times_a_minute(speak: Speak, clock: Clock) -> None:
    session = speak(session=sandbox.SESSION_ID)
    guess = {"password": "a much Better one 77", "current_password": "wrong"}
    for _ in range(5):
        assert fault(await session.patch(ME, json=guess)) == (400, "incorrect_password", "current_password")
    assert fault(await session.patch(ME, json=guess)) == (429, "throttled", None)
    assert (await session.patch(ME, json={"theme_mode": "dark"})).status_code == 200
    assert (await session.get(ME)).status_code == 200
    clock.advance(60)
    assert (await session.patch(ME, json={"current_password": "anything"})).status_code == 200


async def test_the_mere_presence_of_the_current_password_counts_and_belongs_to_the_user(speak: Speak) -> None:
    for key in (sandbox.FULL_KEY, sandbox.OAUTH_TOKEN) * 2 + (sandbox.FULL_KEY,):
        assert (await speak(key).patch(ME, json={"current_password": "x"})).status_code == 200
    assert (await speak(sandbox.LEGACY_KEY).patch(ME, json={"current_password": "x"})).status_code == 429


async def test_the_hedgehog_is_never_throttled(ada: Speaker) -> None:
    for _ in range(6):
        assert (await ada.patch(ME + "hedgehog_config/", json={"current_password": "x"})).status_code == 200


async def test_test_deliveries_are_ten_a_minute_for_the_whole_project(speak: Speak, clock: Clock) -> None:
    callers = [speak(sandbox.FULL_KEY), speak(sandbox.OAUTH_TOKEN), speak(session=sandbox.SESSION_ID)]
    for number in range(10):
        caller, key = callers[number % 3], (PAUSED, WITH_SUMMARY, 999)[number % 3]
        assert (await caller.post(subscription(key) + "test-delivery/")).status_code in (202, 404, 409)
    for caller in callers:
        assert fault(await caller.post(subscription(1) + "test-delivery/")) == (429, "throttled", None)
    other = "/api/projects/2/subscriptions/7/test-delivery/"
    assert (await callers[0].post(other)).status_code == 202
    clock.advance(60)
    assert (await callers[0].post(subscription(1) + "test-delivery/")).status_code == 202


async def test_test_deliveries_are_not_under_the_default_pair(ada: Speaker) -> None:
    await ask(ada, QUOTA, 480)
    assert (await ada.post(subscription(1) + "test-delivery/")).status_code == 202


async def test_throttling_can_be_switched_off(clock: Clock) -> None:
    app: Starlette = sandbox.build(clock=clock, throttle=False)
    async with Speaker(app, sandbox.FULL_KEY) as ada:
        assert await ask(ada, PROJECT + "subscriptions/summary_quota/", 481) == {200}
