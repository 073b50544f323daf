"""The one place that speaks HTTP."""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Self

import anyio
import httpx2

from .. import tracing
from ..errors import ConfigurationError, InvalidArguments
from ..identity import NAME, VERSION
from .credentials import Credentials
from .exchange import APIRequest, APIResponse, CallState
from .retry import NOT_SENT_ERRORS, send_with_retries
from .transport import MAX_CONNECTIONS, PoolTransport

MAX_RESPONSE_BYTES = 4 * 1024 * 1024
"""Bytes of one answer, unpacked. The API sets no maximum page; this bounds what one call can cost."""

_PATIENCE = httpx2.Timeout(None, connect=10.0).as_dict()
# One deadline holds for the whole call; a connection that cannot be made is given up sooner.

_LEAST = 0.05
# The part of a call's time that must be left when a request is sent.


class ResponseTooLarge(httpx2.RequestError):
    """The answer is larger than any that the API sends."""


class APIClient:
    """The REST API, at one origin.

    It speaks through httpx2's transport, not its client: with one origin, no redirects, no cookies and no second
    kind of authentication, a client only costs time on every call.
    """

    def __init__(
        self, origin: str, *, read_only: bool = False, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self.origin = origin
        self._read_only = read_only
        # In process there is no connection to wait for: what is handed over is with the API.
        self._in_process = transport is not None
        self._connected = transport
        # More requests than connections wait here, within their own deadlines.
        self._limiter = anyio.CapacityLimiter(MAX_CONNECTIONS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._connected is not None:
            await self._connected.aclose()

    async def send(self, request: APIRequest, credentials: Credentials, exchange: CallState) -> APIResponse:
        """Send one request, again where that is safe, and return the answer whatever its status.

        Raises:
            httpx2.RequestError: There was no answer, or none that can be read.
            ConfigurationError: The server is read-only and this is not a GET.
            InvalidArguments: They make no URL.
        """
        if self._read_only and request.method != "GET":
            raise ConfigurationError(f"this server is read-only; {request.method} is refused")
        built = self._build(request, credentials, exchange)
        exchange.status = None
        began = time.monotonic()

        async def attempt() -> APIResponse:
            exchange.in_flight = False
            async with self._limiter:
                _in_time(exchange, began)
                exchange.in_flight = self._in_process
                with tracing.request_span(built), _told_apart(exchange):
                    answer = await _answer(self._transport, built)
                    tracing.record_status(answer.status)
                exchange.in_flight = False
                return answer

        try:
            with anyio.fail_after(max(0.0, exchange.left)):
                answer = await send_with_retries(attempt, repeatable=request.repeatable, exchange=exchange)
        except TimeoutError:
            late = httpx2.ReadTimeout if exchange.in_flight else httpx2.PoolTimeout
            raise late("the deadline of the call has passed", request=built) from None
        finally:
            exchange.spent += time.monotonic() - began
        exchange.status = answer.status
        return answer

    @property
    def _transport(self) -> httpx2.AsyncBaseTransport:
        # Made when first needed: its TLS context costs what a client waits for at the start.
        if self._connected is None:
            self._connected = PoolTransport(self.origin)
        return self._connected

    def _build(self, request: APIRequest, credentials: Credentials, exchange: CallState) -> httpx2.Request:
        try:
            return httpx2.Request(
                request.method,
                self.origin + request.path,
                params=dict(request.query) or None,
                json=request.body,
                data=None if request.form is None else dict(request.form),
                headers={**_headers(), **credentials.headers(request.auth, self.origin)},
                extensions={"timeout": _PATIENCE, "trace": _noting(exchange)},
            )
        except httpx2.InvalidURL:
            raise InvalidArguments(
                "The arguments do not fit into a URL: they are too long, or hold what no URL can; nothing was sent."
            ) from None


@cache
def _headers() -> dict[str, str]:
    return {
        "User-Agent": f"{NAME}/{VERSION}",
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
    }


def _in_time(exchange: CallState, began: float) -> None:
    # What is sent at the last moment is acted on, and nobody is left to hear the answer.
    left = exchange.left - (time.monotonic() - began)
    if left < exchange.timeout * _LEAST:
        raise httpx2.PoolTimeout("its turn came too late")


@contextmanager
def _told_apart(exchange: CallState) -> Iterator[None]:
    """Whatever fails before the request has begun to leave, such as a proxy, is a connection that was never made."""
    try:
        yield
    except NOT_SENT_ERRORS:
        raise
    except (httpx2.TransportError, ssl.SSLError) as error:  # the second from a proxy's connection, after its handshake
        if exchange.in_flight and isinstance(error, httpx2.TransportError):
            raise
        told = httpx2.ReadError if exchange.in_flight else httpx2.ConnectError
        raise told(str(error)) from error


def _noting(exchange: CallState) -> Callable[[str, Any], Awaitable[None]]:
    """Note the moment in which a connection is there and the request begins to leave on it."""

    async def note(event: str, told: Any) -> None:
        # A proxy is asked for a connection by a request too.
        if event.endswith("send_request_headers.started") and told["request"].method != b"CONNECT":
            exchange.in_flight = True

    return note


async def _answer(transport: httpx2.AsyncBaseTransport, request: httpx2.Request) -> APIResponse:
    response = await transport.handle_async_request(request)
    response.request = request
    try:
        return APIResponse(response.status_code, response.headers, await _read(response))
    finally:
        # Closes the connection of a request that was cancelled: nothing runs on for nobody. It shields itself.
        await response.aclose()


async def _read(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for piece in _pieces(response):
        body += piece
        if len(body) > MAX_RESPONSE_BYTES:
            raise ResponseTooLarge("the answer is too large", request=response.request)
    return bytes(body)


def _pieces(response: httpx2.Response) -> AsyncIterator[bytes]:
    # What is packed is unpacked in bounded pieces, so a small body cannot grow past the limit unseen.
    if "Content-Encoding" in response.headers or not isinstance(response.stream, httpx2.AsyncByteStream):
        return response.aiter_bytes()
    return aiter(response.stream)
