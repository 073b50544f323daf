"""The values that pass between the pipeline and the API client."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx2

from ..jsonio import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class APIRequest:
    """A request ready to send, but for the host and the credentials."""

    method: str
    path: str
    query: JSON = field(default_factory=dict)
    body: JSON | None = field(default=None, repr=False)
    """May hold a password, so no repr shows it."""
    form: JSON | None = None
    """A body in the form encoding, where there is no JSON one."""
    auth: str = "key"
    repeatable: bool = True


ProgressCallback = Callable[[str], Awaitable[None]]
"""Told, in one line, what a long call is doing."""


async def no_progress(_: str) -> None:
    """Report to nobody."""


@dataclass(slots=True)
class CallState:
    """What one tool call has spent upstream: its deadline, its attempts, its waits (seconds)."""

    timeout: float
    report: ProgressCallback = no_progress
    patient: bool = True
    """Whether to try again at all; who wants to know how things are does not."""
    attempts: int = 0
    waited: float = 0.0
    spent: float = 0.0
    status: int | None = None
    in_flight: bool = False
    """Whether a request is with the API now, or was when the deadline passed."""
    unclear: bool = False
    """Whether an earlier try got no clear answer, so that this one may be the second time."""
    started: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """Seconds until the deadline. Time in which a person was asked does not count."""
        return self.timeout - self.spent

    @property
    def milliseconds(self) -> int:
        """Since the call began, the asking included."""
        return round((time.monotonic() - self.started) * 1000)


@dataclass(frozen=True, slots=True)
class APIResponse:
    """What the API answered: the whole body is in memory, and within the limit."""

    status: int
    headers: httpx2.Headers = field(repr=False)
    body: bytes = field(repr=False)
