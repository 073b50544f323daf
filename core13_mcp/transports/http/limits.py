"""Limits of the HTTP endpoint: request rates, open requests and open questions."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import anyio

from .errors import Rejected
from .slots import FairLimiter

# Requests of one caller that may wait, for each that may run.
MAX_QUEUED_PER_SLOT = 4

# After a pause, the requests of this many seconds may come at once.
BURST_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOptions:
    """The limits of one server process."""

    # The limits of one caller: requests in a minute (None: no limit), and requests that run at the same time.
    per_minute: int | None = 240
    at_once: int = 8
    # Anyone can invent new keys, so all callers that the server neither verifies itself nor remembers share this rate.
    new_callers_per_minute: int = 1200
    # The callers that the server remembers: those with the latest requests.
    max_remembered: int = 10_000
    # As many as the API client has connections. A request that waits for a connection would not be in the fair queue.
    max_concurrent: int = 32
    # Requests that run or wait.
    max_open: int = 4096
    # Whether clients of the 2025 protocols that can show forms get sessions.
    sessions: bool = True
    # Sessions of one caller and of all callers, and the seconds after which a session without a request ends.
    sessions_per_caller: int = 64
    max_sessions: int = 1024
    session_idle: float = 1800.0
    # Seconds without a free slot after which `/readyz` reports that the server is busy.
    ready_timeout: float = 1.0
    # Bytes of a request body, and seconds in which it must arrive.
    max_body: int = 1024 * 1024
    body_timeout: float = 20.0


class TokenBucket:
    """A request rate that allows a burst after a pause; times are the event loop's, in seconds."""

    def __init__(self, per_minute: float) -> None:
        self._per_second = per_minute / 60
        self._capacity = self._tokens = max(self._per_second * BURST_SECONDS, 1.0)
        self._updated = 0.0

    def take(self, now: float) -> float:
        """Count a request and return 0, or return the seconds until one is allowed."""
        self._tokens = min(self._capacity, self._tokens + (now - self._updated) * self._per_second)
        self._updated = now
        if self._tokens < 1:
            return (1 - self._tokens) / self._per_second
        self._tokens -= 1
        return 0.0


@dataclass(slots=True)
class _CallerState:
    rate: TokenBucket | None
    open: int = 0
    questions: int = 0


class Limits:
    """The limits of each caller, and those that all callers share."""

    def __init__(self, options: LimitOptions) -> None:
        self.options = options
        self.slots = FairLimiter(options.max_concurrent, options.at_once)
        self._new_callers = TokenBucket(options.new_callers_per_minute)
        # The caller with the oldest last request comes first.
        self._callers: OrderedDict[str, _CallerState] = OrderedDict()
        self._max_open_per_caller = options.at_once * (1 + MAX_QUEUED_PER_SLOT)
        self._open = 0

    @contextmanager
    def acquire(self, caller: str, trusted: bool = True) -> Iterator[OpenRequest]:
        """Count a request of a caller, which is open until it is finished, at most for the length of the block.

        Args:
            trusted: Whether the server has verified the caller itself, so that it is never a new caller.

        Raises:
            Rejected: The caller, or all callers together, have reached a limit.
        """
        now = anyio.current_time()
        if self._open >= self.options.max_open:
            raise _retry_later(503, "This server has too many open requests.", 1)
        state = self._state(caller, trusted, now)
        # Without a rate, the clients of one person share the caller, so one of them must not exclude the others.
        if state.rate is not None and state.open >= self._max_open_per_caller:
            raise _retry_later(429, f"You have {state.open} open requests, and more are not accepted.", 1)
        if state.rate is not None and (wait := state.rate.take(now)):
            raise _retry_later(429, f"You made more than {self.options.per_minute} requests in a minute.", wait)
        self.count(state, 1)
        request = OpenRequest(self, state)
        try:
            yield request
        finally:
            request.finish()

    def may_ask(self, state: _CallerState) -> bool:
        """Return whether a request of this caller may ask a question now."""
        return state.questions < self._max_open_per_caller

    @contextmanager
    def question(self, state: _CallerState) -> Iterator[None]:
        """Count a request as a question instead of an open request, for the length of the block.

        If all requests of a caller wait for answers, the caller can therefore still send the answers.
        """
        state.questions += 1
        self.count(state, -1)
        try:
            yield
        finally:
            state.questions -= 1
            self.count(state, 1)

    def count(self, state: _CallerState, change: int) -> None:
        """Change the number of open requests."""
        state.open, self._open = state.open + change, self._open + change

    def _state(self, caller: str, trusted: bool, now: float) -> _CallerState:
        if caller not in self._callers:
            if not trusted and (wait := self._new_callers.take(now)):
                raise _retry_later(429, "Too many new callers use this server.", wait)
            per_minute = self.options.per_minute
            self._callers[caller] = _CallerState(None if per_minute is None else TokenBucket(per_minute))
        self._callers.move_to_end(caller)
        if len(self._callers) > self.options.max_remembered:
            self._callers.popitem(last=False)
        return self._callers[caller]


@dataclass(slots=True)
class OpenRequest:
    """A request that `Limits` has accepted."""

    _limits: Limits
    _state: _CallerState
    _is_finished: bool = False

    def finish(self) -> None:
        """Stop counting the request as open. Its response may still be written; a connection limits that."""
        if not self._is_finished:
            self._is_finished = True
            self._limits.count(self._state, -1)

    @property
    def may_ask(self) -> bool:
        """Whether the caller has room for another open question."""
        return self._limits.may_ask(self._state)

    def question(self) -> AbstractContextManager[None]:
        """Count the request as an open question for the length of the block."""
        return self._limits.question(self._state)


def _retry_later(status: int, reason: str, seconds: float) -> Rejected:
    seconds = math.ceil(seconds)
    return Rejected(status, f"{reason} Try again in {seconds} s.", {"Retry-After": str(seconds)})
