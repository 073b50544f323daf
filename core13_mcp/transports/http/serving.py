"""The HTTP server process: it serves an application on a socket until a signal ends it."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import anyio
import uvicorn
from anyio.abc import TaskGroup, TaskStatus
from starlette.types import ASGIApp

from .connection import HEADER_TIMEOUT, Connection
from .health import Lifecycle

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
            await tasks.start(_handle_signals, server, lifecycle, tasks)
        ready()
        await server.serve([listener])
        tasks.cancel_scope.cancel()


def uvicorn_server(app: ASGIApp, grace: float, header_timeout: float = HEADER_TIMEOUT) -> uvicorn.Server:
    """Build the uvicorn server; `grace` and `header_timeout` are seconds."""
    return _Server(
        uvicorn.Config(
            app,
            # h11, because httptools accepts a space after a header value, which MCP's header rules forbid.
            http=partial(Connection, header_timeout=header_timeout),  # type: ignore[arg-type]  # used as a factory
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


def _raise_fd_limit() -> None:
    """Raise the limit of open files as far as the system allows; a common default is 1024."""
    if sys.platform == "win32":  # pragma: no cover - the tests do not run on Windows
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = MAX_CONNECTIONS if hard == resource.RLIM_INFINITY else min(MAX_CONNECTIONS, hard)
    if soft != resource.RLIM_INFINITY and soft < target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))


async def _handle_signals(
    server: uvicorn.Server, lifecycle: Lifecycle, tasks: TaskGroup, *, task_status: TaskStatus[None]
) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for received in signals:
            if server.should_exit:
                server.force_exit = True
            elif received == signal.SIGTERM and lifecycle.accepting:
                lifecycle.accepting = False
                tasks.start_soon(_exit_after, server, lifecycle.drain)
            else:
                lifecycle.accepting = False
                server.should_exit = True


async def _exit_after(server: uvicorn.Server, drain: float) -> None:
    await anyio.sleep(drain)
    server.should_exit = True
