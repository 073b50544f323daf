"""An app on a socket, until the process is told to end."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio
import uvicorn
from anyio.abc import TaskGroup, TaskStatus
from starlette.types import ASGIApp

from .connection import Connection
from .health import Lifecycle

CONNECTIONS = 65_536
"""Open at the same time, if the system allows it."""


async def serve(
    app: ASGIApp, listener: socket.socket, duty: Lifecycle, *, drain: float, grace: float, ready: Callable[[], None]
) -> None:
    """Serve until SIGTERM or SIGINT.

    After SIGTERM it goes on serving for `drain` seconds while `/readyz` says that it is not ready, so that whoever
    balances the load can turn elsewhere; then it takes no more connections and gives open requests `grace` seconds.
    SIGINT, or a second signal, skips the draining; a third one the grace. `ready` is called once all this holds.
    """
    _allow_connections()
    server = _server(app, grace)
    async with anyio.create_task_group() as tasks:
        if sys.platform != "win32":  # pragma: no branch - the tests do not run on Windows
            await tasks.start(_end_on_signals, server, duty, drain, tasks)
        ready()
        await server.serve([listener])
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def running(app: ASGIApp, listener: socket.socket, grace: float = 1.0) -> AsyncIterator[None]:
    """Serve for the length of a block, whatever the process is told."""
    server = _server(app, grace)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_undisturbed, server, listener)
        try:
            yield
        finally:
            server.should_exit = True


async def _undisturbed(server: uvicorn.Server, listener: socket.socket) -> None:
    # It ends itself when told to, and only then in good order.
    with anyio.CancelScope(shield=True):
        await server.serve([listener])


def _server(app: ASGIApp, grace: float) -> uvicorn.Server:
    return _Server(
        uvicorn.Config(
            app,
            # On h11: httptools keeps the space behind a header's value, which the protocol's header rules forbid.
            http=Connection,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            # Neither the client's address nor the scheme is used for anything.
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=max(1, round(grace)),
        )
    )


class _Server(uvicorn.Server):
    """A server that leaves signals to this module, where there are any."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if sys.platform == "win32":  # pragma: no cover - the tests do not run on Windows
            with super().capture_signals():
                yield
        else:
            yield


def _allow_connections() -> None:
    """Raise the number of open connections as far as the system lets everyone; many start at 1024."""
    if sys.platform == "win32":  # pragma: no cover - the tests do not run on Windows
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS if hard == resource.RLIM_INFINITY else min(CONNECTIONS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _end_on_signals(
    server: uvicorn.Server, duty: Lifecycle, drain: float, tasks: TaskGroup, *, task_status: TaskStatus[None]
) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for received in signals:
            if server.should_exit:
                server.force_exit = True
            elif received == signal.SIGTERM and duty.accepting:
                duty.accepting = False
                tasks.start_soon(_end_after, server, drain)
            else:
                duty.accepting = False
                server.should_exit = True


async def _end_after(server: uvicorn.Server, drain: float) -> None:
    await anyio.sleep(drain)
    server.should_exit = True
