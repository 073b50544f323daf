"""JSON-RPC messages between the byte streams of a client and the streams of the SDK."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Any

import anyio
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import CONNECTION_CLOSED, ErrorData, JSONRPCMessage, JSONRPCNotification, JSONRPCRequest
from mcp_types.jsonrpc import JSONRPCError, JSONRPCResponse

from ..jsonrpc import MessageError
from .messages import read_message

# A longer message is skipped up to its line end and answered with an error.
MAX_MESSAGE_BYTES = 1024 * 1024

# Requests without a response. Each needs memory, so more are answered with an error.
MAX_IN_FLIGHT = 512

# The error code of requests that the server does not accept at the moment. JSON-RPC leaves it to the server.
SERVER_BUSY = -32000

_CONNECTION_CLOSED = ErrorData(code=CONNECTION_CLOSED, message="Connection closed")
_CANCELLED = ErrorData(
    code=SERVER_BUSY,
    message="The server stopped before this request was complete, so its outcome is unknown. If it changes something, check "
    "whether that happened before you send it again.",
)

# Sends a line, which has no line end yet, and waits if the client does not read.
WriteLine = Callable[[bytes], Awaitable[None]]


class JSONRPCStream(ObjectReceiveStream[SessionMessage], ObjectSendStream[SessionMessage]):
    """Both directions of one connection as the SDK expects them. Counts the requests that have no response yet.

    At the end of the input, the stream waits until every request has a response, or until `close` is called.

    Args:
        answered_ids: Ids of the first requests from the source that already have a response. Another one is dropped.
        finite: Whether the source is a file. A file does not wait for responses, so the stream limits its speed.

    Attributes:
        at_end: Is set at the end of the input; for a file, when every request has a response.
        interactive: Whether the client has sent something after it could read a response.
    """

    def __init__(
        self,
        source: asyncio.StreamReader,
        write_line: WriteLine,
        answered_ids: Collection[str | int] = (),
        finite: bool = False,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self._source, self._write_line = source, write_line
        self._answered, self._finite, self._max_in_flight = set(answered_ids), finite, max_in_flight
        self._open: set[Any] = set()
        # The requests to the client that have no response yet.
        self._asked: set[Any] = set()
        self._progress = asyncio.Event()
        self._responded = bool(answered_ids)
        self._draining = self._closed = self._muted = False
        self._released = asyncio.Event()
        self._released.set()
        self.at_end, self.interactive = asyncio.Event(), False

    async def aclose(self) -> None:
        """Do nothing. The owner of the byte streams closes them."""

    async def drain(self) -> None:
        """Refuse further requests, and wait until the others have a response."""
        self._draining = True
        await self._wait_for_open(0)

    def note_input(self) -> None:
        """Note that bytes have arrived."""
        self.interactive |= self._responded

    def hold(self) -> None:
        """Let responses wait until `release` or `mute`."""
        self._released.clear()

    def release(self) -> None:
        """Write the responses that wait, and those that follow."""
        self._released.set()

    def mute(self) -> None:
        """Write nothing more."""
        self._muted = True
        self._released.set()

    def close(self) -> None:
        """End the input for the SDK, which then cancels the running calls."""
        self._closed = True
        self._progress.set()

    async def receive(self) -> SessionMessage:
        """Return the next valid message, and answer the others before it with errors."""
        while not self.at_end.is_set():
            if self._finite:
                await self._wait_for_open(self._max_in_flight - 1)
            try:
                message = await read_message(self._source, MAX_MESSAGE_BYTES)
                if message is not None:
                    self._register(message)
                    return SessionMessage(message)
            except MessageError as error:
                with suppress(anyio.BrokenResourceError):
                    await self._write(json.dumps(error.response, separators=(",", ":")).encode())
                continue
            if self._finite:
                await self._wait_for_open(0)
            self.at_end.set()
        return await self._receive_after_end()

    async def _receive_after_end(self) -> SessionMessage:
        """Return an error for each request to the client, which cannot respond any more, until the stream ends."""
        while self._open and not self._closed and not self._asked:
            self._progress.clear()
            await self._progress.wait()
        if self._closed or not self._asked:
            raise anyio.EndOfStream
        return SessionMessage(JSONRPCError(jsonrpc="2.0", id=self._asked.pop(), error=_CONNECTION_CLOSED))

    def _register(self, message: JSONRPCMessage) -> None:
        """Note a request as open, or the request that a notification cancels as closed.

        Raises:
            MessageError: The connection accepts no further request.
        """
        if isinstance(message, JSONRPCRequest):
            if self._draining:
                raise MessageError(message.id, SERVER_BUSY, "This server is shutting down. Start a new one.")
            if len(self._open) >= self._max_in_flight:
                text = f"More than {self._max_in_flight} requests at once. Send this one again later."
                raise MessageError(message.id, SERVER_BUSY, text)
            self._open.add(message.id)
        elif isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            # The SDK sends no response to a cancelled request.
            self._close((message.params or {}).get("requestId"))
        elif isinstance(message, JSONRPCResponse | JSONRPCError):
            self._asked.discard(message.id)

    async def send(self, item: SessionMessage) -> None:
        """Send a message, unless it is a second response, or is not a response and the client has closed its end."""
        content = item.message
        if isinstance(content, JSONRPCRequest | JSONRPCNotification):
            if isinstance(content, JSONRPCRequest):
                self._asked.add(content.id)
                self._progress.set()
            if not self.at_end.is_set():
                await self._write(_serialize(content))
            return
        if isinstance(content, JSONRPCError) and content.error == _CONNECTION_CLOSED:
            # The SDK responds with this error to the calls that `close` cancels.
            content = content.model_copy(update={"error": _CANCELLED})
        try:
            await self._released.wait()
            if content.id not in self._answered:
                self._responded = True
                await self._write(_serialize(content))
        finally:
            # The request counts as open until its response is written, because the response needs memory until then.
            self._answered.discard(content.id)
            self._close(content.id)

    async def _write(self, line: bytes) -> None:
        if self._muted:
            return
        try:
            await self._write_line(line)
        except (OSError, RuntimeError):
            # The client does not read any more. uvloop raises RuntimeError for an aborted pipe.
            raise anyio.BrokenResourceError from None

    def _close(self, request_id: Any) -> None:
        if isinstance(request_id, str | int):
            self._open.discard(request_id)
            self._progress.set()

    async def _wait_for_open(self, most: int) -> None:
        """Wait until at most so many requests have no response."""
        while len(self._open) > most and not self._closed:
            self._progress.clear()
            await self._progress.wait()


def _serialize(content: JSONRPCMessage) -> bytes:
    # As bytes. `model_dump_json` returns a string, which costs 2 ms for a response of 4 MB.
    return content.__pydantic_serializer__.to_json(content, by_alias=True, exclude_unset=True)
