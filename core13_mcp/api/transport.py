"""Connections to the API, straight or through a proxy."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager
from typing import cast
from urllib.request import getproxies, proxy_bypass

import httpcore2
import httpx2

from .network import Network

MAX_CONNECTIONS = 32
"""Connections to one origin that are open at the same time."""

_IDLE, _KEPT = 8, 90.0
# Few idle connections, because the pool polls every one of them on each request; kept long, because an
# agent thinks between two calls.

_FAILURES = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
)


def create_transport(origin: str) -> httpx2.AsyncBaseTransport:
    """A pool of connections to an origin, through the proxy that the environment names for it, if any.

    Raises:
        httpx2.ProxyError: There can be none through that proxy: it has no URL, or is of a kind that is not supported.
    """
    named = proxy_for(origin)
    if named is None:
        return DirectTransport()
    limits = httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=_IDLE, keepalive_expiry=_KEPT)
    try:
        return httpx2.AsyncHTTPTransport(limits=limits, proxy=named)
    except (ValueError, ImportError, httpx2.InvalidURL):
        raise httpx2.ProxyError("it cannot be used") from None  # and is not quoted: it may hold a password


def proxy_for(origin: str) -> str | None:
    """The URL of the proxy that the environment names for an origin, if it names one."""
    url = httpx2.URL(origin)
    proxies = {} if proxy_bypass(url.host) else getproxies()
    named = proxies.get(url.scheme) or proxies.get("all")
    return named if named is None or "://" in named else f"http://{named}"


class DirectTransport(httpx2.AsyncBaseTransport):
    """httpx2's transport with nothing in between: the same pool, on our own network."""

    def __init__(self) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=httpx2.create_ssl_context(),
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=_IDLE,
            keepalive_expiry=_KEPT,
            network_backend=Network(),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; the body of the response is read from its stream, which must be closed.

        Raises:
            httpx2.TransportError: There is no answer.
        """
        url = request.url
        asked = httpcore2.Request(
            request.method,
            httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=cast(httpx2.AsyncByteStream, request.stream),
            extensions=request.extensions,
        )
        with _as_httpx2():
            answer = await self._pool.handle_async_request(asked)
        return httpx2.Response(
            answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx2():
            async for piece in cast(AsyncIterable[bytes], self._answer.stream):
                yield piece

    async def aclose(self) -> None:
        await self._answer.aclose()


@contextmanager
def _as_httpx2() -> Iterator[None]:
    """Raise what httpcore2 raises as what httpx2 calls by the same name."""
    try:
        yield
    except _FAILURES as error:
        raise getattr(httpx2, type(error).__name__)(str(error)) from error
