"""Serve the sandbox on a port, and read its outbox from another process."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from .app import build
from .store import NOT_A_SANDBOX, Store


def outbox(database: str) -> list[dict[str, Any]]:
    """Return the messages that would have been sent, oldest first. Another process may serve the database.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is not a database of this version of the sandbox. It is not changed.
    """
    if not Path(database).is_file():
        raise FileNotFoundError(f"There is no sandbox database at {database}.")
    with closing(Store(database, read_only=True)) as store, store.transaction(writes=False):
        if not store.is_created():
            raise ValueError(NOT_A_SANDBOX)
        return store.messages()


async def serve(
    host: str,
    port: int,
    database: str = ":memory:",
    *,
    ready: Callable[[str], None] = lambda origin: None,
    **options: Any,
) -> None:
    """Serve the sandbox, built with the options of `build`, until SIGINT or SIGTERM.

    Port 0 selects a free port. `ready` is called with the origin as soon as connections are accepted.

    Raises:
        OSError: The port is in use.
    """
    app = build(database, **options)
    protocol = H11Protocol
    if options.get("faults"):
        protocol = import_module(f"{__package__}.testing.connections").ResettableConnection
    with bind(host, port) as listener:
        ready(origin(listener))
        await uvicorn_server(app, protocol).serve([listener])


@contextmanager
def bind(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket. Clients can connect before the server accepts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Without an explicit protocol, asyncio leaves Nagle's algorithm on and every response waits 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
        yield listener


def origin(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def uvicorn_server(app: ASGIApp, protocol: type[H11Protocol]) -> uvicorn.Server:
    """A uvicorn server without logs that stops within a second."""
    config = uvicorn.Config(app, http=protocol, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
    return uvicorn.Server(config)
