"""An HTTP connection that is closed if the header of a request does not arrive in time."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_TIMEOUT = 15.0


class Connection(H11Protocol):
    """A uvicorn connection with a timeout for request headers, which uvicorn does not have.

    Args:
        header_timeout: Seconds from the first byte of a request, or from the start of the connection, to the end of
            the request's header.
    """

    # The timer runs while a header is expected. It starts with the connection, and later with the first byte that
    # arrives between two requests. It stops when a header is complete (uvicorn has then created a cycle without a
    # complete response), when a response is complete (the connection is then idle, unless the next header is already
    # in the buffer), and when the connection is closed.

    def __init__(self, *args: Any, header_timeout: float = HEADER_TIMEOUT, **options: Any) -> None:
        super().__init__(*args, **options)
        self._header_timeout = header_timeout
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's signature
        super().connection_made(transport)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_timer()
        elif self._timer is None:
            self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self._stop_timer()
        super().on_response_complete()

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(self._header_timeout, self.transport.abort)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
