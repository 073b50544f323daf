"""Slots for running requests, which are fair per caller."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio


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
        self._last_free = anyio.current_time()

    @property
    def seconds_without_free_slot(self) -> float:
        """The seconds since a slot was free or became free; 0 if one is free."""
        is_free = self._in_use.total() < self._slots
        return 0.0 if is_free else anyio.current_time() - self._last_free

    @asynccontextmanager
    async def slot(self, caller: str) -> AsyncIterator[Slot]:
        """Wait for a slot and use it for the length of the block, except while it is released."""
        slot = Slot(self, caller)
        await slot.acquire()
        try:
            yield slot
        finally:
            slot.release()

    async def acquire(self, caller: str) -> None:
        """Wait for a slot."""
        assigned = anyio.Event()
        self._waiting.setdefault(caller, deque()).append(assigned)
        self._assign_slot()
        try:
            await assigned.wait()
        except BaseException:
            # A request that is cancelled while it waits may have got a slot at the same moment.
            if assigned.is_set():
                self.release(caller)
            else:
                self._leave_queue(caller, assigned)
            raise

    def release(self, caller: str) -> None:
        """Give a slot of a caller to the next request."""
        self._in_use -= Counter([caller])
        self._last_free = anyio.current_time()
        self._assign_slot()

    def _leave_queue(self, caller: str, assigned: anyio.Event) -> None:
        self._waiting[caller].remove(assigned)
        if not self._waiting[caller]:
            del self._waiting[caller]

    def _assign_slot(self) -> None:
        if self._in_use.total() == self._slots:
            return
        eligible = [name for name in self._waiting if self._in_use[name] < self._per_caller]
        if not eligible:
            return
        caller = min(eligible, key=self._in_use.__getitem__)
        self._in_use[caller] += 1
        self._last_free = anyio.current_time()
        requests = self._waiting.pop(caller)
        requests.popleft().set()
        if requests:
            # After the other callers.
            self._waiting[caller] = requests


class Slot:
    """The slot of one request."""

    def __init__(self, limiter: FairLimiter, caller: str) -> None:
        self._limiter = limiter
        self._caller = caller
        self._acquired = False

    async def acquire(self) -> None:
        """Wait for the slot."""
        await self._limiter.acquire(self._caller)
        self._acquired = True

    def release(self) -> None:
        """Give the slot to the next request, if this one has it."""
        if self._acquired:
            self._acquired = False
            self._limiter.release(self._caller)

    @asynccontextmanager
    async def released(self) -> AsyncIterator[None]:
        """Give the slot to other requests for the length of the block, and then wait for a slot."""
        self.release()
        try:
            yield
        finally:
            await self.acquire()
