"""Rate limits: a window of moments per bucket, kept in memory, as Django REST Framework keeps them."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict, deque
from typing import Final

from . import errors
from .auth import SAFE
from .call import Call

Limit = tuple[str, int, float]
BURST: Final = (480, 60.0)
SUSTAINED: Final = (4800, 3600.0)
PASSWORD: Final = (5, 60.0)
DELIVERY: Final = (10, 60.0)


class Throttle:
    """Counts what was let through. A refused request counts nothing against the bucket that refused it."""

    def __init__(self) -> None:
        self._passed: defaultdict[str, deque[float]] = defaultdict(deque)

    def check(self, limits: list[Limit], now: float) -> None:
        """Raises Refusal 429 with the longest wait, when a bucket is full."""
        waits = [wait for limit in limits if (wait := self._wait(*limit, now)) is not None]
        if waits:
            raise errors.throttled(max(1, math.ceil(max(waits))))

    def _wait(self, bucket: str, most: int, seconds: float, now: float) -> float | None:
        passed = self._passed[bucket]
        while passed and passed[-1] <= now - seconds:
            passed.pop()
        if len(passed) >= most:
            return seconds - (now - passed[-1])
        passed.appendleft(now)
        return None


def default_limits(call: Call) -> list[Limit]:
    """480 a minute and 4,800 an hour for each personal key; sessions and OAuth tokens pass."""
    if call.caller.kind != "personal":
        return []
    key = hashlib.sha256(call.caller.secret.encode()).hexdigest()
    return [(f"burst {key}", *BURST), (f"sustained {key}", *SUSTAINED)]


def user_limits(call: Call) -> list[Limit]:
    """Five tries a minute at a password, whatever else the request says."""
    guessing = call.request.method not in SAFE and call.sends("current_password")
    return [(f"password {call.caller.id}", *PASSWORD)] if guessing else []


def delivery_limits(call: Call) -> list[Limit]:
    """Ten test deliveries a minute for a project, whoever asks."""
    return [(f"delivery {call.project['id']}", *DELIVERY)]


def no_limits(call: Call) -> list[Limit]:
    return []
