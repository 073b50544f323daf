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
from mcp_types import JSONRPCMessage, JSONRPCNotification, JSONRPCRequest

from ..jsonrpc import MessageError
from .messages import read_message

# A longer message is skipped up to its line end and answered with an error.
MAX_MESSAGE_BYTES = 1024 * 1024

# Requests without a response. Each needs memory, so more are answered with an error.
MAX_IN_FLIGHT = 512

# The error code of requests that the server does not accept at the moment. JSON-RPC leaves it to the server.
SERVER_BUSY = -32000

# Sends a line, which has no line end yet, and waits if the client does not read.
WriteLine = Callable[[bytes], Awaitable[None]]


class JSONRPCStream(ObjectReceiveStream[SessionMessage], ObjectSendStream[SessionMessage]):
    """Both directions of one connection as the SDK expects them. Counts the requests that have no response yet.

    Args:
        answered_ids: Ids of the first requests from the source that already have a response. Another one is dropped.
        finite: Whether the source is a file. A file does not wait for responses, so the stream limits its speed and
            ends only when every request has a response. If a client closes its pipe, it does not want them.
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
        self._progress = asyncio.Event()
        self._draining = False

    async def aclose(self) -> None:
        """Do nothing. The owner of the byte streams closes them."""

    async def drain(self) -> None:
        """Refuse further requests, and wait until the others have a response."""
        self._draining = True
        await self._wait_for_open(0)

    async def receive(self) -> SessionMessage:
        """Return the next valid message, and answer the others before it with errors."""
        while True:
            if self._finite:
                await self._wait_for_open(self._max_in_flight - 1)
            try:
                message = await read_message(self._source, MAX_MESSAGE_BYTES)
                if message is None:
                    break
                self._register(message)
            except MessageError as error:
                with suppress(anyio.BrokenResourceError):
                    await self._write(json.dumps(error.response, separators=(",", ":")).encode())
            else:
                return SessionMessage(message)
        if self._finite:
            await self._wait_for_open(0)
        raise anyio.EndOfStream

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

    async def send(self, item: SessionMessage) -> None:
        """Send a message, unless it is a second response."""
        content = item.message
        # Requests and notifications to the client have a method, and responses have none.
        request_id = None if hasattr(content, "method") else content.id
        try:
            if request_id is None or request_id not in self._answered:
                # As bytes. `model_dump_json` returns a string, which costs 2 ms for a response of 4 MB.
                serializer = content.__pydantic_serializer__
                await self._write(serializer.to_json(content, by_alias=True, exclude_unset=True))
        finally:
            # The request counts as open until its response is written, because the response needs memory until then.
            self._answered.discard(request_id)
            self._close(request_id)

    async def _write(self, line: bytes) -> None:
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
        while len(self._open) > most:
            self._progress.clear()
            await self._progress.wait()
