"""No caller is in another's way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest
from anyio.abc import ByteStream

from core13_mcp import sandbox
from core13_mcp.settings import Settings
from core13_mcp.transports.http.errors import Rejected
from core13_mcp.transports.http.limits import Limits

from ...asgi import listening
from .http_server import Stub, active, headers, message, post, serving

pytestmark = pytest.mark.anyio


async def test_who_asks_too_often_is_told_when_to_come_again_and_others_are_served() -> None:
    settings = Settings(sandbox=True, auth="own-key", http_rate=8, log_level="error")  # two at once, then one in 7.5 s
    rude, polite = ({"X-PostHog-Api-Key": key} for key in (sandbox.FULL_KEY, sandbox.FREE_KEY))
    with anyio.fail_after(20):
        async with serving(settings) as served:
            answers = [await post(served.url, sent=rude) for _ in range(4)]
            other = await post(served.url, sent=polite)
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 8
    assert other.status_code == 200


async def test_what_is_too_much_at_once_waits_and_other_callers_do_not() -> None:
    stub, done = Stub(), []
    stub.slow = lambda scope: (b"authorization", b"Bearer phx_rude") in scope["headers"]

    async def call(url: str, key: str) -> None:
        answer = await post(url, "tools/call", sent={"X-PostHog-Api-Key": key}, name="users-retrieve", arguments={})
        done.append((key, answer.status_code))

    with anyio.fail_after(20):
        async with listening(stub) as origin:
            settings = Settings(host=origin, auth="own-key", http_at_once=2, log_level="error")
            async with serving(settings) as served, anyio.create_task_group() as tasks:
                for _ in range(6):
                    tasks.start_soon(call, served.url, "phx_rude")
                await stub.reached.wait()
                await call(served.url, "phx_polite")
                assert done == [("phx_polite", 200)]
                assert len([heard for heard in stub.heard if "rude" in heard["authorization"]]) <= 2
                stub.release.set()
    assert done[1:] == [("phx_rude", 200)] * 6


async def test_where_places_are_few_the_next_one_goes_to_the_next_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core13_mcp.transports.http.limits.RUNNING", 1)
    stub, done = Stub(), []

    async def call(url: str, key: str) -> None:
        await post(url, "tools/call", sent={"X-PostHog-Api-Key": key}, name="users-retrieve", arguments={})
        done.append(key)

    with anyio.fail_after(20):
        async with listening(stub) as origin:
            settings = Settings(host=origin, auth="own-key", http_metrics=True, log_level="error")
            async with serving(settings) as served:
                stub.slow = lambda _: False
                for key in ("phx_rude", "phx_polite"):
                    await call(served.url, key)  # from here on they are known
                done.clear()
                stub.slow = lambda _: True
                async with anyio.create_task_group() as tasks:
                    for _ in range(5):
                        tasks.start_soon(call, served.url, "phx_rude")
                    await stub.reached.wait()
                    tasks.start_soon(call, served.url, "phx_polite")
                    await active(served.url, 6)
                    stub.release.set()
    assert done.index("phx_polite") <= 2


async def test_more_than_may_wait_is_turned_away() -> None:
    limits = Limits(at_once=1, in_a_minute=6000)
    release = anyio.Event()

    async def hold() -> None:
        async with limits.within("rude"):
            await release.wait()

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(hold)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(Rejected, match="More than 5 requests of yours are open"):
                async with limits.within("rude"):
                    pass
            async with limits.within("polite"):
                pass
            release.set()


async def test_who_has_nothing_open_and_nothing_spent_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core13_mcp.transports.http.limits.BURST", 0.0)
    limits = Limits(at_once=1, in_a_minute=60_000)
    with anyio.fail_after(20):
        async with limits.within("busy"):
            for number in range(100):
                async with limits.within(f"caller {number}"):
                    pass
            while limits.remembered > 2:
                async with limits.within("last"):
                    pass
            # The busy one, who has a request open, and the last.
            assert limits.remembered == 2


async def test_a_slow_body_holds_up_only_its_own_caller(settings: Settings) -> None:
    arrives = anyio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await arrives.wait()

    async def drip(url: str) -> None:
        async with httpx2.AsyncClient() as http:
            await http.post(url, content=slow(), headers=headers(**{"X-PostHog-Api-Key": "phx_rude"}))

    one = settings.model_copy(update={"auth": "own-key", "http_at_once": 1})
    with anyio.fail_after(20):
        async with serving(one) as served, anyio.create_task_group() as tasks:
            tasks.start_soon(drip, served.url)
            answer = await post(served.url, sent={"X-PostHog-Api-Key": sandbox.FREE_KEY})
            arrives.set()
    assert answer.status_code == 200


@pytest.mark.parametrize("said", [b"", b"POST /mcp HTTP/1.1\r\nHost: loc"])
async def test_a_connection_on_which_no_request_comes_is_given_up(
    url: str, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core13_mcp.transports.http.connection.HEAD_WITHIN", 0.1)
    with anyio.fail_after(20):
        async with await anyio.connect_tcp("127.0.0.1", urlsplit(url).port or 0) as stream:
            await stream.send(said)
            assert await _rest(stream) == b""


async def test_a_second_request_that_never_ends_its_head_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with anyio.fail_after(20):
        async with await anyio.connect_tcp("127.0.0.1", urlsplit(url).port or 0) as stream:
            await stream.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await stream.receive()).startswith(b"HTTP/1.1 200")
            monkeypatch.setattr("core13_mcp.transports.http.connection.HEAD_WITHIN", 0.1)
            await stream.send(b"GET /heal")
            await _rest(stream)


async def test_a_body_that_never_ends_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core13_mcp.transports.http.body.WITHIN", 0.1)
    with anyio.fail_after(20):
        async with await anyio.connect_tcp("127.0.0.1", urlsplit(url).port or 0) as stream:
            await stream.send(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{")
            answer = await _rest(stream)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"did not arrive in time" in answer


async def test_a_request_on_a_kept_connection_is_not_hurried(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with anyio.fail_after(20):
        async with httpx2.AsyncClient() as http:
            first = await http.post(url, json=message(), headers=headers())
            monkeypatch.setattr("core13_mcp.transports.http.connection.HEAD_WITHIN", 0.0)
            second = await http.post(url, json=message(), headers=headers())
    assert (first.status_code, second.status_code) == (200, 200)


async def _rest(stream: ByteStream) -> bytes:
    """All that comes until the connection is closed."""
    said = b""
    try:
        async for piece in stream:
            said += piece
    except anyio.BrokenResourceError:
        pass
    return said


async def test_what_is_held_of_all_requests_together_is_bounded(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core13_mcp.transports.http.body.TOGETHER", 1000)
    with anyio.fail_after(20):
        async with await anyio.connect_tcp("127.0.0.1", urlsplit(url).port or 0) as stream:
            await stream.send(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n\r\n" + b" " * 899)
            while (full := await post(url)).status_code == 200:
                pass
        while (empty := await post(url)).status_code == 503:
            pass
    assert (full.status_code, full.headers["Retry-After"]) == (503, "1")
    assert empty.status_code == 200
