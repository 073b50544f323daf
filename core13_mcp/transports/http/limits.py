"""Limits of the HTTP endpoint: request rates, open requests, and call slots that callers share fairly."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import anyio

from .errors import Rejected
from .queue import FairLimiter

# As many as the API client has connections. A request that waits for a connection would not be in the fair queue.
MAX_CONCURRENT = 32

MAX_OPEN = 4096

# Requests of one caller that may wait, for each that may run.
MAX_QUEUED_PER_SLOT = 4

# After a pause, a caller may make the requests of this many seconds at once.
BURST_SECONDS = 15.0

UNVERIFIED_PER_MINUTE = 6000


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOptions:
    """The limits of one server process.

    Attributes:
        per_minute: Requests of one caller in a minute.
        at_once: Requests of one caller that run at the same time.
        unverified_per_minute: Requests in a minute of all callers together that the server cannot verify itself.
        max_concurrent: Requests of all callers that run at the same time.
        max_open: Requests of all callers that run or wait.
        burst_seconds: Seconds after which an idle caller has its full burst again.
    """

    per_minute: int = 240
    at_once: int = 8
    unverified_per_minute: int = UNVERIFIED_PER_MINUTE
    max_concurrent: int = MAX_CONCURRENT
    max_open: int = MAX_OPEN
    burst_seconds: float = BURST_SECONDS


class TokenBucket:
    """A request rate that allows a burst after a pause. All times are seconds of the event loop's clock."""

    def __init__(self, per_minute: float, burst_seconds: float) -> None:
        self._per_second = per_minute / 60
        self._capacity = self._tokens = max(self._per_second * burst_seconds, 1.0)
        self._updated = 0.0

    def wait(self, now: float) -> float:
        """Return the seconds until a request is allowed; 0 if it is allowed now."""
        return max(0.0, (1 - self._available(now)) / self._per_second)

    def take(self, now: float) -> None:
        """Count one request."""
        self._tokens, self._updated = self._available(now) - 1, now

    def is_full(self, now: float) -> bool:
        """Whether the full burst is available."""
        return self._available(now) >= self._capacity

    def _available(self, now: float) -> float:
        return min(self._capacity, self._tokens + (now - self._updated) * self._per_second)


@dataclass(slots=True)
class _CallerState:
    rate: TokenBucket
    open: int = 0


class Limits:
    """The limits of each caller, and those that all callers share."""

    def __init__(self, options: LimitOptions) -> None:
        self._options = options
        self._slots = FairLimiter(options.max_concurrent, options.at_once)
        self._unverified = self._bucket(max(options.unverified_per_minute, options.per_minute))
        self._callers: dict[str, _CallerState] = {}
        self._open = 0
        self._evicted = 0.0

    @asynccontextmanager
    async def acquire(self, caller: str, trusted: bool = True) -> AsyncIterator[None]:
        """Count a request of a caller, which is open for the length of the block.

        Args:
            caller: Identifies the caller.
            trusted: Whether the server has verified the caller itself. All others also share one request rate.

        Raises:
            Rejected: The caller, or all callers together, have reached a limit.
        """
        now = anyio.current_time()
        self._evict(now)
        if self._open >= self._options.max_open:
            raise _retry_later(503, "This server has too many open requests.", 1)
        state = self._charge(caller, trusted, now)
        state.open, self._open = state.open + 1, self._open + 1
        try:
            yield
        finally:
            state.open, self._open = state.open - 1, self._open - 1

    def slot(self, caller: str) -> AbstractAsyncContextManager[None]:
        """Wait for one of the slots that all callers share, and use it for the length of the block."""
        return self._slots.slot(caller)

    def _charge(self, caller: str, trusted: bool, now: float) -> _CallerState:
        state = self._callers.get(caller) or _CallerState(self._bucket(self._options.per_minute))
        if state.open >= self._options.at_once * (1 + MAX_QUEUED_PER_SLOT):
            raise _retry_later(429, f"You have {state.open} open requests, and more are not accepted.", 1)
        if wait := state.rate.wait(now):
            raise _retry_later(429, f"You made more than {self._options.per_minute} requests in a minute.", wait)
        if not trusted:
            if wait := self._unverified.wait(now):
                raise _retry_later(429, "All callers together made too many requests.", wait)
            self._unverified.take(now)
        state.rate.take(now)
        # Stored only now, so that rejected requests use no memory.
        return self._callers.setdefault(caller, state)

    def _bucket(self, per_minute: int) -> TokenBucket:
        return TokenBucket(per_minute, self._options.burst_seconds)

    def _evict(self, now: float) -> None:
        """Forget callers that have no open request and their full burst."""
        if now - self._evicted < self._options.burst_seconds:
            return
        self._evicted = now
        for caller, state in list(self._callers.items()):
            if not state.open and state.rate.is_full(now):
                del self._callers[caller]


def _retry_later(status: int, reason: str, seconds: float) -> Rejected:
    seconds = math.ceil(seconds)
    return Rejected(status, f"{reason} Try again in {seconds} s.", {"Retry-After": str(seconds)})
