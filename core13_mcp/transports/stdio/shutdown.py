"""The end of a stdio connection: its reason, and the time that the running calls still get."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum

import anyio

from .framing import JSONRPCStream

# Seconds for which responses wait after an interactive client has closed stdin. A client that leaves closes stdin, and
# sends SIGTERM after 2 s if the server still runs; clients with mcp 1.x fail on a response in this time. A client that
# sends no SIGTERM has only finished its requests.
HALF_CLOSE_DELAY = 3.0


class Cause(Enum):
    """What ends a connection."""

    STDIN_CLOSED = "stdin was closed"
    SIGTERM = "SIGTERM"
    NOT_READ = "the client closed stdout"


class Shutdown:
    """Ends a connection within `grace` seconds after its first cause.

    Running calls can finish, and their responses are written, unless nobody can read them: the client has closed
    stdout, or it has closed stdin and then sends SIGTERM. Then the calls have `flush` seconds.

    Args:
        end_input: Closes stdin.
        flush: Seconds at the end of the grace period in which the client can read the last responses.

    Attributes:
        reason: Why the connection ended, for the log.
    """

    def __init__(self, stream: JSONRPCStream, end_input: Callable[[], None], grace: float, flush: float) -> None:
        self._stream, self._end_input, self._grace, self._flush = stream, end_input, grace, flush
        self._causes: asyncio.Queue[Cause] = asyncio.Queue()
        self.reason = Cause.STDIN_CLOSED.value

    def begin(self, cause: Cause) -> None:
        """Start the shutdown, or add another cause to it."""
        self._causes.put_nowait(cause)

    async def run(self, abort: Callable[[], None]) -> None:
        """Wait for a cause and end the connection; `abort` discards the responses that the client has not read."""
        first = await self._causes.get()
        self.reason = first.value
        with anyio.move_on_after(max(self._grace - self._flush, 0)) as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._shorten, first, scope)
                if first is Cause.STDIN_CLOSED and self._stream.interactive:
                    self._stream.hold()
                    tasks.start_soon(self._release_later)
                await self._stream.drain()
                tasks.cancel_scope.cancel()
        self._end_input()
        self._stream.close()
        await anyio.sleep(self._flush)
        self.reason += ", and the client did not read its responses"
        abort()

    async def _shorten(self, first: Cause, scope: anyio.CancelScope) -> None:
        """Shorten the grace period if no response can be delivered."""
        cause = first
        while not (
            cause is Cause.NOT_READ
            or (cause is Cause.SIGTERM and first is Cause.STDIN_CLOSED and self._stream.interactive)
        ):
            cause = await self._causes.get()
        self._stream.mute()
        scope.deadline = min(scope.deadline, anyio.current_time() + self._flush)

    async def _release_later(self) -> None:
        await anyio.sleep(HALF_CLOSE_DELAY)
        self._stream.release()
