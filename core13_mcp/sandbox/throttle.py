"""Rate limits: a sliding window of request times per bucket, in memory, as in Django REST Framework."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict, deque
from typing import Final, NamedTuple

from .auth import SAFE_METHODS
from .context import RequestContext
from .responses import api_error


class Limit(NamedTuple):
    """At most `maximum` requests per bucket within `seconds`."""

    bucket: str
    maximum: int
    seconds: float


class Throttle:
    """Counts accepted requests. A rejected request does not count in the bucket that rejected it."""

    def __init__(self) -> None:
        self._history: Final[defaultdict[str, deque[float]]] = defaultdict(deque)

    def check(self, limits: list[Limit], now: float) -> None:
        """Count a request against its limits; raise a 429 with the longest wait if a bucket is full."""
        wait = 0
        for limit in limits:
            history = self._history[limit.bucket]
            while history and history[0] <= now - limit.seconds:
                history.popleft()
            if len(history) < limit.maximum:
                history.append(now)
            else:
                wait = max(wait, 1, math.ceil(limit.seconds - (now - history[0])))
        if wait:
            detail = f"Request was throttled. Expected available in {wait} {'second' if wait == 1 else 'seconds'}."
            raise api_error(429, detail, headers={"Retry-After": str(wait)})


def default_limits(context: RequestContext) -> list[Limit]:
    """480 per minute and 4,800 per hour for each personal key; none for sessions and OAuth tokens."""
    if context.principal.kind != "personal":
        return []
    key = hashlib.sha256(context.principal.secret.encode()).hexdigest()
    return [Limit(f"burst {key}", 480, 60), Limit(f"sustained {key}", 4800, 3600)]


def user_limits(context: RequestContext) -> list[Limit]:
    """Five requests with `current_password` per minute and user."""
    guessing = context.request.method not in SAFE_METHODS and "current_password" in context.fields
    return [Limit(f"password {context.principal.id}", 5, 60)] if guessing else []


def delivery_limits(context: RequestContext) -> list[Limit]:
    """Ten test deliveries per minute and project."""
    return [Limit(f"delivery {context.project['id']}", 10, 60)]


def registration_limits(context: RequestContext) -> list[Limit]:
    """60 registrations of OAuth clients per minute and 1,000 per hour for each address."""
    client = context.request.client
    address = client.host if client else ""
    return [Limit(f"registration {address}", 60, 60), Limit(f"sustained registration {address}", 1000, 3600)]


def no_limits(context: RequestContext) -> list[Limit]:
    return []
