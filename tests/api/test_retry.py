from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as some

from core13_mcp.api.exchange import APIResponse
from core13_mcp.api.failures import ConnectFailure
from core13_mcp.api.retry import AttemptOutcome, RetryPolicy, retry_after

LOWEST = RetryPolicy(uniform=lambda low, _: low)


def status(code: int, **headers: str) -> APIResponse:
    return APIResponse(code, httpx2.Headers({name.replace("_", "-"): value for name, value in headers.items()}), b"")


CONNECT_ERROR = httpx2.ConnectError("")
READ_ERROR = httpx2.ReadError("")


@pytest.mark.parametrize(
    ("outcome", "repeatable", "delay"),
    [
        (status(200), True, None),
        (status(404), True, None),
        (status(429), True, 0.25),
        (status(429), False, 0.25),
        (status(429, retry_after="7"), False, 7),
        (status(500), True, 0.25),
        (status(501), True, 0.25),
        (status(503, retry_after="2"), True, 2),
        (status(503), False, None),
        (READ_ERROR, True, 0.25),
        (httpx2.ReadTimeout(""), True, 0.25),
        (READ_ERROR, False, None),
        (httpx2.ReadTimeout(""), False, None),
        (httpx2.WriteError(""), False, None),
        (httpx2.RemoteProtocolError(""), False, None),
        (CONNECT_ERROR, False, 0.25),
        (httpx2.ConnectTimeout(""), False, 0.25),
        (httpx2.PoolTimeout(""), False, 0.25),
        (httpx2.LocalProtocolError(""), False, None),
        (ConnectFailure("proxy", "", ""), False, None),
        (ConnectFailure("tls", "", ""), True, None),
    ],
)
def test_an_outcome_decides_whether_and_when_a_request_is_sent_again(
    outcome: AttemptOutcome, repeatable: bool, delay: float | None
) -> None:
    assert LOWEST.delay(1, outcome, repeatable=repeatable) == delay


@pytest.mark.parametrize(("attempt", "delay"), [(1, 0.25), (2, 0.5), (3, 1.0), (4, None)])
def test_the_delay_doubles_until_the_last_attempt(attempt: int, delay: float | None) -> None:
    assert LOWEST.delay(attempt, READ_ERROR, repeatable=True) == delay


def test_the_delay_has_jitter() -> None:
    highest = RetryPolicy(uniform=lambda _, high: high)
    assert highest.delay(1, READ_ERROR, repeatable=True) == 0.5
    assert highest.delay(1, status(429, retry_after="7"), repeatable=True) == 7.25


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("9" * 400, 999_999_999),
        ("Mon, 01 Jan 2024 00:00:00 GMT", 0),
        ("Mon, 01 Jan 2024 00:00:00", 0),
        ("Mon, 01 Jan 2024 00:00:00 +9999999999999999", None),
        ("", None),
        ("-1", None),
        ("soon", None),
        ("1.5", None),
        ("٣", None),
    ],
)
def test_retry_after_holds_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after(httpx2.Headers([(b"retry-after", value.encode())])) == seconds


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5)), timezone(timedelta(hours=-5))])
def test_a_date_in_retry_after_has_a_time_zone(zone: timezone) -> None:
    date = format_datetime(datetime.now(zone) + timedelta(hours=1), usegmt=zone is UTC)
    seconds = retry_after(httpx2.Headers({"Retry-After": date}))
    assert seconds is not None and 0 < seconds <= 3600


@given(some.text(some.characters(max_codepoint=255)) | some.from_regex(r"\w{3}, \d+ \w{3} \d+ \d+:\d+:\d+ \S+"))
def test_no_value_of_retry_after_raises_an_error(value: str) -> None:
    seconds = retry_after(httpx2.Headers([(b"retry-after", value.encode("latin-1", "replace"))]))
    assert seconds is None or seconds >= 0
