"""So many requests in a minute, and some of them at once after a pause."""

from __future__ import annotations

BURST_SECONDS = 15.0
"""Seconds' worth of requests that may be made at once after a pause."""


class TokenBucket:
    """What is left of so many requests in a minute; times are the event loop's, in seconds."""

    def __init__(self, in_a_minute: float) -> None:
        self._speed = in_a_minute / 60
        self._most = self._left = max(self._speed * BURST_SECONDS, 1.0)
        self._at = 0.0

    def wait(self, now: float) -> float:
        """Seconds until one more may be made; 0 where it may be made now."""
        return max(0.0, (1 - self._count(now)) / self._speed)

    def take(self, now: float) -> None:
        """Make one."""
        self._left, self._at = self._count(now) - 1, now

    def is_full(self, now: float) -> bool:
        """Whether nothing is spent."""
        return self._count(now) >= self._most

    def _count(self, now: float) -> float:
        return min(self._most, self._left + (now - self._at) * self._speed)
