"""The HTTP server process: signals, and the phases of its shutdown."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import FrameType

import anyio
import uvicorn
from starlette.types import ASGIApp

from .connection import Connection, Timeouts

# The number of open connections that the process asks the system for.
MAX_CONNECTIONS = 65_536


class Stop:
    """The end of the server: it ends open questions and streams, which have no other limit than a long time."""

    def __init__(self) -> None:
        self.requested = False
        self._scopes: set[anyio.CancelScope] = set()

    def request(self) -> None:
        """End all open questions and streams, and allow no new ones."""
        self.requested = True
        for scope in self._scopes:
            scope.cancel()

    @contextmanager
    def ends(self) -> Iterator[anyio.CancelScope]:
        """Cancel the block when the server stops."""
        with anyio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                yield scope
            finally:
                self._scopes.discard(scope)


@dataclass(slots=True, kw_only=True)
class Lifecycle:
    """The phases of a shutdown, in seconds.

    In the drain phase the server still accepts requests, and `/readyz` returns 503, so that a load balancer can select
    another replica. In the grace period, open requests can finish.
    """

    drain: float = 0.0
    grace: float = 1.0
    # Whether the drain phase has not started yet.
    accepting: bool = True
    stop: Stop = field(default_factory=Stop)


class Server(uvicorn.Server):
    """A uvicorn server that drains before it exits.

    SIGTERM starts the drain phase. SIGINT, or a second signal, skips it. A further signal skips the grace period.
    """

    def __init__(
        self,
        app: ASGIApp,
        lifecycle: Lifecycle,
        ready: Callable[[], None] = lambda: None,
        timeouts: Timeouts = Timeouts(),  # noqa: B008  # frozen
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                # h11, because httptools accepts a space after a header value, which MCP's header rules forbid.
                http=partial(Connection, timeouts=timeouts),  # type: ignore[arg-type]  # used as a factory
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                # Nothing uses the client's address or the scheme.
                proxy_headers=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=max(1, round(lifecycle.grace)),
            )
        )
        self._lifecycle = lifecycle
        self._ready = ready
        # Whether Ctrl-C ended the server.
        self.interrupted = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept requests, and then call `ready`. uvicorn has installed the signal handlers before."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End open questions and streams, and wait until all other requests have finished."""
        self._lifecycle.stop.request()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle SIGTERM or SIGINT. uvicorn's own method would repeat the signal after the shutdown."""
        if self.should_exit:
            self.force_exit = True
        elif sig == signal.SIGTERM and self._lifecycle.accepting:
            loop = asyncio.get_running_loop()
            loop.call_soon_threadsafe(loop.call_later, self._lifecycle.drain, self._exit)
        else:
            self._exit()
        self._lifecycle.accepting = False
        self.interrupted |= sig == signal.SIGINT

    def _exit(self) -> None:
        self.should_exit = True


def raise_fd_limit() -> None:
    """Raise the limit of open files as far as the system allows; a common default is 1024."""
    if sys.platform == "win32":  # pragma: no cover - the tests do not run on Windows
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = MAX_CONNECTIONS if hard == resource.RLIM_INFINITY else min(MAX_CONNECTIONS, hard)
    if soft != resource.RLIM_INFINITY and soft < target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
