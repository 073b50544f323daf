"""MCP over stdin and stdout without threads.

The SDK's transport uses worker threads. It needs nine thread switches per call, does not end on Ctrl-C before the next
line, and does not answer malformed JSON. This transport replaces it on POSIX. Windows uses the SDK's transport.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import signal
import sys
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import anyio
from mcp.server.stdio import stdio_server
from mcp.shared._stream_protocols import ReadStream, WriteStream

from .fast_start import is_pipe
from .framing import JSONRPCStream
from .shutdown import Cause, Shutdown
from .sink import open_sink

log = logging.getLogger("core13_mcp")

_CHUNK_SIZE = 64 * 1024


@asynccontextmanager
async def open_streams(
    initial_data: bytes = b"",
    answered_ids: Collection[str | int] = (),
    interactive: bool = False,
    grace: float = 10.0,
    flush_timeout: float = 1.0,
) -> AsyncIterator[tuple[ReadStream[Any], WriteStream[Any]]]:
    """Open the two streams that the SDK's server reads and writes. The last log line has the reason for the end.

    `initial_data` was read from stdin before. The requests with `answered_ids` in it already have a response. If the
    client is `interactive`, a part of the data came after a response.
    SIGTERM and the end of stdin allow `grace` seconds for the running calls. The last `flush_timeout` seconds of them
    are for the client to read the last responses.
    """
    if sys.platform == "win32":  # pragma: no cover - the tests run on POSIX
        async with stdio_server() as streams:
            yield streams
        return
    stdin, stdout = _claim_stdio()
    reader = asyncio.StreamReader()
    reader.feed_data(initial_data)
    source = Source(stdin, reader)

    def on_lost() -> None:
        shutdown.begin(Cause.NOT_READ)

    def on_stalled() -> None:
        # The end of stdin is not read while its requests wait for a client that does not read their responses.
        if source.hung_up:
            shutdown.begin(Cause.STDIN_CLOSED)

    async with open_sink(stdout, flush_timeout, on_lost, on_stalled) as sink, anyio.create_task_group() as tasks:
        stream = JSONRPCStream(reader, sink.write, answered_ids, finite=source.is_file)
        stream.interactive = interactive
        source.on_data = stream.note_input
        shutdown = Shutdown(stream, source.close, grace, flush_timeout)
        tasks.start_soon(shutdown.run, sink.abort)
        tasks.start_soon(_watch, stream, shutdown)
        try:
            with _sigint_ends_the_process():
                yield stream, stream
        finally:
            source.close()
            tasks.cancel_scope.cancel()
            log.info("stopped: %s", shutdown.reason)


async def _watch(stream: JSONRPCStream, shutdown: Shutdown) -> None:
    """Start the shutdown at the end of the input and on SIGTERM."""

    async def begin_at_end() -> None:
        await stream.at_end.wait()
        shutdown.begin(Cause.STDIN_CLOSED)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(begin_at_end)
        with anyio.open_signal_receiver(signal.SIGTERM) as signals:
            async for _ in signals:
                shutdown.begin(Cause.SIGTERM)


@contextmanager
def _sigint_ends_the_process() -> Iterator[None]:
    """Log SIGINT and exit at once, because there is nothing to clean up."""

    def end(*_: Any) -> None:
        log.info("stopped: SIGINT")
        os._exit(130)

    before = signal.getsignal(signal.SIGINT)
    # The starting process may have set Ctrl-C to be ignored.
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _claim_stdio() -> tuple[int, int]:
    """Return descriptors for stdin and stdout that no other code of the process uses.

    Other code in the process reads nothing from stdin, and its output to stdout goes to stderr.
    """
    stdin, stdout = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return stdin, stdout


class Source(asyncio.ReadTransport):
    """Feeds stdin to a `StreamReader`. asyncio's transport for pipes accepts neither regular files nor /dev/null."""

    def __init__(self, descriptor: int, reader: asyncio.StreamReader) -> None:
        # An event loop cannot wait for a file. Reads of a file return at once.
        self.is_file = not (is_pipe(descriptor) or os.isatty(descriptor))
        self._descriptor, self._reader, self._closed = descriptor, reader, False
        self._loop = asyncio.get_running_loop()
        self.on_data: Callable[[], None] = lambda: None
        reader.set_transport(self)
        self.resume_reading()

    @property
    def hung_up(self) -> bool:
        """Whether the client has closed its end, also if there is still something to read."""
        if self._closed:
            return True
        poll = select.poll()
        # Of a pipe, and of a socket that is closed for writing only.
        poll.register(self._descriptor, select.POLLHUP | getattr(select, "POLLRDHUP", 0))
        return bool(poll.poll(0))

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
        self.on_data()
        self._reader.feed_data(data)
