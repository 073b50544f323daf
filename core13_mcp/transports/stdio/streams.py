"""MCP over stdin and stdout, without threads.

The SDK's own transport crosses worker threads nine times a call, hangs on Ctrl-C until the next line, and never
answers malformed JSON. This one is for pipes and sockets on POSIX; elsewhere the SDK's serves.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp.server.stdio import stdio_server
from mcp.shared._stream_protocols import ReadStream, WriteStream

from .framing import CHUNK_SIZE, JSONRPCStream
from .pipes import stdio_is_pollable


@asynccontextmanager
async def open_streams(
    read_already: bytes = b"", answered: Collection[str | int] = ()
) -> AsyncIterator[tuple[ReadStream[Any], WriteStream[Any]]]:
    """The two streams that the SDK's server runs on.

    `read_already` is what was read of stdin before; of the requests in it, those in `answered` get no second answer.
    """
    if not stdio_is_pollable():
        async with stdio_server() as (reader, writer):
            yield reader, writer
        return
    async with _pipes() as (source, sink, stop):
        wire = JSONRPCStream(source, sink, read_already, stop, answered)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_end_on_sigterm, wire)
                yield wire.reader, wire.writer
                tasks.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            if _is_interruption(group):
                raise asyncio.CancelledError from None
            raise


def _is_interruption(group: BaseExceptionGroup[BaseException]) -> bool:
    """Whether all that failed is the SDK's relay, which breaks when it is cancelled while it hands a message on."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0 and group.split(anyio.BrokenResourceError)[1] is None


@asynccontextmanager
async def _pipes() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, Callable[[], object]]]:
    loop = asyncio.get_running_loop()
    stdin, stdout = _taken(0), _taken(1)
    source = asyncio.StreamReader(limit=CHUNK_SIZE)
    reading, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(source), os.fdopen(stdin, "rb", 0))
    writing, flow = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, os.fdopen(stdout, "wb", 0))
    try:
        yield source, asyncio.StreamWriter(writing, flow, None, loop), reading.close
    finally:
        reading.close()
        writing.close()


def _taken(stream: int) -> int:
    """A private copy of stdin or stdout. What else in the process reads gets nothing; what it prints goes to stderr."""
    import fcntl  # POSIX only, and only reached there

    private = fcntl.fcntl(stream, fcntl.F_DUPFD_CLOEXEC, 3)
    if stream == 0:
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
    else:
        os.dup2(2, stream)
    return private


async def _end_on_sigterm(wire: JSONRPCStream) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM) as signals:
        async for _ in signals:
            await wire.end()
            return
