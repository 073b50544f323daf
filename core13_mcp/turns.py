"""Places that callers take in turn."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio


class Turns:
    """A number of places, each of which goes to the next caller, not to the next request.

    So whoever asks for many waits behind itself, and nobody else does.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: OrderedDict[str, deque[anyio.Event]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, whose: str) -> AsyncIterator[None]:
        """Wait for a place, and hold it for the length of a block."""
        await self._take(whose)
        try:
            yield
        finally:
            self._give()

    async def _take(self, whose: str) -> None:
        if self._free:
            self._free -= 1
            return
        called, line = anyio.Event(), self._waiting.setdefault(whose, deque())
        line.append(called)
        try:
            await called.wait()
        except BaseException:
            # Cancelled: either the place came at the same moment, or the request is still in line.
            if called.is_set():
                self._give()
            else:
                self._leave(whose, called)
            raise

    def _leave(self, whose: str, called: anyio.Event) -> None:
        self._waiting[whose].remove(called)
        if not self._waiting[whose]:
            del self._waiting[whose]

    def _give(self) -> None:
        if not self._waiting:
            self._free += 1
            return
        whose, line = self._waiting.popitem(last=False)
        line.popleft().set()
        if line:
            self._waiting[whose] = line
