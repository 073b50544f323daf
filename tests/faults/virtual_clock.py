"""An event loop that advances its clock instead of waiting."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """Moves its clock to the next timer as soon as nothing else is ready.

    Raises:
        AssertionError: Nothing is ready and there is no timer, so the loop would wait forever.
    """

    def __init__(self) -> None:
        self.skipped_seconds = 0.0
        super().__init__(_SkippingSelector(self))

    def time(self) -> float:
        """Seconds, with the skipped ones."""
        return super().time() + self.skipped_seconds


class _SkippingSelector(selectors.SelectSelector):
    def __init__(self, loop: VirtualClockLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise AssertionError("every task waits, and no timer is left")
        self._loop.skipped_seconds += timeout
        return []


def run_without_waiting(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a virtual clock."""
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        return runner.run(coroutine)
