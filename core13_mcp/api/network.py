"""The network backend of the connection pool: TCP, tunnels through a proxy, and TLS.

It differs from httpcore2's own backend:

- It opens the tunnels, so the pool treats direct and proxied connections alike.
- It closes a connection if a handshake fails, is late or is cancelled, because the pool does not own it yet.
- It detects data behind a response, so the pool closes that connection.
- It ignores timeouts for reads and writes. One deadline covers a call; a cancel scope per read costs 10 % of its time.
"""

from __future__ import annotations

import select
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any, TypeVar, cast

import anyio
import anyio.lowlevel
import httpcore2
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSAttribute, TLSStream

from .failures import NO_SUCH_HOST, tls_failure, unknown_host_failure
from .proxy import Proxy

# Bytes. An event loop delivers at most this much at once; `is_readable` cannot see what a smaller read leaves behind.
RECEIVE_SIZE = 256 * 1024

Connected = TypeVar("Connected")

_BROKEN = (anyio.BrokenResourceError, anyio.ClosedResourceError, ssl.SSLError)


class Backend(httpcore2.AsyncNetworkBackend):
    """Opens connections, directly or through a proxy."""

    def __init__(self, proxy: Proxy | None = None) -> None:
        self._proxy = proxy

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> Stream:
        """Connect to a host, or to the proxy and through it to the host, within `timeout` seconds."""
        address = (self._proxy.host, self._proxy.port) if self._proxy else (host, port)
        with self._proxy.failures(host, timeout) if self._proxy else _map_connect_errors(host, timeout):
            tcp = await anyio.connect_tcp(*address)
            return await _close_on_failure(tcp, self._open_tunnel(Stream(tcp), host, port))

    async def _open_tunnel(self, stream: Stream, host: str, port: int) -> Stream:
        if self._proxy is None:
            return stream
        if self._proxy.ssl_context:
            stream = await stream.start_tls(self._proxy.ssl_context, self._proxy.host)
        await self._proxy.open_tunnel(stream.raw, host, port)
        return stream


class Stream(httpcore2.AsyncNetworkStream):
    """One connection: TCP, or TLS over another stream."""

    def __init__(self, raw: ByteStream, ssl_objects: tuple[ssl.SSLObject, ...] = ()) -> None:
        self.raw = raw
        self._ssl_objects = ssl_objects
        self._socket_is_readable = _readability(raw.extra(SocketAttribute.raw_socket))
        # Received data, and how much of it `read` has returned.
        self._received = b""
        self._position = 0
        # Whether the last operation was a read, so that the next write begins another request.
        self._is_idle = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not self._received:
            self._received = await self._receive()
        # Return the last byte separately. The HTTP parser asks for it only if the response is incomplete without it.
        # Otherwise the byte belongs to data behind the response, and `is_readable` reports it.
        end = min(self._position + max_bytes, max(len(self._received) - 1, self._position + 1))
        data = self._received[self._position : end]
        if end < len(self._received):
            self._position = end
        else:
            self._received, self._position = b"", 0
        self._is_idle = True
        return data

    async def _receive(self) -> bytes:
        try:
            return await self.raw.receive(RECEIVE_SIZE)
        except anyio.EndOfStream:
            return b""
        except _BROKEN as error:
            raise httpcore2.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # httpcore2 ends a request that has no body with an empty write.
        if not buffer:
            return
        # The API has closed the connection since its last response. Nothing of this request was sent.
        if self._is_idle and self._is_readable():
            raise httpcore2.ConnectError("the idle connection was closed")
        self._is_idle = False
        try:
            await self.raw.send(buffer)
        except (*_BROKEN, anyio.EndOfStream) as error:
            raise httpcore2.WriteError(str(error)) from error

    async def aclose(self) -> None:
        await self.raw.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> Stream:
        """Do a TLS handshake within `timeout` seconds, or close the connection."""
        with _map_connect_errors(server_hostname or "", timeout):
            raw = cast(ByteStream, _Unsplit(self.raw))
            wrap = TLSStream.wrap(raw, hostname=server_hostname, ssl_context=ssl_context, standard_compatible=False)
            tls = await _close_on_failure(self.raw, wrap)
        return Stream(tls, (*self._ssl_objects, tls.extra(TLSAttribute.ssl_object)))

    def get_extra_info(self, info: str) -> Any:
        """Return what the pool asks for: `is_readable` or `ssl_object`."""
        if info == "is_readable":
            return self._is_readable()
        return self._ssl_objects[-1] if info == "ssl_object" and self._ssl_objects else None

    def _is_readable(self) -> bool:
        # The pool closes an idle connection that has unread data or has ended.
        has_data = bool(self._received) or any(map(_has_unread_data, self._ssl_objects))
        return has_data or self._socket_is_readable()


class _Unsplit:
    """The part of a stream that TLS uses. It returns data as it arrives.

    TLS reads 64 KiB at once. `_has_unread_data` cannot see what such a read leaves in the stream.
    """

    def __init__(self, raw: ByteStream) -> None:
        self.send, self.aclose, self.extra_attributes = raw.send, raw.aclose, raw.extra_attributes
        self._receive = raw.receive

    async def receive(self) -> bytes:
        return await self._receive(RECEIVE_SIZE)


@contextmanager
def _map_connect_errors(host: str, timeout: float | None) -> Iterator[None]:
    try:
        with anyio.fail_after(timeout):
            yield
    except TimeoutError as error:
        raise httpcore2.ConnectTimeout(str(error)) from error
    except ssl.SSLError as error:
        raise tls_failure(error, host) from error
    except socket.gaierror as error:
        # Without an answer of DNS, the next attempt can succeed.
        is_final = error.errno in NO_SUCH_HOST
        raise (unknown_host_failure(host) if is_final else httpcore2.ConnectError(str(error))) from error
    # A ValueError means that the host is not a valid name in DNS or TLS.
    except (OSError, ValueError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
        raise httpcore2.ConnectError(str(error)) from error


async def _close_on_failure(stream: ByteStream, connect: Awaitable[Connected]) -> Connected:
    """Wait for a handshake; close the stream if it fails, or if the caller is cancelled meanwhile."""
    async with AsyncExitStack() as on_failure:
        on_failure.push_async_callback(anyio.aclose_forcefully, stream)
        connected = await connect
        await anyio.lowlevel.checkpoint_if_cancelled()
        on_failure.pop_all()
    return connected


def _has_unread_data(ssl_object: ssl.SSLObject) -> bool:
    """Check for data behind TLS. The check consumes the data, so the connection must be closed if there is any."""
    try:
        ssl_object.read(1)
    except ssl.SSLError as error:
        return not isinstance(error, ssl.SSLWantReadError)
    return True


def _readability(socket: Any) -> Callable[[], bool]:
    """Return a function that checks, with one system call, whether a socket is readable or closed."""
    if sys.platform == "win32":  # pragma: no cover - the tests do not run on Windows
        return lambda: socket.fileno() < 0 or bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return lambda: socket.fileno() < 0 or bool(poll.poll(0))
