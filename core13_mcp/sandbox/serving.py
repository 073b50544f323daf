"""The sandbox on a port, and its outbox from another process."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import uvicorn
from starlette.types import ASGIApp

from . import outbox as messages
from .app import build
from .connection import Connection
from .store import Store


def outbox(database: str) -> list[dict[str, Any]]:
    """What would have been sent, oldest first; may be called while another process serves the same file.

    Raises FileNotFoundError where there is no such file.
    """
    if not Path(database).is_file():
        raise FileNotFoundError(f"There is no sandbox database at {database}.")
    store = Store(database)
    try:
        with store.transaction(writes=False):
            return messages.rows(store) if store.made() else []
    finally:
        store.close()


async def serve(
    host: str,
    port: int,
    database: str = ":memory:",
    *,
    faults: bool = False,
    ready: Callable[[str], None] = lambda origin: None,
    **switches: Any,
) -> None:
    """Serves until SIGINT or SIGTERM. ``ready`` is told the origin once connections are accepted.

    Port 0 takes any free port. ``switches`` are those of ``build``. Raises OSError when the port is taken.
    """
    app = build(database, faults=faults, **switches)
    with bound(host, port) as listener:
        ready(origin(listener))
        await _server(app).serve([listener])


@asynccontextmanager
async def listening(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """An app on a real socket for the length of a block, which gets its origin; for tests."""
    server = _server(app)
    # The block's owner, not uvicorn, decides what a signal means.
    server.capture_signals = _no_signals  # type: ignore[method-assign]
    with bound(host, port) as listener:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listener])
            try:
                yield origin(listener)
            finally:
                server.should_exit = True


@contextmanager
def _no_signals() -> Iterator[None]:
    yield


@contextmanager
def bound(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, or asyncio leaves Nagle's algorithm on and every answer waits 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # Connections wait from here on, so the origin can be told before the server runs.
        listener.listen(128)
        yield listener


def origin(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _server(app: ASGIApp) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(app, http=Connection, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
    )
