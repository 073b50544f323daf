"""Which requests are repeated, and after how many seconds. Pure, except for the jitter."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2

from .exchange import APIResponse
from .failures import ConnectFailure

# No byte of the request was sent, so the API cannot have received it. The last one is for a request that is not HTTP.
NOT_SENT_ERRORS = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.LocalProtocolError)

# Another attempt would fail in the same way.
_PERMANENT_ERRORS = (ConnectFailure, httpx2.LocalProtocolError)

# The API, or a proxy in front of it, failed before or after it applied the request.
AMBIGUOUS_STATUSES = range(500, 1000)

AttemptOutcome = APIResponse | httpx2.TransportError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Decides whether and when a request is repeated. The first attempt counts toward `max_attempts`."""

    max_attempts: int = 4
    uniform: Callable[[float, float], float] = random.uniform

    def delay(self, attempt: int, outcome: AttemptOutcome, *, repeatable: bool) -> float | None:
        """Return the seconds from an attempt, counted from 1, to the next one, or None if `outcome` is final."""
        # A request that may be applied is repeated only if sending it twice has the same effect.
        is_safe = repeatable if is_ambiguous(outcome) else not isinstance(outcome, APIResponse) or outcome.status == 429
        if attempt >= self.max_attempts or not is_safe or isinstance(outcome, _PERMANENT_ERRORS):
            return None
        backoff: float = self.uniform(0.25, 0.5) * 2 ** (attempt - 1)
        if not isinstance(outcome, APIResponse):
            return backoff
        # Callers that got the same Retry-After must not all come back at the same moment.
        return max(backoff, (retry_after(outcome.headers) or 0.0) + self.uniform(0, 0.25))


def is_ambiguous(outcome: AttemptOutcome) -> bool:
    """Whether the API may have applied a request that ended with this outcome."""
    if isinstance(outcome, APIResponse):
        return outcome.status in AMBIGUOUS_STATUSES
    return not isinstance(outcome, NOT_SENT_ERRORS)


def retry_after(headers: httpx2.Headers) -> float | None:
    """Return the seconds of a `Retry-After` header, which is a number or an HTTP date; None without a valid one."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        date = parsedate_to_datetime(value)
        return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):  # OverflowError: a time zone outside of every calendar
        return None
