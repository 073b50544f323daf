"""ASGI applications in tests: on a real socket, or in process with connection resets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio
import httpx2
from starlette.types import ASGIApp

from core13_mcp.sandbox.serving import bind, origin, uvicorn_server
from core13_mcp.sandbox.testing.connections import ResettableConnection


@asynccontextmanager
async def listening(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve an application on a real socket and yield its origin."""
    server = uvicorn_server(app, ResettableConnection)
    # The test, not uvicorn, decides what a signal means.
    server.capture_signals = _ignore_signals  # type: ignore[method-assign]
    with bind(host, port) as listener:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listener])
            try:
                yield origin(listener)
            finally:
                server.should_exit = True


@contextmanager
def _ignore_signals() -> Iterator[None]:
    yield


class ResetTransport(httpx2.ASGITransport):
    """An in-process transport that reports a connection reset as `ReadError`.

    It collects the whole response before it returns it. A test of timing between bytes needs a real socket.
    """

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return await super().handle_async_request(request)
        except ConnectionResetError as reset:
            raise httpx2.ReadError(str(reset), request=request) from reset
