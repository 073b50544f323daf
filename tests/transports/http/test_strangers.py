"""Made-up keys are not many callers: until the API has accepted a key, all who bring such keys share what there is."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest
from starlette.types import Receive, Scope, Send

from core13_mcp import sandbox
from core13_mcp.settings import Settings

from .auth.test_oauth import GOOD, Issuer
from .http_server import ERAS, Stub, active, client, post, serving

pytestmark = pytest.mark.anyio

FEW = {"http_rate": 1, "log_level": "error"}
"""A caller may make three requests, and the next one in a minute: later than any of these tests may end."""


@pytest.fixture(autouse=True)
def two_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """All strangers count as two callers, so they have six requests together, and the next one in half a minute."""
    monkeypatch.setattr("core13_mcp.transports.http.rate.BURST", 180.0)
    monkeypatch.setattr("core13_mcp.transports.http.limits.STRANGERS", 2)


def own_key(**said: Any) -> Settings:
    return Settings(**{"sandbox": True, "auth": "own-key", **FEW, **said})


async def statuses(url: str, *keys: str, method: str = "tools/list") -> list[int]:
    """How one request of each key is answered."""
    more = {"name": "users-retrieve", "arguments": {}} if method == "tools/call" else {}
    return [(await post(url, method, sent={"X-PostHog-Api-Key": key}, **more)).status_code for key in keys]


async def call(url: str, key: str) -> list[int]:
    return await statuses(url, key, method="tools/call")


def made_up(count: int) -> list[str]:
    return [f"phx_madeup{number}" for number in range(count)]


async def test_made_up_keys_together_are_soon_told_to_come_later_and_a_known_caller_is_served() -> None:
    with anyio.fail_after(20):
        async with serving(own_key()) as served:
            assert await statuses(served.url, sandbox.FULL_KEY, method="tools/call") == [200]
            flood = await statuses(served.url, *made_up(20), method="tools/call")
            told = await post(served.url, sent={"X-PostHog-Api-Key": "phx_onemore"})
            known = await statuses(served.url, sandbox.FULL_KEY)
    assert flood == [200] * 5 + [429] * 15
    assert 1 <= int(told.headers["Retry-After"]) <= 30
    assert "keys that this server has not seen accepted yet" in told.json()["error"]["message"]
    assert known == [200]


@pytest.mark.parametrize("era", ERAS)
async def test_a_single_new_caller_notices_nothing(era: str) -> None:
    with anyio.fail_after(20):
        async with (
            serving(Settings(sandbox=True, auth="own-key", log_level="error")) as served,
            client(served.url, era, {"X-PostHog-Api-Key": sandbox.FULL_KEY}) as mcp,
        ):
            listed = await mcp.list_tools()
            answers = [await mcp.call_tool("users-retrieve", {}) for _ in range(8)]
    assert len(listed.tools) == 18
    assert not any(answer.is_error for answer in answers)


@pytest.mark.parametrize(("status", "accepted"), [(200, True), (403, True), (404, True), (401, False), (429, False)])
async def test_a_key_is_known_once_the_api_has_looked_at_it_and_not_refused_it(status: int, accepted: bool) -> None:
    api = Answering(status)
    with anyio.fail_after(20):
        async with sandbox.listening(api) as origin, serving(own_key(sandbox=False, host=origin)) as served:
            await statuses(served.url, "phx_somebody", method="tools/call")
            await statuses(served.url, *made_up(5))
            after = await statuses(served.url, "phx_somebody")
    assert after == [200 if accepted else 429]


async def test_a_key_that_the_api_takes_no_longer_is_a_strangers_again() -> None:
    api = Answering(200)
    with anyio.fail_after(20):
        async with (
            sandbox.listening(api) as origin,
            serving(own_key(sandbox=False, host=origin)) as served,
        ):
            await statuses(served.url, "phx_somebody", method="tools/call")
            api.status = 401
            await statuses(served.url, "phx_somebody", method="tools/call")
            await statuses(served.url, *made_up(6))
            assert await statuses(served.url, "phx_somebody") == [429]


async def test_a_caller_who_was_not_heard_of_for_long_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    with anyio.fail_after(20):
        async with serving(own_key()) as served:
            await statuses(served.url, sandbox.FULL_KEY, method="tools/call")
            await statuses(served.url, *made_up(5))
            monkeypatch.setattr("core13_mcp.transports.http.known.FOR", 0.0)
            assert await statuses(served.url, sandbox.FULL_KEY) == [429]


async def test_of_too_many_known_callers_the_one_heard_of_longest_ago_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core13_mcp.transports.http.known.AT_MOST", 1)
    with anyio.fail_after(20):
        async with serving(own_key()) as served:
            await statuses(served.url, sandbox.FULL_KEY, sandbox.FREE_KEY, method="tools/call")
            await statuses(served.url, *made_up(4))
            assert await statuses(served.url, sandbox.FULL_KEY, sandbox.FREE_KEY) == [429, 200]


async def test_where_places_are_few_made_up_keys_wait_behind_each_other_and_a_known_caller_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core13_mcp.transports.http.limits.RUNNING", 1)
    monkeypatch.setattr("core13_mcp.transports.http.known.STRANGERS", 1)
    monkeypatch.setattr("core13_mcp.transports.http.limits.STRANGERS", 16)
    stub, done = Stub(), []
    stub.slow = lambda _: False

    async def noted(url: str, key: str) -> None:
        await call(url, key)
        done.append(key)

    with anyio.fail_after(20):
        async with (
            sandbox.listening(stub) as origin,
            serving(own_key(sandbox=False, host=origin, http_metrics=True)) as served,
        ):
            await noted(served.url, "phx_known")
            stub.slow = lambda _: True
            async with anyio.create_task_group() as tasks:
                for key in made_up(6):
                    tasks.start_soon(noted, served.url, key)
                await stub.reached.wait()
                await active(served.url, 6)
                tasks.start_soon(noted, served.url, "phx_known")
                await active(served.url, 7)
                stub.release.set()
    assert done[1:].index("phx_known") <= 2


async def test_upstream_too_made_up_keys_take_turns_as_one_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core13_mcp.api.client.AT_ONCE", 1)
    monkeypatch.setattr("core13_mcp.transports.http.known.STRANGERS", 1)
    monkeypatch.setattr("core13_mcp.transports.http.limits.STRANGERS", 16)
    stub = Stub()
    stub.slow = lambda _: False
    with anyio.fail_after(20):
        async with (
            sandbox.listening(stub) as origin,
            serving(own_key(sandbox=False, host=origin, http_metrics=True)) as served,
        ):
            await statuses(served.url, "phx_known", method="tools/call")
            stub.slow = lambda _: True
            async with anyio.create_task_group() as tasks:
                for key in [*made_up(6), "phx_known"]:
                    tasks.start_soon(call, served.url, key)
                await active(served.url, 7)
                await stub.reached.wait()
                stub.release.set()
    asked = [heard["authorization"] for heard in stub.heard][1:]
    assert asked.index("Bearer phx_known") <= 2


async def test_half_of_all_room_is_for_those_who_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core13_mcp.transports.http.body.TOGETHER", 2000)
    with anyio.fail_after(20):
        async with serving(own_key(http_rate=240)) as served:
            await statuses(served.url, sandbox.FULL_KEY, method="tools/call")
            async with await anyio.connect_tcp("127.0.0.1", urlsplit(served.url).port or 0) as stream:
                head = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-PostHog-Api-Key: phx_slow\r\nContent-Length: 990\r\n\r\n"
                await stream.send(head.encode() + b" " * 989)
                while (stranger := await statuses(served.url, "phx_other")) == [200]:
                    pass
                known = await statuses(served.url, sandbox.FULL_KEY)
    assert (stranger, known) == ([503], [200])


async def test_half_of_all_open_requests_are_for_those_who_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core13_mcp.transports.http.limits.OPEN_AT_MOST", 2)
    stub = Stub()
    stub.slow = lambda scope: (b"authorization", b"Bearer phx_slow") in scope["headers"]
    with anyio.fail_after(20):
        async with sandbox.listening(stub) as origin, serving(own_key(sandbox=False, host=origin)) as served:
            await statuses(served.url, "phx_known", method="tools/call")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call, served.url, "phx_slow")
                await stub.reached.wait()
                assert await statuses(served.url, "phx_other", "phx_known") == [503, 200]
                stub.release.set()


async def test_callers_whom_this_server_knows_by_their_tokens_are_no_strangers(tmp_path: Any) -> None:
    tokens = [f"caller-{number}-" + "t" * 32 for number in range(8)]
    (tmp_path / "tokens").write_text("".join(f"c{number}: {token}\n" for number, token in enumerate(tokens)))
    settings = own_key(auth="token", caller_tokens_file=str(tmp_path / "tokens"))
    with anyio.fail_after(20):
        async with serving(settings) as served:
            answers = [await post(served.url, sent={"Authorization": f"Bearer {token}"}) for token in tokens]
    assert [answer.status_code for answer in answers] == [200] * 8


async def test_made_up_oauth_tokens_are_strangers_and_one_that_its_issuer_vouches_for_is_not() -> None:
    made = [f"pha_madeup{number}" for number in range(6)]
    with anyio.fail_after(20):
        async with (
            sandbox.listening(Issuer().app) as issuer,
            serving(own_key(sandbox=False, auth="oauth", host=issuer)) as served,
        ):
            sent = [{"Authorization": f"Bearer {token}"} for token in (GOOD, *made, GOOD)]
            answers = [(await post(served.url, sent=one)).status_code for one in sent]
    assert answers == [200, *[401] * 5, 429, 200]


class Answering:
    """An API that gives everyone the same status."""

    def __init__(self, status: int) -> None:
        self.status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        kind = [(b"content-type", b"application/json"), (b"retry-after", b"600")]
        await send({"type": "http.response.start", "status": self.status, "headers": kind})
        await send({"type": "http.response.body", "body": b'{"uuid": "0", "distinct_id": "x"}'})
