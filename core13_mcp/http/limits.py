"""How much one caller may ask for, so that it is in nobody else's way."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import anyio

from ..turns import Turns
from .answers import Turned

BURST = 15.0
"""Seconds' worth of requests that a caller may make at once after a pause."""

WAITING = 4
"""How many requests of a caller may wait for each that runs; more are turned away."""

RUNNING = 64
"""Requests that are worked on at the same time; more wait, and each free place goes to the next caller."""

OPEN_AT_MOST = 4096
"""Requests of all callers that are not answered yet; more are turned away."""


@dataclass(slots=True)
class _Allowance:
    """What is left to one caller. Nothing else is known of it, and this is forgotten once nothing is spent."""

    left: float
    at: float
    places: anyio.Semaphore
    open: int = field(default=0)


class Limits:
    """A number of requests at the same time, and a number in a minute, for each caller.

    What is too many at once waits a little; what is too many in a minute is turned away and told when to come again.
    """

    def __init__(self, at_once: int, in_a_minute: int) -> None:
        self._at_once = at_once
        self._speed = in_a_minute / 60
        self._most = max(self._speed * BURST, 1.0)
        self._allowances: dict[str, _Allowance] = {}
        self._turns = Turns(RUNNING)
        self._open = 0
        self._tidied = 0.0

    @asynccontextmanager
    async def within(self, principal: str) -> AsyncIterator[None]:
        """Hold a place for one request of a caller.

        Raises:
            Turned: The caller, or all of them together, asked for too much.
        """
        now = anyio.current_time()
        self._tidy(now)
        allowance = self._allowances.setdefault(principal, _Allowance(self._most, now, anyio.Semaphore(self._at_once)))
        self._spend(allowance, now)
        allowance.open, self._open = allowance.open + 1, self._open + 1
        try:
            async with allowance.places:
                yield
        finally:
            allowance.open, self._open = allowance.open - 1, self._open - 1

    def turn(self, principal: str) -> AbstractAsyncContextManager[None]:
        """One of the places that all callers share, held for the length of a block."""
        return self._turns.turn(principal)

    def _spend(self, allowance: _Allowance, now: float) -> None:
        if self._open >= OPEN_AT_MOST:
            raise _later(503, "This server has too many requests open.", 1)
        if allowance.open >= self._at_once * (1 + WAITING):
            raise _later(429, f"More than {allowance.open} requests of yours are open; wait for some of them.", 1)
        left = self._left(allowance, now)
        if left < 1:
            why = f"More than {round(self._speed * 60)} requests in a minute."
            raise _later(429, why, math.ceil((1 - left) / self._speed))
        allowance.left, allowance.at = left - 1, now

    def _left(self, allowance: _Allowance, now: float) -> float:
        return min(self._most, allowance.left + (now - allowance.at) * self._speed)

    def _tidy(self, now: float) -> None:
        """Forget whoever has nothing open and nothing spent."""
        if now - self._tidied < BURST:
            return
        self._tidied = now
        for principal, allowance in list(self._allowances.items()):
            if not allowance.open and self._left(allowance, now) >= self._most:
                del self._allowances[principal]


def _later(status: int, why: str, seconds: int) -> Turned:
    return Turned(status, f"{why} Try again in {seconds} s.", {"Retry-After": str(seconds)})
