"""The network below the connections: anyio's sockets, read and written without a clock.

httpcore2's own network enters a cancel scope at every read and every write, also where no timeout is asked for, and
looks a socket up anew each time its pool asks whether it is still open: a tenth of what a call costs. Here one
deadline holds for a whole call, and is kept by whoever waits for it; only connecting has a time of its own.
"""

from __future__ import annotations

import select
import ssl
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
import httpcore2
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSAttribute, TLSStream

Stream = TypeVar("Stream", bound=ByteStream)

_BROKEN = (anyio.BrokenResourceError, anyio.ClosedResourceError, ssl.SSLError)


class Network(httpcore2.AsyncNetworkBackend):
    """What httpcore2 makes its connections with: it never asks for a time to read or write within."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> Socket:
        """Connect within `timeout` seconds, over IPv6 or IPv4, whichever answers first.

        Raises:
            httpcore2.ConnectError, httpcore2.ConnectTimeout: Nobody takes the connection.
        """
        with _connecting(timeout):
            return Socket(await _wanted(await anyio.connect_tcp(host, port, local_host=local_address)))


class Socket(httpcore2.AsyncNetworkStream):
    """One connection, plain or in TLS."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._is_readable = _readable(stream.extra(SocketAttribute.raw_socket))

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come, at most `max_bytes` of it; nothing at the end.

        Raises:
            httpcore2.ReadError: The connection broke.
        """
        try:
            return await self._stream.receive(max_bytes)
        except anyio.EndOfStream:
            return b""
        except _BROKEN as error:
            raise httpcore2.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it.

        Raises:
            httpcore2.WriteError: The connection broke.
        """
        if not buffer:  # as the end of a request without a body is written
            return
        try:
            await self._stream.send(buffer)
        except (*_BROKEN, anyio.EndOfStream) as error:
            raise httpcore2.WriteError(str(error)) from error

    async def aclose(self) -> None:
        """Close it."""
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> Socket:
        """The same connection in TLS, agreed on within `timeout` seconds.

        Raises:
            httpcore2.ConnectError, httpcore2.ConnectTimeout: They do not agree; the connection is closed.
        """
        wrap = TLSStream.wrap(
            self._stream, hostname=server_hostname, ssl_context=ssl_context, standard_compatible=False
        )
        agreed = None
        try:
            with _connecting(timeout):
                agreed = await _wanted(await wrap)
        finally:
            if agreed is None:
                await anyio.aclose_forcefully(self._stream)
        return Socket(agreed)

    def get_extra_info(self, info: str) -> Any:
        """Whether there is something to read, which on an idle connection is its end; or the TLS object."""
        if info == "is_readable":
            return self._is_readable()
        return self._stream.extra(TLSAttribute.ssl_object, None) if info == "ssl_object" else None


@contextmanager
def _connecting(timeout: float | None) -> Iterator[None]:
    try:
        with anyio.fail_after(timeout):
            yield
    except TimeoutError as error:
        raise httpcore2.ConnectTimeout(str(error)) from error
    except (OSError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
        raise httpcore2.ConnectError(str(error)) from error


async def _wanted(stream: Stream) -> Stream:
    """The stream, unless nobody waits for it any more: then it is closed, or the pool would keep it for ever.

    The pool can undo only what it has: a cancellation that comes as it is handed a connection ends it elsewhere.
    """
    wanted = False
    try:
        await anyio.lowlevel.checkpoint_if_cancelled()
        wanted = True
    finally:
        if not wanted:
            await anyio.aclose_forcefully(stream)
    return stream


def _readable(socket: Any) -> Callable[[], bool]:
    """A question that costs one system call; where there is no `poll`, `select` takes sockets of any number.

    What was closed under it has nothing to give either, and says so by being readable.
    """
    if sys.platform == "win32":  # pragma: no cover - the tests do not run on Windows
        return lambda: socket.fileno() < 0 or bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return lambda: socket.fileno() < 0 or bool(poll.poll(0))
