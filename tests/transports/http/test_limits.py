"""Limits for callers, slow clients and request bodies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest
from anyio.abc import ByteStream

from core13_mcp import sandbox
from core13_mcp.settings import Settings
from core13_mcp.transports.http.connection import Timeouts
from core13_mcp.transports.http.errors import Rejected
from core13_mcp.transports.http.limits import LimitOptions, Limits
from core13_mcp.transports.http.slots import FairLimiter

from ...asgi import listening
from .http_server import StubAPI, call_user, headers, message, post, serving, wait_for_requests

pytestmark = pytest.mark.anyio

KEY = "X-PostHog-Api-Key"
UNFINISHED_HEADER = b"POST /mcp HTTP/1.1\r\nHost: loc"
UNFINISHED_BODY = (
    b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
)


def own_key(**fields: Any) -> Settings:
    return Settings(**{"auth": "own-key", "log_level": "error", **fields})


async def connect(url: str) -> ByteStream:
    return await anyio.connect_tcp("127.0.0.1", urlsplit(url).port or 0)


async def read_all(stream: ByteStream) -> bytes:
    """Read until the server closes the connection."""
    data = b""
    try:
        async for chunk in stream:
            data += chunk
    except anyio.BrokenResourceError:
        pass
    return data


async def test_a_caller_above_its_rate_gets_429_and_other_callers_are_served() -> None:
    # A rate of 8 a minute allows a burst of two, and then one request in 7.5 seconds.
    settings = own_key(sandbox=True, http_rate=8)
    async with serving(settings) as server:
        responses = [await post(server.url, sent={KEY: sandbox.FULL_KEY}) for _ in range(4)]
        other = await post(server.url, sent={KEY: sandbox.FREE_KEY})
    assert [response.status_code for response in responses] == [200, 200, 429, 429]
    assert 1 <= int(responses[-1].headers["Retry-After"]) <= 8
    assert other.status_code == 200


async def test_requests_above_the_concurrency_of_a_caller_wait_and_other_callers_do_not() -> None:
    api, completed = StubAPI(lambda scope: (b"authorization", b"Bearer phx_many") in scope["headers"]), []

    async def call(url: str, key: str) -> None:
        response = await call_user(url, X_PostHog_Api_Key=key)
        completed.append((key, response.status_code))

    async with (
        listening(api) as origin,
        serving(own_key(host=origin, http_at_once=2)) as server,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(6):
            tasks.start_soon(call, server.url, "phx_many")
        await api.reached.wait()
        await call(server.url, "phx_one")
        assert completed == [("phx_one", 200)]
        assert len([request for request in api.requests if "many" in request["authorization"]]) <= 2
        api.release.set()
    assert completed[1:] == [("phx_many", 200)] * 6


async def test_a_free_slot_goes_to_another_caller_first() -> None:
    api, completed = StubAPI(), []

    async def call(url: str, key: str) -> None:
        await call_user(url, X_PostHog_Api_Key=key)
        completed.append(key)

    async with (
        listening(api) as origin,
        serving(own_key(host=origin, http_metrics=True), max_concurrent=1) as server,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(5):
            tasks.start_soon(call, server.url, "phx_many")
        await api.reached.wait()
        await wait_for_requests(server, 5)
        tasks.start_soon(call, server.url, "phx_one")
        await wait_for_requests(server, 6)
        api.release.set()
    assert completed.index("phx_one") <= 2


async def acquire(limits: Limits, caller: str, trusted: bool = False) -> int:
    """Make one request and return the status of its rejection, or 200."""
    try:
        with limits.acquire(caller, trusted):
            return 200
    except Rejected as rejected:
        assert int(rejected.headers["Retry-After"]) >= 1
        return rejected.status


async def test_a_caller_with_too_many_open_requests_gets_429() -> None:
    limits = Limits(LimitOptions(at_once=1, per_minute=6000))
    with ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(limits.acquire("many"))
        assert [await acquire(limits, caller) for caller in ("many", "one")] == [429, 200]
    assert await acquire(limits, "many") == 200


async def test_without_a_rate_a_caller_may_have_any_number_of_open_requests() -> None:
    limits = Limits(LimitOptions(at_once=1, per_minute=None))
    with ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(limits.acquire("one"))
        assert await acquire(limits, "one") == 200


async def test_too_many_open_requests_of_all_callers_get_503() -> None:
    limits = Limits(LimitOptions(max_open=1))
    with limits.acquire("one"):
        assert await acquire(limits, "another") == 503


async def test_the_server_remembers_the_callers_with_the_latest_requests() -> None:
    # A rate of 12 a minute allows a burst of three.
    limits = Limits(LimitOptions(new_callers_per_minute=12, max_remembered=2))
    assert [await acquire(limits, caller) for caller in ("a", "b", "a", "c")] == [200] * 4
    assert [await acquire(limits, caller) for caller in ("a", "b")] == [200, 429]


async def test_made_up_keys_share_one_rate_over_http_and_tokens_do_not(tmp_path: Any) -> None:
    tokens = [f"token-of-caller-{number}-" + "t" * 32 for number in range(4)]
    (tmp_path / "tokens").write_text("".join(f"caller{number}: {token}\n" for number, token in enumerate(tokens)))
    by_token = Settings(sandbox=True, auth="token", caller_tokens_file=str(tmp_path / "tokens"), log_level="error")
    async with serving(own_key(sandbox=True), new_callers_per_minute=8) as server:
        made_up = [await post(server.url, sent={KEY: f"phx_madeup{number}"}) for number in range(4)]
    async with serving(by_token, new_callers_per_minute=8) as server:
        verified = [await post(server.url, sent={"Authorization": f"Bearer {token}"}) for token in tokens]
    assert [response.status_code for response in made_up] == [200, 200, 429, 429]
    assert [response.status_code for response in verified] == [200] * 4


async def test_a_slow_body_delays_only_its_own_caller(settings: Settings) -> None:
    release = anyio.Event()

    async def slow_body() -> AsyncIterator[bytes]:
        yield b"{"
        await release.wait()

    async def upload(url: str) -> None:
        async with httpx2.AsyncClient() as http:
            await http.post(url, content=slow_body(), headers=headers(**{KEY: "phx_slow"}))

    one_at_once = settings._replace(auth="own-key", http_at_once=1)
    async with serving(one_at_once) as server, anyio.create_task_group() as tasks:
        tasks.start_soon(upload, server.url)
        response = await post(server.url, sent={KEY: sandbox.FREE_KEY})
        release.set()
    assert response.status_code == 200


@pytest.mark.parametrize("sent", [b"", UNFINISHED_HEADER])
async def test_a_connection_without_a_complete_header_is_closed(settings: Settings, sent: bytes) -> None:
    async with serving(settings, timeouts=Timeouts(header=0.1)) as server, await connect(server.url) as stream:
        await stream.send(sent)
        assert await read_all(stream) == b""


async def test_a_connection_whose_second_header_stays_incomplete_is_closed(settings: Settings) -> None:
    async with serving(settings, timeouts=Timeouts(header=1)) as server, await connect(server.url) as stream:
        await stream.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await stream.receive()).startswith(b"HTTP/1.1 200")
        await stream.send(UNFINISHED_HEADER)
        await read_all(stream)


async def test_an_idle_connection_is_not_closed_by_the_header_timeout(settings: Settings) -> None:
    async with serving(settings, timeouts=Timeouts(header=0.2)) as server, httpx2.AsyncClient() as http:
        first = await http.post(server.url, json=message(), headers=headers())
        async with await connect(server.url) as stream:
            # This connection is closed by the timeout, so the other one has been idle for longer than that.
            await read_all(stream)
        second = await http.post(server.url, json=message(), headers=headers())
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.extensions["network_stream"] is second.extensions["network_stream"]


async def test_a_body_that_does_not_arrive_in_time_gets_408(settings: Settings) -> None:
    async with (
        serving(settings, body_timeout=0.1) as server,
        await connect(server.url) as stream,
    ):
        await stream.send(UNFINISHED_BODY)
        response = await read_all(stream)
    assert response.startswith(b"HTTP/1.1 408 ")
    assert b"did not arrive within 0.1 s" in response


async def test_a_client_that_disconnects_before_its_body_is_complete_gets_no_response_and_no_error(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(settings._replace(http_metrics=True)) as server:
        async with await connect(server.url) as stream:
            await stream.send(UNFINISHED_BODY)
            await wait_for_requests(server, 1)
        await wait_for_requests(server, 0)
    assert caplog.text == ""


async def run(limiter: FairLimiter, caller: str, order: list[str]) -> None:
    async with limiter.slot(caller):
        order.append(caller)


async def test_a_free_slot_goes_to_the_caller_with_the_fewest_slots() -> None:
    limiter, order = FairLimiter(2, per_caller=2), list[str]()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks, limiter.slot("many"):
            async with limiter.slot("another"):
                for caller in ("many", "one"):
                    tasks.start_soon(run, limiter, caller, order)
                    await anyio.wait_all_tasks_blocked()
            await anyio.wait_all_tasks_blocked()
    assert order == ["one", "many"]


@pytest.mark.parametrize("others", [[], ["cancelled"], ["other"]], ids=["alone", "same-caller", "other-caller"])
async def test_a_cancelled_request_leaves_the_queue(others: list[str]) -> None:
    limiter, order, scope = FairLimiter(1, per_caller=1), list[str](), anyio.CancelScope()

    async def run_cancelled() -> None:
        with scope:
            await run(limiter, "cancelled", order)
            order.append("not cancelled")

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks, limiter.slot("first"):
            tasks.start_soon(run_cancelled)
            for caller in others:
                tasks.start_soon(run, limiter, caller, order)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
            await anyio.wait_all_tasks_blocked()
        await run(limiter, "last", order)
    assert order == [*others, "last"]


async def test_a_slot_assigned_at_the_moment_of_cancellation_is_passed_on() -> None:
    limiter, order, scope = FairLimiter(1, per_caller=1), list[str](), anyio.CancelScope()

    async def run_cancelled() -> None:
        with scope:
            await run(limiter, "cancelled", order)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks, limiter.slot("first"):
            tasks.start_soon(run_cancelled)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
        await run(limiter, "last", order)
    assert order == ["last"]
