"""Lines of JSON as JSON-RPC messages, or the error responses to them."""

from __future__ import annotations

import json
from typing import NamedTuple, Protocol

from mcp_types import INVALID_REQUEST, PARSE_ERROR, JSONRPCMessage, JSONRPCNotification, jsonrpc_message_adapter
from pydantic import ValidationError

# The error code of requests that the server does not accept at the moment. JSON-RPC leaves it to the server.
SERVER_BUSY = -32000

CHUNK_SIZE = 64 * 1024


class ErrorReply(NamedTuple):
    """The error response to a line that the SDK does not receive."""

    request_id: str | int | None
    code: int
    message: str


class Source(Protocol):
    """A stream of bytes from the client, such as an `asyncio.StreamReader`."""

    async def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, or none at the end."""
        ...


class LineReader:
    """Splits a source into lines.

    Args:
        source: The source.
        data: Bytes that were read from the source before.
        max_bytes: The maximum length of a line. A longer one is skipped and not kept in memory.
    """

    def __init__(self, source: Source, data: bytes, max_bytes: int) -> None:
        self._source, self._buffer, self._max_bytes = source, bytearray(data), max_bytes

    async def read(self) -> bytes | ErrorReply | None:
        """Return the next line that is not blank, an error if it is too long, or None at the end.

        The last line needs no line end.
        """
        while (line := await self._read()) is not None:
            if isinstance(line, ErrorReply) or (line and not line.isspace()):
                return line
        return None

    async def _read(self) -> bytes | ErrorReply | None:
        searched, too_long = 0, False
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > self._max_bytes:
                too_long, searched = True, 0
                self._buffer.clear()
            chunk = await self._source.read(CHUNK_SIZE)
            if not chunk:
                rest = bytes(self._buffer)
                self._buffer.clear()
                return None if too_long else rest or None
            self._buffer += chunk
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        if too_long or end > self._max_bytes:
            return ErrorReply(None, INVALID_REQUEST, f"The message has more than {self._max_bytes} bytes.")
        return line


def decode(line: bytes) -> JSONRPCMessage | ErrorReply:
    """Return the JSON-RPC message in a line, or the error response to the line."""
    text = line.decode("utf-8", "replace")
    try:
        message: JSONRPCMessage = jsonrpc_message_adapter.validate_json(text, by_name=False)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        if any(problem["type"] == "json_invalid" for problem in problems):
            return ErrorReply(_request_id(line), PARSE_ERROR, "Parse error: the line is not JSON.")
        return ErrorReply(
            _request_id(line), INVALID_REQUEST, "Invalid request: the line is not a JSON-RPC 2.0 message."
        )
    if isinstance(message, JSONRPCNotification) and '"id"' in text and "id" in json.loads(text):
        # The SDK treats a request with an invalid id as a notification. Its sender would wait for a response.
        return ErrorReply(None, INVALID_REQUEST, "Invalid request: the id is not a string or an integer.")
    return message


def _request_id(line: bytes) -> str | int | None:
    """Return the id of an invalid message, if there is one.

    Python's JSON reader accepts messages that pydantic does not accept, such as those with lone surrogates.
    """
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    request_id = message.get("id") if isinstance(message, dict) else None
    return request_id if isinstance(request_id, str | int) and not isinstance(request_id, bool) else None
