"""How much one caller may ask for, so that it is in nobody else's way."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import anyio

from .errors import Rejected
from .known import STRANGERS
from .queue import FairLimiter
from .rate import BURST_SECONDS, TokenBucket

MAX_QUEUED_PER_SLOT = 4
"""How many requests of a caller may wait for each that runs; more are turned away."""

MAX_CONCURRENT = 64
"""Requests that are worked on at the same time; more wait, and each free place goes to the next caller."""

MAX_OPEN = 4096
"""Requests of all callers that are not answered yet; more are turned away."""


@dataclass(slots=True)
class _Allowance:
    """What is left to one caller. Nothing else is known of it, and this is forgotten once nothing is spent."""

    rate: TokenBucket
    places: anyio.Semaphore
    open: int = 0


class Limits:
    """A number of requests at the same time, and a number in a minute, for each caller.

    What is too many at once waits a little; what is too many in a minute is turned away and told when to come again.
    A stranger's key may be made up, and the next one too: beside what holds for each, strangers have the requests in a
    minute of a few callers together, and leave half of all room to callers who are known.
    """

    def __init__(self, at_once: int, in_a_minute: int) -> None:
        self._at_once = at_once
        self._in_a_minute = in_a_minute
        self._strangers = TokenBucket(in_a_minute * STRANGERS)
        self._allowances: dict[str, _Allowance] = {}
        self._turns = FairLimiter(MAX_CONCURRENT)
        self._open = 0
        self._tidied = 0.0

    @property
    def remembered(self) -> int:
        """How many callers something is remembered of."""
        return len(self._allowances)

    @asynccontextmanager
    async def within(self, principal: str, known: bool = True) -> AsyncIterator[None]:
        """Hold a place for one request of a caller.

        Raises:
            Turned: The caller, or all of them together, asked for too much.
        """
        now = anyio.current_time()
        self._tidy(now)
        self._refuse_more(known)
        allowance = self._spend(principal, known, now)
        allowance.open, self._open = allowance.open + 1, self._open + 1
        try:
            async with allowance.places:
                yield
        finally:
            allowance.open, self._open = allowance.open - 1, self._open - 1

    def turn(self, lane: str) -> AbstractAsyncContextManager[None]:
        """One of the places that all callers share, held for the length of a block."""
        return self._turns.turn(lane)

    def _refuse_more(self, known: bool) -> None:
        if self._open >= (MAX_OPEN if known else MAX_OPEN // 2):
            raise _later(503, "This server has too many requests open.", 1)

    def _spend(self, principal: str, known: bool, now: float) -> _Allowance:
        fresh = _Allowance(TokenBucket(self._in_a_minute), anyio.Semaphore(self._at_once))
        allowance = self._allowances.get(principal, fresh)
        if allowance.open >= self._at_once * (1 + MAX_QUEUED_PER_SLOT):
            raise _later(429, f"More than {allowance.open} requests of yours are open; wait for some of them.", 1)
        if wait := allowance.rate.wait(now):
            raise _later(429, f"More than {self._in_a_minute} requests in a minute.", wait)
        if wait := 0 if known else self._strangers.wait(now):
            raise _later(429, "Too many requests with keys that this server has not seen accepted yet.", wait)
        allowance.rate.take(now)
        if not known:
            self._strangers.take(now)
        # Kept only now: what is turned away leaves nothing behind.
        return self._allowances.setdefault(principal, allowance)

    def _tidy(self, now: float) -> None:
        """Forget whoever has nothing open and nothing spent."""
        if now - self._tidied < BURST_SECONDS:
            return
        self._tidied = now
        for principal, allowance in list(self._allowances.items()):
            if not allowance.open and allowance.rate.is_full(now):
                del self._allowances[principal]


def _later(status: int, why: str, seconds: float) -> Rejected:
    after = math.ceil(seconds)
    return Rejected(status, f"{why} Try again in {after} s.", {"Retry-After": str(after)})
