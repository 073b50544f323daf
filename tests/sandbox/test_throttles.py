"""Rate limits and their error responses."""

from __future__ import annotations

import pytest

from core13_mcp import sandbox

from .conftest import Connect
from .sandbox_client import ME, OPEN, PAUSED, SUBSCRIPTIONS, WITH_SUMMARY, Client, Clock, error, subscription

pytestmark = pytest.mark.anyio
QUOTA = SUBSCRIPTIONS + "summary_quota/"


async def ask(client: Client, path: str, times: int) -> set[int]:
    return {(await client.get(path)).status_code for _ in range(times)}


async def test_each_key_is_limited_to_480_requests_per_minute(connect: Connect, ada: Client, clock: Clock) -> None:
    assert await ask(ada, QUOTA, 480) == {200}
    clock.advance(17.5)
    response = await ada.get(QUOTA)
    assert error(response) == (429, "throttled", None)
    assert response.json()["type"] == "throttled_error"
    assert response.json()["detail"] == "Request was throttled. Expected available in 43 seconds."
    assert response.headers["retry-after"] == "43"
    assert await ask(connect(sandbox.READ_ONLY_KEY), QUOTA, 1) == {200}
    clock.advance(42.5)
    assert (await ada.get(QUOTA)).status_code == 200


@pytest.mark.parametrize("era", ["page"])
async def test_a_key_is_limited_to_4800_requests_per_hour(ada: Client, clock: Clock, era: str) -> None:
    for _ in range(10):
        assert await ask(ada, OPEN, 480) == {200}
        clock.advance(60)
    assert (await ada.get(OPEN)).headers["retry-after"] == "3000"


async def test_tokens_sessions_users_and_test_deliveries_have_no_default_limits(connect: Connect, ada: Client) -> None:
    for client in (connect(sandbox.OAUTH_TOKEN), connect(session=sandbox.SESSION_ID)):
        assert await ask(client, QUOTA, 481) == {200}
    assert await ask(ada, ME + "github_login/", 481) == {200}
    await ask(ada, QUOTA, 480)
    assert (await ada.post(subscription(1) + "test-delivery/")).status_code == 202


async def test_a_rejected_request_does_not_count(connect: Connect, ada: Client) -> None:
    for _ in range(480):
        assert (await ada.get("/api/projects/3/subscriptions/")).status_code == 403
    assert await ask(ada, QUOTA, 1) == {200}


async def test_the_current_password_can_be_tried_five_times_per_minute(connect: Connect, clock: Clock) -> None:
    session = connect(session=sandbox.SESSION_ID)
    guess = {"password": "a much Better one 77", "current_password": "wrong"}
    for _ in range(5):
        assert error(await session.patch(ME, json=guess)) == (400, "incorrect_password", "current_password")
    assert error(await session.patch(ME, json=guess)) == (429, "throttled", None)
    assert (await connect(sandbox.LEGACY_KEY).patch(ME, json=guess)).status_code == 429
    assert (await session.patch(ME, json={"theme_mode": "dark"})).status_code == 200
    assert (await session.get(ME)).status_code == 200
    clock.advance(60)
    assert (await session.patch(ME, json={"current_password": "anything"})).status_code == 200


async def test_test_deliveries_are_limited_to_ten_per_minute_and_project(connect: Connect, clock: Clock) -> None:
    callers = [connect(sandbox.FULL_KEY), connect(sandbox.OAUTH_TOKEN), connect(session=sandbox.SESSION_ID)]
    for number in range(10):
        caller, key = callers[number % 3], (PAUSED, WITH_SUMMARY, 999)[number % 3]
        assert (await caller.post(subscription(key) + "test-delivery/")).status_code in (202, 404, 409)
    for caller in callers:
        assert error(await caller.post(subscription(1) + "test-delivery/")) == (429, "throttled", None)
    other = "/api/projects/2/subscriptions/7/test-delivery/"
    assert (await callers[0].post(other)).status_code == 202
    clock.advance(60)
    assert (await callers[0].post(subscription(1) + "test-delivery/")).status_code == 202


async def test_rate_limits_can_be_switched_off(clock: Clock) -> None:
    app = sandbox.build(clock=clock, throttle=False)
    async with Client(app, sandbox.FULL_KEY) as ada:
        assert await ask(ada, QUOTA, 481) == {200}
