"""Places that callers take in turn."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio


class FairLimiter:
    """A number of places, each of which goes to the next caller, not to the next request.

    The next caller is who holds the fewest places, and of several the one who has waited longest for its turn. So
    whoever asks for many waits behind itself, and nobody else does.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._held: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[anyio.Event]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, whose: str) -> AsyncIterator[None]:
        """Wait for a place, and hold it for the length of a block."""
        await self._take(whose)
        try:
            yield
        finally:
            self._give(whose)

    async def _take(self, whose: str) -> None:
        if self._free:
            self._free -= 1
            self._held[whose] += 1
            return
        called, line = anyio.Event(), self._waiting.setdefault(whose, deque())
        line.append(called)
        try:
            await called.wait()
        except BaseException:
            # Cancelled: either the place came at the same moment, or the request is still in line.
            if called.is_set():
                self._give(whose)
            else:
                self._leave(whose, called)
            raise

    def _leave(self, whose: str, called: anyio.Event) -> None:
        self._waiting[whose].remove(called)
        if not self._waiting[whose]:
            del self._waiting[whose]

    def _give(self, whose: str) -> None:
        self._held[whose] -= 1
        if not self._held[whose]:
            del self._held[whose]
        if self._waiting:
            self._call(min(self._waiting, key=self._held.__getitem__))
        else:
            self._free += 1

    def _call(self, whose: str) -> None:
        line = self._waiting.pop(whose)
        line.popleft().set()
        self._held[whose] += 1
        if line:
            self._waiting[whose] = line
