"""The pool of HTTP connections to the API, as an httpx2 transport."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager
from typing import cast

import httpcore2
import httpx2

from .failures import trust_store_failure
from .network import Backend
from .proxy import Proxy, proxy_url
from .trust import configured_context

# Connections that are open at the same time.
MAX_CONNECTIONS = 32

# Few, because the pool polls every idle connection on each request.
MAX_IDLE_CONNECTIONS = 8

# Seconds. Long, because an agent thinks between two calls.
KEEPALIVE_EXPIRY = 90.0

_ERRORS = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.UnsupportedProtocol,
)


class PoolTransport(httpx2.AsyncBaseTransport):
    """httpcore2's connection pool with our network backend.

    httpx2's own transport of this pool takes 9 % more time per call. It also loses a connection of the pool when a TLS
    handshake behind a proxy fails or is cancelled.

    Raises:
        ConnectFailure: The environment sets a proxy that is not an HTTP proxy, or certificates that are unusable.
    """

    def __init__(self, origin: str, max_connections: int = MAX_CONNECTIONS) -> None:
        ssl_context = _ssl_context() if origin.startswith("https:") else None
        proxy = proxy_url(origin)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=ssl_context,
            max_connections=max_connections,
            max_keepalive_connections=MAX_IDLE_CONNECTIONS,
            keepalive_expiry=KEEPALIVE_EXPIRY,
            network_backend=Backend(Proxy.from_url(proxy, ssl_context) if proxy else None),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return the response, which the caller must close."""
        url = request.url
        pool_request = httpcore2.Request(
            request.method,
            httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=cast(httpx2.AsyncByteStream, request.stream),
            extensions=request.extensions,
        )
        with _map_errors():
            response = await self._pool.handle_async_request(pool_request)
        return httpx2.Response(
            response.status, headers=response.headers, stream=_Body(response), extensions=response.extensions
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


def _ssl_context() -> ssl.SSLContext:
    try:
        return configured_context(os.environ) or httpx2.create_ssl_context(trust_env=False)
    except OSError as error:
        raise trust_store_failure(error) from error


class _Body(httpx2.AsyncByteStream):
    def __init__(self, response: httpcore2.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _map_errors():
            async for chunk in cast(AsyncIterable[bytes], self._response.stream):
                yield chunk

    async def aclose(self) -> None:
        await self._response.aclose()


@contextmanager
def _map_errors() -> Iterator[None]:
    """Raise an error of httpcore2 as the error of httpx2 that has the same name."""
    try:
        yield
    except _ERRORS as error:
        raise getattr(httpx2, type(error).__name__)(str(error)) from error
