"""JSON-RPC messages on a line each, between a client and the SDK's server: what is let in, refused here, and written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import anyio
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, PARSE_ERROR, JSONRPCNotification, jsonrpc_message_adapter
from pydantic import ValidationError

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
"""Bytes of one message. More is skipped to the next line and answered with an error, never kept."""

MAX_IN_FLIGHT = 512
"""Requests not yet answered. More are refused at once: what waits here waits in memory."""

DRAIN_TIMEOUT = 10.0
"""Seconds that running calls have to finish after the end was told."""

CHUNK_SIZE = 64 * 1024
"""Bytes that are read at a time."""

_LAST_WORDS = 1.0
_TOO_MANY = -32000


class JSONRPCStream:
    """Both directions of one connection, and the requests that are open between them."""

    def __init__(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        read_already: bytes = b"",
        stop: Callable[[], object] | None = None,
        answered: Collection[str | int] = (),
    ) -> None:
        self._source = source
        self._stop = stop or source.feed_eof
        self._sink = sink
        self._buffer = bytearray(read_already)
        self._answered = set(answered)
        self._open: set[str | int] = set()
        self._ending = asyncio.Event()
        self.reader = _Stream(self._receive)
        self.writer = _Stream(self._send)

    async def end(self) -> None:
        """Take no more requests, give the open ones their grace, then end as if stdin had."""
        self._ending.set()
        with anyio.move_on_after(DRAIN_TIMEOUT):
            while self._open:
                await anyio.sleep(0.02)
        self._stop()
        # The server ends itself now, unless what it still has to say is not read: then nobody waits for that.
        await anyio.sleep(_LAST_WORDS)
        self._sink.transport.abort()

    async def _receive(self) -> SessionMessage | Exception:
        while True:
            try:
                line = await self._line()
            except _TooLong:
                await self._refuse(None, INVALID_REQUEST, f"Message longer than {MAX_MESSAGE_BYTES} bytes")
                continue
            if line is None:
                raise StopAsyncIteration
            if not line.isspace() and line and (message := await self._admit(line)) is not None:
                return message

    async def _admit(self, line: bytes) -> SessionMessage | None:
        """The message in a line; None where it had to be answered here."""
        text = line.decode("utf-8", "replace")
        try:
            message = jsonrpc_message_adapter.validate_json(text, by_name=False)
        except ValidationError as error:
            await self._malformed(line, error)
            return None
        if isinstance(message, JSONRPCNotification) and '"id"' in text and "id" in json.loads(text):
            # Taken for a notification, and whoever waits for its answer would wait for ever.
            await self._refuse(None, INVALID_REQUEST, "Invalid request: an id is a string or an integer")
            return None
        method, number = getattr(message, "method", None), getattr(message, "id", None)
        if method == "notifications/cancelled":
            # A cancelled request is never answered.
            cancelled = (getattr(message, "params", None) or {}).get("requestId")
            self._open.discard(cancelled if isinstance(cancelled, str | int) else "")
        elif method is not None and number is not None:
            if self._ending.is_set():
                await self._refuse(number, _TOO_MANY, "This server is shutting down")
                return None
            if len(self._open) >= MAX_IN_FLIGHT:
                await self._refuse(number, _TOO_MANY, f"More than {MAX_IN_FLIGHT} requests at once")
                return None
            self._open.add(number)
        return SessionMessage(message)

    async def _malformed(self, line: bytes, error: ValidationError) -> None:
        if any(part["type"] == "json_invalid" for part in error.errors(include_url=False, include_input=False)):
            # With the id, where another reader of JSON finds one: half of a character is no JSON to pydantic.
            await self._refuse(_number(line), PARSE_ERROR, "Parse error")
        else:
            await self._refuse(_number(line), INVALID_REQUEST, "Invalid request: not one JSON-RPC 2.0 message")

    async def _refuse(self, number: str | int | None, code: int, message: str) -> None:
        answer = {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}
        with suppress(anyio.BrokenResourceError):
            await self._write(json.dumps(answer, separators=(",", ":")).encode())

    async def _line(self) -> bytes | None:
        """The next line, or None at the end. What is left there without a line end is a line too.

        Raises:
            _TooLong: It was too long, and has been skipped.
        """
        searched, skipping = 0, False
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > MAX_MESSAGE_BYTES:
                skipping, searched = True, 0
                self._buffer.clear()
            piece = await self._source.read(CHUNK_SIZE)
            if not piece:
                rest = bytes(self._buffer)
                self._buffer.clear()
                return None if skipping else rest or None
            self._buffer += piece
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        if skipping or end > MAX_MESSAGE_BYTES:
            raise _TooLong
        return line

    async def _send(self, message: SessionMessage) -> None:
        said = message.message
        answers = None if hasattr(said, "method") else said.id
        try:
            if answers is None or answers not in self._answered:
                await self._write(said.model_dump_json(by_alias=True, exclude_unset=True).encode())
        finally:
            # Not before it is written: to a client that does not read, what is answered still costs memory.
            if answers is not None:
                self._open.discard(answers)
                self._answered.discard(answers)

    async def _write(self, line: bytes) -> None:
        try:
            self._sink.write(line + b"\n")
            await self._sink.drain()
        except (OSError, RuntimeError):  # the second is uvloop's, for a pipe that was given up
            # The client has gone, and will close our stdin too.
            raise anyio.BrokenResourceError from None


class _TooLong(Exception):
    """A line is longer than any message may be."""


class _Stream:
    """One direction, in the form that the SDK's server takes: an asynchronous iterator, or a place to send to."""

    def __init__(self, act: Callable[..., Any]) -> None:
        self.send = self.receive = act

    async def __anext__(self) -> Any:
        return await self.receive()

    def __aiter__(self) -> Self:
        return self

    async def aclose(self) -> None:
        """Nothing to close: the descriptors are closed where they were opened."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


def _number(line: bytes) -> str | int | None:
    """The id of a message that is JSON but not JSON-RPC, so that whoever waits for it is answered."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    number = said.get("id") if isinstance(said, dict) else None
    return number if isinstance(number, str | int) and not isinstance(number, bool) else None
