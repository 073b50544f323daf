"""Connections with timeouts for request headers and for clients that do not read responses."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# Bytes of request bodies that a client may still send on a connection after the response, on any route.
MAX_DISCARDED = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The limits of one connection, in seconds."""

    # From the first byte of a request, or from the start of the connection, to the end of the request's header.
    header: float = 15.0
    # For the client to read what is in the buffer, which is at most one response, or one message of an event stream.
    write: float = 20.0


class Connection(H11Protocol):
    """A uvicorn connection with timeouts, which uvicorn does not have.

    The timer for headers runs while a header is expected. It starts with the connection, and later with the first byte
    that arrives between two requests. It stops when a header is complete (uvicorn has then created a cycle without a
    complete response), when a response is complete (the connection is then idle, unless the next header is already in
    the buffer), and when the connection is closed.

    The timer for writing runs while the buffer is not empty. Until it is empty, no more is written, so the requests that
    a client sends without reading the responses do not fill the memory.
    """

    def __init__(self, *args: Any, timeouts: Timeouts, **options: Any) -> None:
        super().__init__(*args, **options)
        self._timeouts = timeouts
        self._header_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._discarded = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's signature
        super().connection_made(transport)
        # Call `pause_writing` for everything that the socket does not take at once.
        transport.set_write_buffer_limits(high=0)
        self._start_header_timer()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.SEND_BODY and self.cycle.response_complete:
            self._discard(len(data))
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_header_timer()
        elif self._header_timer is None:
            self._start_header_timer()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_timer = self.loop.call_later(self._timeouts.write, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_write_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_header_timer()
        self._stop_write_timer()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self._stop_header_timer()
        super().on_response_complete()

    def _discard(self, size: int) -> None:
        """Count a part of a body that uvicorn discards, because the response is complete."""
        self._discarded += size
        if self._discarded > MAX_DISCARDED:
            self.transport.abort()

    def _start_header_timer(self) -> None:
        self._header_timer = self.loop.call_later(self._timeouts.header, self.transport.abort)

    def _stop_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
