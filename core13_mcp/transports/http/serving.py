"""The HTTP server process: it serves an application on a socket until a signal ends it."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import anyio
import uvicorn
from anyio.abc import TaskStatus
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from .health import Lifecycle

# Seconds from the first byte of a request, or from the start of the connection, to the end of the request's header.
HEADER_TIMEOUT = 15.0

# The number of open connections that the process asks the system for.
MAX_CONNECTIONS = 65_536


async def serve(app: ASGIApp, listener: socket.socket, lifecycle: Lifecycle, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; call `ready` as soon as requests and signals are handled.

    SIGINT, or a second signal, skips the drain phase. A third signal skips the grace period.
    """
    _raise_fd_limit()
    server = uvicorn_server(app, lifecycle.grace)
    async with anyio.create_task_group() as tasks:
        if sys.platform != "win32":  # pragma: no branch - the tests do not run on Windows
            await tasks.start(_handle_signals, server, lifecycle)
        ready()
        await server.serve([listener])
        tasks.cancel_scope.cancel()


def uvicorn_server(app: ASGIApp, grace: float, header_timeout: float = HEADER_TIMEOUT) -> uvicorn.Server:
    """Build the uvicorn server; `grace` and `header_timeout` are seconds."""
    return _Server(
        uvicorn.Config(
            app,
            # h11, because httptools accepts a space after a header value, which MCP's header rules forbid.
            http=partial(_Connection, header_timeout=header_timeout),  # type: ignore[arg-type]  # used as a factory
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            # Nothing uses the client's address or the scheme.
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=max(1, round(grace)),
        )
    )


class _Server(uvicorn.Server):
    """A uvicorn server without signal handlers of its own, except on Windows."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if sys.platform == "win32":  # pragma: no cover - the tests do not run on Windows
            with super().capture_signals():
                yield
        else:
            yield


class _Connection(H11Protocol):
    """A uvicorn connection with a timeout for request headers, which uvicorn does not have.

    The timer runs while a header is expected. It starts with the connection, and later with the first byte that arrives
    between two requests. It stops when a header is complete (uvicorn has then created a cycle without a complete
    response), when a response is complete (the connection is then idle, unless the next header is already in the
    buffer), and when the connection is closed.
    """

    def __init__(self, *args: Any, header_timeout: float, **options: Any) -> None:
        super().__init__(*args, **options)
        self._header_timeout = header_timeout
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's signature
        super().connection_made(transport)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_timer()
        elif self._timer is None:
            self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self._stop_timer()
        super().on_response_complete()

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(self._header_timeout, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _raise_fd_limit() -> None:
    """Raise the limit of open files as far as the system allows; a common default is 1024."""
    if sys.platform == "win32":  # pragma: no cover - the tests do not run on Windows
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = MAX_CONNECTIONS if hard == resource.RLIM_INFINITY else min(MAX_CONNECTIONS, hard)
    if soft != resource.RLIM_INFINITY and soft < target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))


async def _handle_signals(server: uvicorn.Server, lifecycle: Lifecycle, *, task_status: TaskStatus[None]) -> None:
    def close() -> None:
        server.should_exit = True

    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for received in signals:
            if server.should_exit:
                server.force_exit = True
            elif received == signal.SIGTERM and lifecycle.accepting:
                asyncio.get_running_loop().call_later(lifecycle.drain, close)
            else:
                close()
            lifecycle.accepting = False
