"""Limits of the HTTP endpoint: request rates, open requests, and slots for running requests."""

from __future__ import annotations

import math
from collections import OrderedDict
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

# After a pause, the requests of this many seconds may come at once.
BURST_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOptions:
    """The limits of one server process.

    Attributes:
        per_minute: Requests of one caller in a minute.
        at_once: Requests of one caller that run at the same time.
        new_callers_per_minute: Callers in a minute that the server neither verifies itself nor remembers.
        remember_seconds: The time for which the server remembers a caller after its last request.
        max_concurrent: Requests of all callers that run at the same time.
        max_open: Requests of all callers that run or wait.
    """

    per_minute: int = 240
    at_once: int = 8
    new_callers_per_minute: int = 1200
    remember_seconds: float = 600.0
    max_concurrent: int = MAX_CONCURRENT
    max_open: int = MAX_OPEN


class TokenBucket:
    """A request rate that allows a burst after a pause; times are the event loop's, in seconds."""

    def __init__(self, per_minute: float) -> None:
        self._per_second = per_minute / 60
        self._capacity = self._tokens = max(self._per_second * BURST_SECONDS, 1.0)
        self._updated = 0.0

    def take(self, now: float) -> float:
        """Count a request and return 0, or return the seconds until one is allowed."""
        self._tokens = min(self._capacity, self._tokens + (now - self._updated) * self._per_second)
        self._updated = now
        if self._tokens < 1:
            return (1 - self._tokens) / self._per_second
        self._tokens -= 1
        return 0.0


@dataclass(slots=True)
class _CallerState:
    rate: TokenBucket
    open: int = 0
    last_request: float = 0.0


class Limits:
    """The limits of each caller, and those that all callers share."""

    def __init__(self, options: LimitOptions) -> None:
        self._options = options
        self._slots = FairLimiter(options.max_concurrent, options.at_once)
        self._new_callers = TokenBucket(options.new_callers_per_minute)
        # The caller with the oldest last request comes first.
        self._callers: OrderedDict[str, _CallerState] = OrderedDict()
        self._open = 0

    @asynccontextmanager
    async def acquire(self, caller: str, trusted: bool = True) -> AsyncIterator[None]:
        """Count a request of a caller, which is open for the length of the block.

        Args:
            caller: Identifies the caller.
            trusted: Whether the server has verified the caller itself. If not, anyone can invent new callers, so all
                new callers share one rate.

        Raises:
            Rejected: The caller, or all callers together, have reached a limit.
        """
        now = anyio.current_time()
        if self._open >= self._options.max_open:
            raise _retry_later(503, "This server has too many open requests.", 1)
        self._forget_idle_callers(now)
        state = self._callers.get(caller) or self._new_caller(trusted, now)
        if state.open >= self._options.at_once * (1 + MAX_QUEUED_PER_SLOT):
            raise _retry_later(429, f"You have {state.open} open requests, and more are not accepted.", 1)
        if wait := state.rate.take(now):
            raise _retry_later(429, f"You made more than {self._options.per_minute} requests in a minute.", wait)
        state.last_request = now
        self._callers[caller] = state
        self._callers.move_to_end(caller)
        state.open, self._open = state.open + 1, self._open + 1
        try:
            yield
        finally:
            state.open, self._open = state.open - 1, self._open - 1

    def slot(self, caller: str) -> AbstractAsyncContextManager[None]:
        """Wait for one of the slots that all callers share, and use it for the length of the block."""
        return self._slots.slot(caller)

    def _new_caller(self, trusted: bool, now: float) -> _CallerState:
        if not trusted and (wait := self._new_callers.take(now)):
            raise _retry_later(429, "Too many new callers use this server.", wait)
        return _CallerState(TokenBucket(self._options.per_minute))

    def _forget_idle_callers(self, now: float) -> None:
        while self._callers:
            caller, state = next(iter(self._callers.items()))
            if state.open or now - state.last_request < self._options.remember_seconds:
                return
            del self._callers[caller]


def _retry_later(status: int, reason: str, seconds: float) -> Rejected:
    seconds = math.ceil(seconds)
    return Rejected(status, f"{reason} Try again in {seconds} s.", {"Retry-After": str(seconds)})
