"""A queue for slots that callers share fairly."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio


class FairLimiter:
    """A semaphore that is fair per caller.

    A free slot goes to the waiting caller that has the fewest slots, then to the one that has waited longest. A caller
    with many requests therefore delays its own requests only. No caller has more than `per_caller` slots.
    """

    def __init__(self, slots: int, per_caller: int) -> None:
        self._free = slots
        self._per_caller = per_caller
        self._in_use: Counter[str] = Counter()
        # The waiting requests of each caller. The order of the callers is the order in which they get a slot.
        self._waiting: OrderedDict[str, deque[anyio.Event]] = OrderedDict()

    @asynccontextmanager
    async def slot(self, caller: str) -> AsyncIterator[None]:
        """Wait for a slot and use it for the length of the block."""
        await self._acquire(caller)
        try:
            yield
        finally:
            self._release(caller)

    async def _acquire(self, caller: str) -> None:
        if self._free and self._in_use[caller] < self._per_caller:
            self._assign(caller)
            return
        assigned = anyio.Event()
        self._waiting.setdefault(caller, deque()).append(assigned)
        try:
            await assigned.wait()
        except BaseException:
            # The request was cancelled. The slot may have been assigned at the same moment.
            if assigned.is_set():
                self._release(caller)
            else:
                self._remove(caller, assigned)
            raise

    def _remove(self, caller: str, assigned: anyio.Event) -> None:
        self._waiting[caller].remove(assigned)
        if not self._waiting[caller]:
            del self._waiting[caller]

    def _assign(self, caller: str) -> None:
        self._free -= 1
        self._in_use[caller] += 1

    def _release(self, caller: str) -> None:
        self._free += 1
        self._in_use[caller] -= 1
        if not self._in_use[caller]:
            del self._in_use[caller]
        eligible = [name for name in self._waiting if self._in_use[name] < self._per_caller]
        if eligible:
            self._wake(min(eligible, key=self._in_use.__getitem__))

    def _wake(self, caller: str) -> None:
        requests = self._waiting.pop(caller)
        requests.popleft().set()
        self._assign(caller)
        if requests:
            self._waiting[caller] = requests
