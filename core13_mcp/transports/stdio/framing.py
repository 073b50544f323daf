"""JSON-RPC messages between the byte streams of a client and the streams of the SDK."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

import anyio
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCMessage

from .messages import SERVER_BUSY, ErrorReply, LineReader, Source, decode


class Limits(NamedTuple):
    """What a connection accepts."""

    # A longer message is skipped up to its line end and answered with an error.
    message_bytes: int = 8 * 1024 * 1024
    # Requests without a response. Each needs memory, so more are answered with an error.
    in_flight: int = 512


LIMITS = Limits()


class Sink(Protocol):
    """A stream of bytes to the client, such as an `asyncio.StreamWriter`."""

    def write(self, data: bytes, /) -> None:
        """Write the bytes now or later."""
        ...

    async def drain(self) -> None:
        """Wait until there is room for more bytes."""
        ...


class JSONRPCStream:
    """Both directions of one connection, with the requests that have no response yet.

    Args:
        source: Bytes from the client.
        sink: Bytes to the client.
        handoff: Bytes that were read from the source before, and the ids of the requests in them that have a response.
            Further responses to these ids are dropped.
        finite: Whether the source is a file. A file does not wait for responses, so the stream limits its speed and
            ends only when every request has a response. If a client closes its pipe, it does not want them.
        limits: What the connection accepts.
    """

    def __init__(
        self,
        source: Source,
        sink: Sink,
        handoff: tuple[bytes, Collection[str | int]] = (b"", ()),
        finite: bool = False,
        limits: Limits = LIMITS,
    ) -> None:
        self._lines = LineReader(source, handoff[0], limits.message_bytes)
        self._answered = set(handoff[1])
        self._sink, self._finite, self._limits = sink, finite, limits
        self._open: set[str | int] = set()
        self._progress = asyncio.Event()
        self._draining = False
        self.reader = _Stream(self._receive)
        self.writer = _Stream(self._send)

    async def drain(self) -> None:
        """Refuse further requests, and wait until the others have a response."""
        self._draining = True
        await self._wait_for_open(0)

    def register(self, message: JSONRPCMessage) -> ErrorReply | None:
        """Note a request as open, or the request that a notification cancels as closed.

        Returns:
            An error if the connection accepts no further request.
        """
        method, request_id = getattr(message, "method", None), getattr(message, "id", None)
        if method == "notifications/cancelled":
            # The SDK sends no response to a cancelled request.
            cancelled = (getattr(message, "params", None) or {}).get("requestId")
            self._close(cancelled if isinstance(cancelled, str | int) else None)
        elif method is not None and request_id is not None:
            if self._draining:
                return ErrorReply(request_id, SERVER_BUSY, "This server is shutting down. Start a new one.")
            if len(self._open) >= self._limits.in_flight:
                text = f"More than {self._limits.in_flight} requests at once. Send this one again later."
                return ErrorReply(request_id, SERVER_BUSY, text)
            self._open.add(request_id)
        return None

    async def _receive(self) -> SessionMessage | Exception:
        while True:
            if self._finite:
                await self._wait_for_open(self._limits.in_flight - 1)
            line = await self._lines.read()
            if line is None:
                break
            message = self._accept(line) if isinstance(line, bytes) else line
            if not isinstance(message, ErrorReply):
                return SessionMessage(message)
            await self._send_error(message)
        if self._finite:
            await self._wait_for_open(0)
        raise StopAsyncIteration

    def _accept(self, line: bytes) -> JSONRPCMessage | ErrorReply:
        message = decode(line)
        return message if isinstance(message, ErrorReply) else self.register(message) or message

    async def _send(self, message: SessionMessage) -> None:
        content = message.message
        # Requests and notifications to the client have a method, and responses have none.
        request_id = None if hasattr(content, "method") else content.id
        try:
            if request_id is None or request_id not in self._answered:
                # As bytes. `model_dump_json` returns a string, which costs 2 ms for a response of 4 MB.
                serializer = content.__pydantic_serializer__
                await self._write(serializer.to_json(content, by_alias=True, exclude_unset=True))
        finally:
            # The request counts as open until its response is written, because the response needs memory until then.
            if request_id is not None:
                self._answered.discard(request_id)
                self._close(request_id)

    async def _send_error(self, reply: ErrorReply) -> None:
        error = {"code": reply.code, "message": reply.message}
        response = {"jsonrpc": "2.0", "id": reply.request_id, "error": error}
        with suppress(anyio.BrokenResourceError):
            await self._write(json.dumps(response, separators=(",", ":")).encode())

    async def _write(self, line: bytes) -> None:
        # A copy of a long line costs more than a second write.
        parts = (line, b"\n") if len(line) > 64 * 1024 else (line + b"\n",)
        try:
            for part in parts:
                self._sink.write(part)
            await self._sink.drain()
        except (OSError, RuntimeError):
            # The client does not read any more. uvloop raises RuntimeError for an aborted pipe.
            raise anyio.BrokenResourceError from None

    def _close(self, request_id: str | int | None) -> None:
        if request_id is not None:
            self._open.discard(request_id)
            self._progress.set()

    async def _wait_for_open(self, most: int) -> None:
        """Wait until at most so many requests have no response."""
        while len(self._open) > most:
            self._progress.clear()
            await self._progress.wait()


class _Stream:
    """One direction as the SDK's server expects it: an iterator, or an object with `send`."""

    def __init__(self, operation: Callable[..., Any]) -> None:
        self.send = self.receive = operation

    async def __anext__(self) -> Any:
        return await self.receive()

    def __aiter__(self) -> Self:
        return self

    async def aclose(self) -> None:
        """Do nothing: the owner of the byte streams closes them."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
