"""Runs work on large values in a thread, so that other calls continue meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import anyio
from anyio.lowlevel import RunVar

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# Bytes of a response that take less time than a change of threads is worth.
SMALL_BYTES = 64 * 1024

# One thread at a time. Python runs one thread at a time anyway, and with more of them, the event loop waits for each.
_turn: RunVar[anyio.CapacityLimiter] = RunVar("large values")


async def run_large(size: int, function: Callable[[*Ts], T], *arguments: *Ts) -> T:
    """Return the result of a pure function; if the size in bytes is large, compute it in a thread."""
    if size <= SMALL_BYTES:
        return function(*arguments)
    turn = _turn.get(None)
    if turn is None:
        turn = anyio.CapacityLimiter(1)
        _turn.set(turn)
    return await anyio.to_thread.run_sync(function, *arguments, abandon_on_cancel=True, limiter=turn)
