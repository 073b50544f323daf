"""A connection that is given up when the head of a request does not come."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_WITHIN = 15.0
"""Seconds from the first byte of a request, or from the opening of a connection, to the end of the request's head."""


class Connection(H11Protocol):
    """uvicorn's own, which waits for ever for the rest of a head: so that nobody holds connections for nothing."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """The clock starts."""
        super().connection_made(transport)
        self._start()

    def data_received(self, data: bytes) -> None:
        """It stops when the head is complete, and starts again with the next one's first byte."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop()
        elif self._deadline is None:
            self._start()

    def connection_lost(self, exc: Exception | None) -> None:
        """It stops."""
        self._stop()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """What is in the buffer already may be the next request's head, and stop it again."""
        self._stop()
        super().on_response_complete()

    def _start(self) -> None:
        self._deadline = self.loop.call_later(HEAD_WITHIN, self.transport.abort)

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
