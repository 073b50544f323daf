"""Sending again what is safe to send again, within one deadline for the whole call."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import anyio
import httpx2

from .exchange import APIResponse, CallState

NOT_SENT_ERRORS = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
"""The connection was never made: nothing can have been changed, whatever the method."""

AMBIGUOUS_STATUSES = range(500, 1000)
"""The API, or what stands before it, failed and does not say whether before or after it did what it was asked."""

MAX_ATTEMPTS = 4


async def send_with_retries(
    attempt: Callable[[], Awaitable[APIResponse]], *, repeatable: bool, exchange: CallState
) -> APIResponse:
    """Try until there is an answer worth passing on, the tries are used up, or no wait fits before the deadline.

    A request that was refused before it was acted on (429) or never sent is always tried again. One that may
    have been acted on is tried again only if doing it twice is the same as doing it once.

    Raises:
        httpx2.TransportError: The last try got no answer.
    """
    deadline, exchange.unclear = time.monotonic() + exchange.left, False
    tries = MAX_ATTEMPTS if exchange.patient else 1
    for tried in range(1, tries + 1):
        exchange.attempts += 1
        pause = random.uniform(0.25, 0.5) * 2 ** (tried - 1)
        try:
            answer = await attempt()
        except httpx2.TransportError as error:
            again = repeatable or isinstance(error, NOT_SENT_ERRORS)
            if not again or tried == tries or time.monotonic() + pause >= deadline:
                raise
            exchange.unclear |= not isinstance(error, NOT_SENT_ERRORS)
            why = "no answer"
        else:
            again = answer.status == 429 or (repeatable and answer.status in AMBIGUOUS_STATUSES)
            if not again:
                return answer
            # Those who were told the same seconds must not come back all at once.
            pause = max(pause, (retry_after(answer.headers) or 0.0) + random.uniform(0, 0.25))
            if tried == tries or time.monotonic() + pause >= deadline:
                return answer
            exchange.unclear |= answer.status in AMBIGUOUS_STATUSES
            why = f"status {answer.status}"
        await exchange.report(f"{why}; trying again in {math.ceil(pause)} s")
        exchange.waited += pause
        await anyio.sleep(pause)
    raise AssertionError("the last try returns or raises")  # pragma: no cover - the loop cannot run out


def retry_after(headers: httpx2.Headers) -> float | None:
    """The seconds that `Retry-After` asks for (RFC 9110: seconds or an HTTP-date); None where it does not."""
    told = headers.get("Retry-After", "").strip()
    if told.isascii() and told.isdigit():
        return float(told[:9])
    try:
        until = parsedate_to_datetime(told)
        return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):  # the second for a zone that no calendar reaches
        return None
