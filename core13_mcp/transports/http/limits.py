"""Limits of the HTTP endpoint: request rates, open requests, and slots for running requests."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio

from .errors import Rejected

# Requests of one caller that may wait, for each that may run.
MAX_QUEUED_PER_SLOT = 4

# After a pause, the requests of this many seconds may come at once.
BURST_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOptions:
    """The limits of one server process."""

    # The limits of one caller: requests in a minute, and requests that run at the same time.
    per_minute: int = 240
    at_once: int = 8
    # Anyone can invent new keys, so all callers that the server neither verifies itself nor remembers share this rate.
    new_callers_per_minute: int = 1200
    # The callers that the server remembers: those with the latest requests.
    max_remembered: int = 10_000
    # As many as the API client has connections. A request that waits for a connection would not be in the fair queue.
    max_concurrent: int = 32
    # Requests that run or wait.
    max_open: int = 4096
    # Bytes of a request body, and seconds in which it must arrive.
    max_body: int = 1024 * 1024
    body_timeout: float = 20.0


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


class Limits:
    """The limits of each caller, and those that all callers share."""

    def __init__(self, options: LimitOptions) -> None:
        self._options = options
        self._new_callers = TokenBucket(options.new_callers_per_minute)
        # The caller with the oldest last request comes first.
        self._callers: OrderedDict[str, _CallerState] = OrderedDict()
        self._open = 0

    @asynccontextmanager
    async def acquire(self, caller: str, trusted: bool = True) -> AsyncIterator[None]:
        """Count a request of a caller, which is open for the length of the block.

        Args:
            trusted: Whether the server has verified the caller itself, so that it is never a new caller.

        Raises:
            Rejected: The caller, or all callers together, have reached a limit.
        """
        now = anyio.current_time()
        if self._open >= self._options.max_open:
            raise _retry_later(503, "This server has too many open requests.", 1)
        state = self._state(caller, trusted, now)
        if state.open >= self._options.at_once * (1 + MAX_QUEUED_PER_SLOT):
            raise _retry_later(429, f"You have {state.open} open requests, and more are not accepted.", 1)
        if wait := state.rate.take(now):
            raise _retry_later(429, f"You made more than {self._options.per_minute} requests in a minute.", wait)
        state.open, self._open = state.open + 1, self._open + 1
        try:
            yield
        finally:
            state.open, self._open = state.open - 1, self._open - 1

    def _state(self, caller: str, trusted: bool, now: float) -> _CallerState:
        if caller not in self._callers:
            if not trusted and (wait := self._new_callers.take(now)):
                raise _retry_later(429, "Too many new callers use this server.", wait)
            self._callers[caller] = _CallerState(TokenBucket(self._options.per_minute))
        self._callers.move_to_end(caller)
        if len(self._callers) > self._options.max_remembered:
            self._callers.popitem(last=False)
        return self._callers[caller]


class FairLimiter:
    """A semaphore that is fair per caller.

    A free slot goes to the waiting caller that has the fewest slots, then to the one that has waited longest. A caller
    with many requests therefore delays its own requests only. No caller has more than `per_caller` slots.
    """

    def __init__(self, slots: int, per_caller: int) -> None:
        self._slots = slots
        self._per_caller = per_caller
        self._in_use: Counter[str] = Counter()
        # The waiting requests of each caller. The order of the callers is the order in which they get a slot.
        self._waiting: dict[str, deque[anyio.Event]] = {}

    @asynccontextmanager
    async def slot(self, caller: str) -> AsyncIterator[None]:
        """Wait for a slot and use it for the length of the block."""
        assigned = anyio.Event()
        self._waiting.setdefault(caller, deque()).append(assigned)
        self._assign_slot()
        try:
            await assigned.wait()
            yield
        finally:
            # A request that is cancelled while it waits may have got a slot at the same moment.
            if assigned.is_set():
                self._in_use -= Counter([caller])
            else:
                self._waiting[caller].remove(assigned)
                if not self._waiting[caller]:
                    del self._waiting[caller]
            self._assign_slot()

    def _assign_slot(self) -> None:
        if self._in_use.total() == self._slots:
            return
        eligible = [name for name in self._waiting if self._in_use[name] < self._per_caller]
        if not eligible:
            return
        caller = min(eligible, key=self._in_use.__getitem__)
        self._in_use[caller] += 1
        requests = self._waiting.pop(caller)
        requests.popleft().set()
        if requests:
            # After the other callers.
            self._waiting[caller] = requests


def _retry_later(status: int, reason: str, seconds: float) -> Rejected:
    seconds = math.ceil(seconds)
    return Rejected(status, f"{reason} Try again in {seconds} s.", {"Retry-After": str(seconds)})
