"""An event loop whose time passes only when nothing else is left to do: a wait of minutes costs nothing."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any


class Patient(asyncio.SelectorEventLoop):
    """Moves its clock on to the next timer instead of waiting for it; waiting for nothing at all is an error."""

    def __init__(self) -> None:
        self.skipped = 0.0
        super().__init__(_Eager(self))

    def time(self) -> float:
        """Seconds, the skipped ones included."""
        return super().time() + self.skipped


class _Eager(selectors.SelectSelector):
    def __init__(self, loop: Patient) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise AssertionError("everything waits, and nothing is left that could end it")
        self._loop.skipped += timeout
        return []
