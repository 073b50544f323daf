"""MCP over stdin and stdout without threads.

The SDK's transport uses worker threads. It needs nine thread switches per call, does not end on Ctrl-C before the next
line, and does not answer malformed JSON. This transport replaces it on POSIX. Windows uses the SDK's transport.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
from mcp.server.stdio import stdio_server
from mcp.shared._stream_protocols import ReadStream, WriteStream

from .fast_start import is_pipe, write_all
from .framing import JSONRPCStream, WriteLine

_CHUNK_SIZE = 64 * 1024


@asynccontextmanager
async def open_streams(
    initial_data: bytes = b"",
    answered_ids: Collection[str | int] = (),
    drain_timeout: float = 10.0,
    flush_timeout: float = 1.0,
) -> AsyncIterator[tuple[ReadStream[Any], WriteStream[Any]]]:
    """Open the two streams that the SDK's server reads and writes.

    `initial_data` was read from stdin before. The requests with `answered_ids` in it already have a response.
    SIGTERM allows `drain_timeout` seconds for the running calls, then `flush_timeout` for reading the last responses.
    """
    if sys.platform == "win32":  # pragma: no cover - the tests run on POSIX
        async with stdio_server() as streams:
            yield streams
        return
    stdin, stdout = os.dup(0), os.dup(1)
    # Other code in the process reads nothing from stdin, and its output to stdout goes to stderr.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    reader = asyncio.StreamReader()
    reader.feed_data(initial_data)
    source = Source(stdin, reader)
    async with _open_sink(stdout) as (write_line, abort), anyio.create_task_group() as tasks:
        stream = JSONRPCStream(reader, write_line, answered_ids, finite=source.is_file)

        async def end_on_sigterm() -> None:
            with anyio.open_signal_receiver(signal.SIGTERM) as signals:
                await anext(signals)
            with anyio.move_on_after(drain_timeout):
                await stream.drain()
            # The server ends at the end of its input, unless the client does not read its last responses.
            source.close()
            await anyio.sleep(flush_timeout)
            abort()

        tasks.start_soon(end_on_sigterm)
        try:
            yield stream, stream
        finally:
            source.close()
            tasks.cancel_scope.cancel()


class Source(asyncio.ReadTransport):
    """Feeds stdin to a `StreamReader`. asyncio's transport for pipes accepts neither regular files nor /dev/null."""

    def __init__(self, descriptor: int, reader: asyncio.StreamReader) -> None:
        # An event loop cannot wait for a file. Reads of a file return at once.
        self.is_file = not (is_pipe(descriptor) or os.isatty(descriptor))
        self._descriptor, self._reader, self._closed = descriptor, reader, False
        self._loop = asyncio.get_running_loop()
        reader.set_transport(self)
        self.resume_reading()

    def resume_reading(self) -> None:
        if self._closed:
            return
        if self.is_file:
            self._next_read = self._loop.call_soon(self._read)
        else:
            self._loop.add_reader(self._descriptor, self._read)

    def pause_reading(self) -> None:
        if self.is_file:
            self._next_read.cancel()
        else:
            self._loop.remove_reader(self._descriptor)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.pause_reading()
            self._reader.feed_eof()
            os.close(self._descriptor)

    def _read(self) -> None:
        data = b""
        # A client that is gone is the end of the input, for example if it has reset its socket.
        with suppress(OSError):
            data = os.read(self._descriptor, _CHUNK_SIZE)
        if not data:
            self.close()
            return
        if self.is_file:
            self.resume_reading()
        self._reader.feed_data(data)


@asynccontextmanager
async def _open_sink(descriptor: int) -> AsyncIterator[tuple[WriteLine, Callable[[], None]]]:
    """Yield a function that writes a line to a descriptor, and one that discards what the client has not read."""
    if not is_pipe(descriptor):

        async def write_at_once(line: bytes) -> None:
            write_all(descriptor, line + b"\n")
            await anyio.lowlevel.checkpoint()

        yield write_at_once, lambda: None
        os.close(descriptor)
        return
    loop, file = asyncio.get_running_loop(), os.fdopen(descriptor, "wb", 0)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, file)
    writer = asyncio.StreamWriter(transport, protocol, None, loop)

    async def write(line: bytes) -> None:
        # A copy of a long line costs more than a second write.
        for part in (line, b"\n") if len(line) > _CHUNK_SIZE else (line + b"\n",):
            writer.write(part)
        await writer.drain()

    try:
        yield write, transport.abort
    finally:
        transport.close()
