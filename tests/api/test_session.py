from __future__ import annotations

import socket
from contextlib import suppress

import anyio
import httpx2
import pytest

from core13_mcp.api.client import APIClient
from core13_mcp.api.credentials import Credentials
from core13_mcp.api.exchange import APIRequest
from core13_mcp.api.retry import NOT_SENT_ERRORS, RetryPolicy
from core13_mcp.api.session import APISession

from ..fake_api import NO_DELAY, FakeAPI, Reply, api_client, fail_with, reply
from ..faults.virtual_clock import run_without_waiting

pytestmark = pytest.mark.anyio

READ = APIRequest(method="GET", path="/api/things/")
WRITE = APIRequest(method="POST", path="/api/things/", body={"a": 1}, repeatable=False)
OK = reply(200, {})
LIMITED, FAILED, LOST = reply(429, {}, retry_after="0"), reply(503, {}), fail_with(httpx2.ReadError)
REFUSED, TIMED_OUT = fail_with(httpx2.ConnectError), fail_with(httpx2.ReadTimeout)
MAX_ATTEMPTS = RetryPolicy().max_attempts


def session(*replies: Reply, timeout: float = 5, **options: object) -> tuple[APISession, FakeAPI]:
    api = FakeAPI(*replies)
    return APISession(api_client(api), Credentials(), timeout, **options), api  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("request_", "replies", "attempts"),
    [
        (READ, [OK], 1),
        (READ, [FAILED, LOST, OK], 3),
        (READ, [TIMED_OUT, REFUSED, LIMITED, OK], 4),
        (READ, [reply(404, {}), OK], 1),
        (READ, [FAILED], MAX_ATTEMPTS),
        (WRITE, [LIMITED, OK], 2),
        (WRITE, [REFUSED, LIMITED, OK], 3),
        (WRITE, [FAILED, OK], 1),
        (WRITE, [LIMITED, FAILED, OK], 2),
        (WRITE, [LIMITED], MAX_ATTEMPTS),
        (READ, [LOST], MAX_ATTEMPTS),
        (WRITE, [REFUSED], MAX_ATTEMPTS),
        (WRITE, [LOST, OK], 1),
        (WRITE, [TIMED_OUT, OK], 1),
    ],
)
async def test_only_a_request_that_is_safe_to_repeat_is_sent_again(
    request_: APIRequest, replies: list[Reply], attempts: int
) -> None:
    calls, api = session(*replies)
    with suppress(httpx2.TransportError):
        assert (await calls.send(request_)).status == calls.status
    assert len(api.requests) == calls.attempts == attempts


async def test_every_attempt_sends_the_same_body() -> None:
    calls, api = session(LIMITED, OK)
    await calls.send(WRITE)
    assert [request.content for request in api.requests] == [b'{"a":1}'] * 2


async def test_a_delay_past_the_deadline_is_not_waited_for() -> None:
    calls, _ = session(reply(429, {}, retry_after="30"), OK)
    assert (await calls.send(READ)).status == 429
    assert (calls.attempts, calls.waited) == (1, 0)


@pytest.mark.parametrize(
    ("replies", "ambiguous"),
    [([LIMITED, REFUSED, OK], False), ([FAILED, OK], True), ([LOST, OK], True), ([OK], False)],
)
async def test_an_earlier_attempt_that_may_be_applied_makes_the_outcome_ambiguous(
    replies: list[Reply], ambiguous: bool
) -> None:
    calls, _ = session(*replies)
    await calls.send(READ)
    assert calls.ambiguous is ambiguous


async def test_a_request_without_a_response_has_no_status() -> None:
    calls, _ = session(OK, LOST)
    await calls.send(READ)
    assert calls.status == 200
    with pytest.raises(httpx2.ReadError):
        await calls.send(WRITE)
    assert calls.status is None


class Slow(httpx2.AsyncBaseTransport):
    """Responds after some seconds, or never."""

    def __init__(self, seconds: float = float("inf")) -> None:
        self.seconds = seconds

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await anyio.sleep(self.seconds)
        return httpx2.Response(200, json={})


def test_a_response_after_the_deadline_is_a_read_timeout() -> None:
    async def run() -> None:
        with pytest.raises(httpx2.ReadTimeout):
            await APISession(api_client(Slow()), Credentials(), timeout=30).send(READ)

    run_without_waiting(run())


@pytest.mark.parametrize("seconds", [28.6, 29.9])
def test_no_request_is_sent_shortly_before_the_deadline(seconds: float) -> None:
    async def run() -> None:
        calls = APISession(api_client(Slow(seconds)), Credentials(), timeout=30)
        await calls.send(READ)
        with pytest.raises(httpx2.PoolTimeout):
            await calls.send(READ)

    run_without_waiting(run())


def test_time_between_requests_does_not_count_toward_the_deadline() -> None:
    async def run() -> None:
        calls = APISession(api_client(Slow(10)), Credentials(), timeout=30)
        await calls.send(READ)
        await anyio.sleep(1000)
        assert (await calls.send(READ)).status == 200

    run_without_waiting(run())


async def test_a_cancelled_session_does_not_wait_for_its_retry() -> None:
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:

            async def cancel(_: str) -> None:
                tasks.cancel_scope.cancel()

            calls, _ = session(reply(429, {}, retry_after="400"), OK, timeout=500, on_progress=cancel)
            await calls.send(READ)
    assert calls.attempts == 1


@pytest.mark.parametrize(
    ("error", "attempts"),
    [(socket.EAI_NONAME, 1), (socket.EAI_NODATA, 1), (socket.EAI_AGAIN, MAX_ATTEMPTS)],
    ids=["no such name", "no address", "no answer"],
)
async def test_a_host_name_that_dns_does_not_have_is_looked_up_once(
    error: int, attempts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(*_: object, **__: object) -> None:
        raise socket.gaierror(error, "look-up failed")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    async with APIClient("https://posthog.invalid", retry_policy=NO_DELAY) as client:
        sent = APISession(client, Credentials(), 5)
        with pytest.raises(NOT_SENT_ERRORS) as failure:
            await sent.send(WRITE)
    assert (sent.attempts, sent.write_sent) == (attempts, False)
    assert (str(failure.value) == "the host name posthog.invalid cannot be resolved") is (attempts == 1)
