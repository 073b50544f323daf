"""Sends single HTTP requests to the PostHog REST API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Self

import anyio
import httpx2

from .. import tracing
from ..errors import ConfigurationError, InvalidArguments
from ..identity import NAME, VERSION
from .credentials import Credentials
from .exchange import APIRequest, APIResponse
from .retry import RetryPolicy
from .transport import MAX_CONNECTIONS, PoolTransport

# Bytes of one decompressed response. The API has no maximum page size; this bounds the memory of one call.
MAX_RESPONSE_BYTES = 4 * 1024 * 1024

# The deadline of the call limits everything else.
_TIMEOUTS = httpx2.Timeout(None, connect=10.0).as_dict()

_HEADERS = {"User-Agent": f"{NAME}/{VERSION}", "Accept": "application/json", "Accept-Encoding": "gzip, deflate"}


# The extension of a prepared request that states whether the API may have received a byte of it.
_SENT = "core13_mcp.sent"


def may_be_sent(request: httpx2.Request) -> bool:
    """Whether the API may have received a byte of a prepared request, in any attempt so far."""
    return bool(request.extensions.get(_SENT))


class ResponseTooLarge(httpx2.RequestError):
    """The response is larger than `MAX_RESPONSE_BYTES`."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The end and the latest start of an attempt, in seconds of the event loop's clock."""

    end: float
    latest_start: float

    def check_start(self) -> None:
        """Raise TimeoutError if the latest start has passed."""
        if anyio.current_time() > self.latest_start:
            raise TimeoutError


class APIClient:
    """The PostHog REST API at one origin.

    It uses an httpx2 transport without an httpx2 client. With one origin, no redirects, no cookies and
    one kind of authentication, the client adds nothing but time to every call. A `transport` is in-process;
    by default, the client opens network connections.
    """

    def __init__(
        self,
        origin: str,
        *,
        read_only: bool = False,
        transport: httpx2.AsyncBaseTransport | None = None,
        retry_policy: RetryPolicy | None = None,
    ) -> None:
        self.origin = origin
        self._url_origin = _origin(httpx2.URL(origin))
        self.retry_policy = retry_policy or RetryPolicy()
        self._read_only = read_only
        self._in_process = transport is not None
        self._open_transport = transport
        # Requests without a free connection wait here, where their deadlines apply.
        self._limiter = anyio.CapacityLimiter(MAX_CONNECTIONS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._open_transport is not None:
            await self._open_transport.aclose()

    def prepare(self, request: APIRequest, credentials: Credentials) -> httpx2.Request:
        """Build the HTTP request with its URL, headers and credentials."""
        if self._read_only and request.method != "GET":
            raise ConfigurationError(f"this server is read-only; {request.method} is refused")
        try:
            prepared = httpx2.Request(
                request.method,
                self.origin + request.path,
                params=dict(request.query) or None,
                json=request.body,
                data=None if request.form is None else dict(request.form),
                headers={**_HEADERS, **credentials.headers(request.auth, self.origin)},
                extensions={"timeout": _TIMEOUTS},
            )
        except httpx2.InvalidURL:
            raise InvalidArguments(
                "The arguments do not fit into a URL: they are too long or contain characters that a URL cannot "
                "hold; nothing was sent."
            ) from None
        if _origin(prepared.url) != self._url_origin:
            # The declarations are checked when they are loaded. This also covers other callers.
            raise ConfigurationError("the path of the request names another host; nothing was sent")
        return prepared

    async def send_once(self, request: httpx2.Request, deadline: Deadline) -> APIResponse:
        """Send a prepared request once and return the response, whatever its status.

        Raises:
            httpx2.RequestError: There is no readable response. One of `NOT_SENT_ERRORS` means that nothing was sent.
        """
        sent = False

        async def on_event(event: str, _: Any) -> None:
            nonlocal sent
            sent |= event.endswith("send_request_headers.started")

        request.extensions["trace"] = on_event
        try:
            with anyio.fail_after(deadline.end - anyio.current_time()):
                async with self._limiter:
                    deadline.check_start()
                    # An in-process transport has no connection to open: the API has the request at once.
                    sent = self._in_process
                    return await _exchange(self._transport, request)
        except TimeoutError:
            error = httpx2.ReadTimeout if sent else httpx2.PoolTimeout
            raise error("the deadline of the call has passed", request=request) from None
        finally:
            request.extensions[_SENT] = sent or may_be_sent(request)

    @property
    def _transport(self) -> httpx2.AsyncBaseTransport:
        # Created on first use: loading the TLS certificates would delay the start of the server.
        if self._open_transport is None:
            self._open_transport = PoolTransport(self.origin)
        return self._open_transport


def _origin(url: httpx2.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port


async def _exchange(transport: httpx2.AsyncBaseTransport, request: httpx2.Request) -> APIResponse:
    with tracing.request_span(request):
        response = await transport.handle_async_request(request)
        response.request = request
        try:
            body = await _read(response)
        finally:
            # Also closes the connection of a cancelled request. It is shielded from the cancellation.
            await response.aclose()
        tracing.record_status(response.status_code)
        return APIResponse(response.status_code, response.headers, body)


async def _read(response: httpx2.Response) -> bytes:
    chunks, size = [], 0
    async for chunk in _chunks(response):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_RESPONSE_BYTES:
            raise ResponseTooLarge("the response is too large", request=response.request)
    return b"".join(chunks)


def _chunks(response: httpx2.Response) -> AsyncIterator[bytes]:
    # httpx2 decompresses in bounded chunks, so a small body cannot expand past the limit unnoticed.
    if "Content-Encoding" in response.headers or not isinstance(response.stream, httpx2.AsyncByteStream):
        return response.aiter_bytes()
    return aiter(response.stream)
