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
from typing import Any, NamedTuple

import anyio
from mcp.server.stdio import stdio_server
from mcp.shared._stream_protocols import ReadStream, WriteStream

from .fast_start import is_pipe
from .framing import JSONRPCStream, Sink
from .messages import CHUNK_SIZE, Source

Streams = tuple[ReadStream[Any], WriteStream[Any]]


class Timeouts(NamedTuple):
    """Seconds that SIGTERM allows until the process ends."""

    # For the running calls.
    drain: float = 10.0
    # For the client to read the last responses.
    flush: float = 1.0


TIMEOUTS = Timeouts()


@asynccontextmanager
async def open_streams(
    initial_data: bytes = b"", answered_ids: Collection[str | int] = (), timeouts: Timeouts = TIMEOUTS
) -> AsyncIterator[Streams]:
    """Open the two streams that the SDK's server reads and writes.

    Args:
        initial_data: Bytes that were read from stdin before.
        answered_ids: Ids of the requests in these bytes that already have a response.
        timeouts: How long SIGTERM waits.
    """
    if sys.platform == "win32":  # pragma: no cover - the tests run on POSIX
        async with stdio_server() as streams:
            yield streams
        return
    async with _open_source() as (source, stop), _open_sink() as (sink, abort):
        finite = isinstance(source, FileSource) and not source.is_terminal
        stream = JSONRPCStream(source, sink, (initial_data, answered_ids), finite)

        async def end_on_sigterm() -> None:
            with anyio.open_signal_receiver(signal.SIGTERM) as signals:
                await anext(signals)
            with anyio.move_on_after(timeouts.drain):
                await stream.drain()
            # The server ends at the end of its input, unless the client does not read its last responses.
            stop()
            await anyio.sleep(timeouts.flush)
            abort()

        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(end_on_sigterm)
                yield stream.reader, stream.writer
                tasks.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            if _is_cancellation(group):
                raise asyncio.CancelledError from None
            raise


class FileSource:
    """Reads a terminal, a regular file or a device such as /dev/null.

    An event loop can wait for a terminal only. Reads of the others return at once.
    """

    def __init__(self, descriptor: int) -> None:
        self.is_terminal = os.isatty(descriptor)
        self._descriptor = descriptor
        self._closed = False
        self._reading = anyio.CancelScope()

    async def read(self, size: int) -> bytes:
        """Return at most `size` bytes, or none at the end and after `close`."""
        # A terminal that is gone is an error for Python, and the end of the input for the server.
        with anyio.CancelScope() as self._reading, suppress(OSError):
            if self._closed:
                return b""
            # Not set to non-blocking mode: a terminal's mode is shared with the shell and with stderr.
            await (anyio.wait_readable(self._descriptor) if self.is_terminal else anyio.lowlevel.checkpoint())
            return os.read(self._descriptor, size)
        return b""

    def close(self) -> None:
        """End the input for the running read and all further ones."""
        self._closed = True
        self._reading.cancel()


class FileSink:
    """Writes to a terminal, a regular file or a device at once, without the event loop."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, data: bytes) -> None:
        """Write all bytes.

        Raises:
            OSError: The terminal is gone, or the file system is full.
        """
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    async def drain(self) -> None:
        """Let other tasks run: `write` has written everything."""
        await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def _open_source() -> AsyncIterator[tuple[Source, Callable[[], None]]]:
    """Open stdin; the second value is a function that ends the input."""
    descriptor = _claim(0)
    if not is_pipe(descriptor):
        source = FileSource(descriptor)
        yield source, source.close
        os.close(descriptor)
        return
    reader = asyncio.StreamReader(limit=CHUNK_SIZE)
    protocol, file = asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, file)
    try:
        yield reader, transport.close
    finally:
        transport.close()


@asynccontextmanager
async def _open_sink() -> AsyncIterator[tuple[Sink, Callable[[], None]]]:
    """Open stdout; the second value is a function that discards what the client has not read."""
    descriptor = _claim(1)
    if not is_pipe(descriptor):
        yield FileSink(descriptor), lambda: None
        os.close(descriptor)
        return
    loop, file = asyncio.get_running_loop(), os.fdopen(descriptor, "wb", 0)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, file)
    try:
        yield asyncio.StreamWriter(transport, protocol, None, loop), transport.abort
    finally:
        transport.close()


def _claim(descriptor: int) -> int:
    """Return a private copy of stdin or stdout, and redirect the original.

    Other code in the process then reads nothing from stdin, and its output to stdout goes to stderr.
    """
    import fcntl  # does not exist on Windows

    private = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    if descriptor == 0:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
    else:
        os.dup2(2, descriptor)
    return private


def _is_cancellation(group: BaseExceptionGroup[BaseException]) -> bool:
    """Return whether a cancellation of the current task has caused all errors of a group.

    The SDK raises BrokenResourceError if it is cancelled while it passes a message on.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0 and group.split(anyio.BrokenResourceError)[1] is None
