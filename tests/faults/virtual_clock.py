"""An event loop that advances its clock instead of waiting."""

from __future__ import annotations

import asyncio
import queue
import selectors
import sys
import threading
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
        while not ready and timeout != 0:
            # In this order: a thread that has just finished has made the loop ready.
            working = any(map(_is_working, threading.enumerate()))
            ready = super().select(0.001 if working else 0)
            if not working:
                break
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise AssertionError("every task waits, and no timer is left")
        self._loop.skipped_seconds += timeout
        return []


def _is_working(thread: threading.Thread) -> bool:
    """Whether a thread is one of anyio's for work outside the event loop, and has some. Time passes for it."""
    tasks = getattr(thread, "queue", None)
    if not isinstance(tasks, queue.Queue):
        return False
    # The queue before the frame: a thread that has taken the last task does not wait for the next one.
    if tasks.qsize():
        return True
    frame = sys._current_frames().get(thread.ident or 0)
    return frame is not None and frame.f_code.co_name != "wait"


def run_without_waiting(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a virtual clock."""
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        return runner.run(coroutine)
