from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from core13_mcp.api.client import APIClient
from core13_mcp.errors import ConfigurationError, Refused, Unavailable
from core13_mcp.signin.renewal import open_client
from core13_mcp.signin.source import RETRY_INTERVAL, SignInSource

from ..fake_api import FakeAPI, reply
from .world import ORIGIN, WEEK, Person, World

pytestmark = pytest.mark.anyio

REFRESH = "POST /oauth/token/"
CALL = "GET /api/users/@me/"


@pytest.fixture
async def source(world: World, monkeypatch: pytest.MonkeyPatch) -> SignInSource:
    return await signed_in(world, monkeypatch)


async def signed_in(world: World, monkeypatch: pytest.MonkeyPatch, **form: Any) -> SignInSource:
    """Sign in, on the clock of the sandbox, and return a source."""
    monkeypatch.setattr(time, "time", world.now)
    await world.sign_in(Person(world, **form))
    world.requests.clear()
    return world.source()


def token(world: World) -> str:
    sign_in = world.store.read().sign_in
    assert sign_in
    return sign_in.tokens.access_token.get_secret_value()


async def test_a_token_is_renewed_on_the_last_day_before_the_request(world: World, source: SignInSource) -> None:
    old = token(world)
    world.clock.advance(WEEK * 6 / 7 - 1)
    await world.call(source)
    assert world.requests == [CALL]
    world.clock.advance(2)
    await world.call(source)
    assert world.requests == [CALL, REFRESH, CALL] and token(world) != old
    await world.call(source)
    assert world.requests[3:] == [CALL]


async def test_ten_processes_renew_an_expired_token_once(world: World, source: SignInSource) -> None:
    world.expire()
    await asyncio.gather(*(world.call(world.source()) for _ in range(10)))
    assert world.requests.count(REFRESH) == 1 and world.requests.count(CALL) == 10


async def test_ten_processes_renew_a_rotating_token_once(rotating: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await signed_in(rotating, monkeypatch)
    for _ in range(3):
        rotating.requests.clear()
        rotating.expire()
        await asyncio.gather(*(rotating.call(rotating.source()) for _ in range(10)))
        assert rotating.requests.count(REFRESH) == 1


async def test_a_rejected_write_is_sent_again_once_with_a_new_token(world: World, source: SignInSource) -> None:
    world.faults("error=token-expired; method=PATCH")
    assert await world.call(source, "users-partial-update", uuid="@me", first_name="Grace")
    assert world.requests == ["PATCH /api/users/@me/", REFRESH, "PATCH /api/users/@me/"]


async def test_a_token_that_is_rejected_again_is_the_error_of_the_call(world: World, source: SignInSource) -> None:
    world.faults("error=token-expired; times=2; path=users")
    with pytest.raises(Refused, match=r"401 .*\n.*runs `core13-mcp login --host http://127.0.0.1:8013` in a terminal"):
        await world.call(source)
    assert world.requests == [CALL, REFRESH, CALL]


async def test_the_token_of_another_process_is_adopted_without_a_renewal(world: World, source: SignInSource) -> None:
    stale = source()
    world.faults("error=token-expired; method=GET; path=users")
    await world.call(world.source())
    world.requests.clear()
    world.faults("error=token-expired; method=GET; path=users")
    await world.call(lambda: stale)
    assert world.requests == [CALL, CALL]


async def test_a_valid_token_is_used_although_it_cannot_be_renewed(world: World, source: SignInSource, caplog) -> None:
    # Another test may have set the level.
    caplog.set_level("WARNING", "core13_mcp")
    old = token(world)
    world.clock.advance(WEEK - 3600)
    world.faults("error=oauth-unavailable; times=3; path=token")
    await world.call(source)
    await world.call(source)
    assert world.requests == [REFRESH] * 3 + [CALL] * 2 and token(world) == old
    assert "could not be renewed: http://127.0.0.1:8013 responded with status 503" in caplog.text
    world.clock.advance(RETRY_INTERVAL)
    await world.call(source)
    assert token(world) != old


FAILED_RENEWALS = [
    "error=oauth-unavailable; times=3; path=token",
    "status=403; path=token",
    "status=405; times=3; path=token",
    "reset; times=3; path=token",
    "html; path=token",
]


@pytest.mark.parametrize("fault", FAILED_RENEWALS)
async def test_an_expired_token_that_cannot_be_renewed_is_a_retryable_error(
    world: World, source: SignInSource, fault: str
) -> None:
    before = world.store.path.read_text()
    world.expire()
    world.faults(fault)
    with pytest.raises(Unavailable, match=r"the sign-in could not be renewed: .*; nothing was sent") as caught:
        await world.call(source)
    assert caught.value.details["retryable"] and world.store.path.read_text() == before
    world.app.state.faults.clear()
    await world.call(source)


async def test_a_revoked_sign_in_names_login_and_sends_nothing_more(
    world: World, source: SignInSource, caplog: pytest.LogCaptureFixture
) -> None:
    # Another test may have set the level.
    caplog.set_level("WARNING", "core13_mcp")
    await world.control("tokens/revoke")
    world.requests.clear()
    ended = r"your PostHog sign-in at http://127.0.0.1:8013 ended \(invalid_grant\); run `core13-mcp login"
    with pytest.raises(ConfigurationError, match=ended):
        await world.call(source)
    assert world.requests == [CALL, REFRESH]
    with pytest.raises(ConfigurationError, match=ended):
        await world.call(source)
    assert world.requests == [CALL, REFRESH]
    assert caplog.text.count("your PostHog sign-in at http://127.0.0.1:8013 ended (invalid_grant)") == 1
    # The next sign-in takes effect without a restart.
    await world.sign_in()
    await world.call(source)


async def test_a_deleted_client_ends_the_sign_in(world: World, source: SignInSource) -> None:
    world.expire()
    await world.control("clients/delete")
    with pytest.raises(ConfigurationError, match="ended"):
        await world.call(source)


async def test_a_refused_renewal_does_not_overwrite_a_token_that_another_process_stored(
    world: World, source: SignInSource
) -> None:
    stale = world.store.path.read_text()
    world.expire()
    await world.call(world.source())
    renewed = world.store.path.read_text()
    world.store.path.write_text(stale)

    def connect(origin: str) -> APIClient:
        client = world.client(origin)
        send = client.send_once

        async def send_once(*arguments: Any) -> Any:
            # The other process does not see the lock, as on some network drives.
            world.store.path.write_text(renewed)
            return await send(*arguments)

        client.send_once = send_once  # type: ignore[assignment, method-assign]
        return client

    world.faults("error=oauth-invalid-grant; path=token")
    assert await world.call(SignInSource(world.settings, connect, world.now))
    assert world.store.path.read_text() == renewed


async def test_a_cancelled_call_does_not_lose_the_renewed_token(rotating: World, monkeypatch) -> None:
    source = await signed_in(rotating, monkeypatch)
    old = token(rotating)
    rotating.expire()
    call = asyncio.create_task(rotating.call(source))
    while REFRESH not in rotating.requests:
        await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait([call])
    assert token(rotating) != old
    await rotating.call(source)


async def test_a_lost_answer_of_a_rotating_server_does_not_end_the_sign_in(rotating: World, monkeypatch) -> None:
    # As after a kill between the answer and its storage: the server has a new refresh token, and the file the old one.
    source = await signed_in(rotating, monkeypatch)
    before = rotating.store.path.read_text()
    rotating.expire()
    await rotating.call(source)
    rotating.store.path.write_text(before)
    await rotating.call(rotating.source())


async def test_a_locked_file_is_waited_for_within_the_deadline_of_the_call(world: World, source: SignInSource) -> None:
    world.expire()
    client = world.client()
    async with world.store.lock(1), client:
        with pytest.raises(Unavailable, match="another process has locked"):
            await call_with_timeout(world, source, 0.2)


async def call_with_timeout(world: World, source: SignInSource, timeout: float) -> None:
    renew = source.renew

    async def quick(tokens: Any, _: float, *, rejected: bool) -> Any:
        return await renew(tokens, timeout, rejected=rejected)

    source.renew = quick  # type: ignore[assignment, method-assign]
    await world.call(source)


async def test_what_a_sign_in_lacks_is_named_without_a_request(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    source = await signed_in(world, monkeypatch, scope=["user:read"], project=["1"])
    with pytest.raises(Refused, match=r"allows subscription:read.\nThis sign-in has the scope user:read. It lacks sub"):
        await world.call(source, "subscriptions-list", project_id=1)
    assert "personal_api_keys" not in str(world.requests)


async def test_a_tool_for_a_session_says_that_no_sign_in_can_use_it(world: World, source: SignInSource) -> None:
    with pytest.raises(Refused, match="neither an API key nor a sign-in"):
        await world.call(source, "users-destroy", uuid="@me")
    assert REFRESH not in world.requests


async def test_a_renewal_keeps_the_principal_and_hides_both_tokens(world: World, source: SignInSource) -> None:
    before = source()
    old = token(world)
    world.faults("error=token-expired; method=GET; path=users")
    await world.call(source)
    after = source()
    assert before.principal == after.principal and before.secrets != after.secrets
    for credentials in (before, after):
        assert old not in repr(credentials) and token(world) not in repr(credentials)


async def test_a_response_that_repeats_the_new_token_is_redacted(world: World, source: SignInSource) -> None:
    async def repeat(scope: Any, receive: Any, send: Any) -> None:
        async def send_with_token(message: Any) -> None:
            if message["type"] == "http.response.body" and scope["path"].startswith("/api/users"):
                message = {**message, "body": message["body"].replace(b"Ada", token(world).encode())}
            if message["type"] == "http.response.start":
                message = {**message, "headers": [h for h in message["headers"] if h[0] != b"content-length"]}
            await send(message)

        await original(scope, receive, send_with_token)

    original = world.app
    world.faults("error=token-expired; method=GET; path=users")
    world.app = repeat  # type: ignore[assignment]
    value = await world.call(source)
    assert value["first_name"] == "[withheld]" and token(world) not in str(value)
    world.app = original


async def test_an_error_that_does_not_end_the_sign_in_is_retryable(world: World, source: SignInSource) -> None:
    def connect(origin: str) -> APIClient:
        return APIClient(origin, transport=FakeAPI(reply(400, {"error": "invalid_request"})))

    world.expire()
    with pytest.raises(Unavailable, match="refused it: invalid_request"):
        await world.call(SignInSource(world.settings, connect, world.now))
    await world.call(source)


async def test_the_client_for_a_renewal_tries_three_times_at_the_origin_of_the_sign_in() -> None:
    async with open_client(ORIGIN) as client:
        assert (client.origin, client.retry_policy.max_attempts) == (ORIGIN, 3)
