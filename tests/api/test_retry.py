from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import anyio
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as some

from core13_mcp.api.credentials import Credentials
from core13_mcp.api.exchange import APIRequest, CallState
from core13_mcp.api.retry import MAX_ATTEMPTS, retry_after

from ..fake_api import FakeAPI, api_client, fail_with, reply

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("without_pauses")]

READ = APIRequest(method="GET", path="/api/things/")
WRITE = APIRequest(method="POST", path="/api/things/", body={"a": 1}, repeatable=False)
OK = reply(200, {})
BUSY, BROKEN, GONE = reply(429, {}, retry_after="0"), reply(503, {}), fail_with(httpx2.ReadError)
UNREACHABLE, SLOW = fail_with(httpx2.ConnectError), fail_with(httpx2.ReadTimeout)


@pytest.mark.parametrize(
    ("request_", "script", "attempts"),
    [
        (READ, [OK], 1),
        (READ, [BROKEN, GONE, OK], 3),
        (READ, [SLOW, UNREACHABLE, BUSY, OK], 4),
        (READ, [reply(404, {}), OK], 1),
        (READ, [reply(501, {}), OK], 2),
        (READ, [BROKEN], MAX_ATTEMPTS),
        (WRITE, [BUSY, OK], 2),
        (WRITE, [UNREACHABLE, BUSY, OK], 3),
        (WRITE, [fail_with(httpx2.PoolTimeout), fail_with(httpx2.ConnectTimeout), OK], 3),
        (WRITE, [BROKEN, OK], 1),
        (WRITE, [BUSY, BROKEN, OK], 2),
        (WRITE, [BUSY], MAX_ATTEMPTS),
    ],
)
async def test_only_what_is_safe_to_send_again_is_sent_again(request_, script, attempts):
    api, exchange = FakeAPI(*script), CallState(5)
    answer = await api_client(api).send(request_, Credentials(), exchange)
    assert len(api.requests) == exchange.attempts == attempts
    assert answer.status == exchange.status


@pytest.mark.parametrize("lost", [GONE, SLOW, fail_with(httpx2.WriteError), fail_with(httpx2.RemoteProtocolError)])
async def test_a_write_whose_answer_was_lost_is_not_sent_again(lost):
    api = FakeAPI(lost, OK)
    with pytest.raises(httpx2.TransportError):
        await api_client(api).send(WRITE, Credentials(), CallState(5))
    assert len(api.requests) == 1


@pytest.mark.parametrize(("request_", "script"), [(READ, [GONE]), (WRITE, [UNREACHABLE])])
async def test_the_last_silence_is_passed_on(request_, script):
    api = FakeAPI(*script)
    with pytest.raises(httpx2.TransportError):
        await api_client(api).send(request_, Credentials(), CallState(5))
    assert len(api.requests) == MAX_ATTEMPTS


async def test_every_try_sends_the_same_body():
    api = FakeAPI(BUSY, OK)
    await api_client(api).send(WRITE, Credentials(), CallState(5))
    assert [request.content for request in api.requests] == [b'{"a":1}'] * 2


async def test_a_wait_that_does_not_fit_before_the_deadline_is_not_begun():
    api, exchange = FakeAPI(reply(429, {}, retry_after="30"), OK), CallState(5)
    assert (await api_client(api).send(READ, Credentials(), exchange)).status == 429
    assert (exchange.attempts, exchange.waited) == (1, 0)


async def test_each_new_try_is_reported_in_one_line():
    lines: list[str] = []

    async def report(line: str) -> None:
        lines.append(line)

    await api_client(FakeAPI(BUSY, GONE, OK)).send(READ, Credentials(), CallState(5, report))
    assert lines == ["status 429; trying again in 0 s", "no answer; trying again in 0 s"]


@pytest.mark.parametrize(
    ("script", "unclear"), [([BUSY, UNREACHABLE, OK], False), ([BROKEN, OK], True), ([GONE, OK], True), ([OK], False)]
)
async def test_a_try_that_may_have_been_acted_on_is_remembered(script, unclear):
    exchange = CallState(5)
    await api_client(FakeAPI(*script)).send(READ, Credentials(), exchange)
    assert exchange.unclear is unclear


async def test_time_outside_requests_is_not_counted_against_the_deadline():
    exchange = CallState(5)
    exchange.started -= 1000
    assert exchange.left == 5 and exchange.milliseconds >= 1_000_000


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("0", 0), ("7", 7), (" 7 ", 7), ("9" * 400, 999_999_999), ("Mon, 01 Jan 2024 00:00:00 GMT", 0),
     ("Mon, 01 Jan 2024 00:00:00", 0),
     ("Mon, 01 Jan 2024 00:00:00 +9999999999999999", None), ("", None), ("-1", None),
     ("soon", None), ("1.5", None), ("٣", None)],
)  # fmt: skip
def test_a_wait_is_read_in_seconds_or_as_a_date(told, seconds):
    headers = httpx2.Headers([(b"retry-after", told.encode())])
    assert retry_after(headers) == seconds


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5)), timezone(timedelta(hours=-5))])
def test_a_date_ahead_is_a_wait_until_then_in_any_zone(zone):
    ahead = format_datetime(datetime.now(zone) + timedelta(hours=1), usegmt=zone is UTC)
    wait = retry_after(httpx2.Headers({"Retry-After": ahead}))
    assert wait is not None and 0 < wait <= 3600


def test_without_the_header_there_is_no_wait():
    assert retry_after(httpx2.Headers()) is None


@given(some.text(some.characters(max_codepoint=255)) | some.from_regex(r"\w{3}, \d+ \w{3} \d+ \d+:\d+:\d+ \S+"))
def test_no_header_breaks_the_reading_of_the_wait(told):
    wait = retry_after(httpx2.Headers([(b"retry-after", told.encode("latin-1", "replace"))]))
    assert wait is None or wait >= 0


async def test_cancelling_a_call_ends_its_waiting():
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:

            async def stop(_: str) -> None:
                tasks.cancel_scope.cancel()

            exchange = CallState(500, report=stop)
            await api_client(FakeAPI(reply(429, {}, retry_after="400"), OK)).send(READ, Credentials(), exchange)
    assert exchange.attempts == 1
