"""Writes lines to stdout without blocking the event loop, if stdout is a pipe or a socket."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import anyio

from .fast_start import is_pipe, write_all

# Bytes above which a copy of a line costs more than a second write.
_LONG_LINE = 64 * 1024

# Seconds between two checks of a client that does not read.
_STALL_INTERVAL = 0.2


class Sink:
    """A writer of lines.

    Args:
        on_lost: Called when the client has closed its end.
    """

    def __init__(self, descriptor: int, on_lost: Callable[[], None]) -> None:
        self._descriptor, self._on_lost = descriptor, on_lost

    async def write(self, line: bytes) -> None:
        """Write a line at once, as files and terminals allow."""
        try:
            write_all(self._descriptor, line + b"\n")
        except OSError:
            self._on_lost()
            raise
        await anyio.lowlevel.checkpoint()

    def abort(self) -> None:
        """Discard what the client has not read."""

    async def aclose(self, timeout: float) -> None:
        """Close the descriptor. The client has `timeout` seconds to read the rest."""
        os.close(self._descriptor)


class PipeSink(Sink):
    """A writer to a pipe or socket, which waits while the client does not read.

    Args:
        on_stalled: Called repeatedly while a line cannot be written.
    """

    def __init__(self, descriptor: int, on_lost: Callable[[], None], on_stalled: Callable[[], None]) -> None:
        super().__init__(descriptor, on_lost)
        self._on_stalled = on_stalled

    async def connect(self) -> None:
        """Register the descriptor at the event loop."""
        loop, file = asyncio.get_running_loop(), os.fdopen(self._descriptor, "wb", 0)
        self._transport, protocol = await loop.connect_write_pipe(lambda: _Protocol(self._on_lost), file)
        self._writer = asyncio.StreamWriter(self._transport, protocol, None, loop)

    async def write(self, line: bytes) -> None:
        for part in (line, b"\n") if len(line) > _LONG_LINE else (line + b"\n",):
            self._writer.write(part)
        while True:
            with anyio.move_on_after(_STALL_INTERVAL):
                return await self._writer.drain()
            self._on_stalled()

    def abort(self) -> None:
        self._transport.abort()

    async def aclose(self, timeout: float) -> None:
        with anyio.move_on_after(timeout, shield=True), suppress(OSError, RuntimeError):
            self._transport.set_write_buffer_limits(high=0)
            await self._writer.drain()
        # asyncio cannot abort a closed transport.
        if not self._transport.is_closing():
            self._transport.abort()


class _Protocol(asyncio.streams.FlowControlMixin):
    def __init__(self, on_lost: Callable[[], None]) -> None:
        super().__init__()
        self._on_lost = on_lost

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._on_lost()


@asynccontextmanager
async def open_sink(
    descriptor: int, flush_timeout: float, on_lost: Callable[[], None], on_stalled: Callable[[], None]
) -> AsyncIterator[Sink]:
    """Yield a writer for a descriptor, and close it at the end."""
    sink = Sink(descriptor, on_lost)
    if is_pipe(descriptor):
        sink = pipe = PipeSink(descriptor, on_lost, on_stalled)
        await pipe.connect()
    try:
        yield sink
    finally:
        await sink.aclose(flush_timeout)
