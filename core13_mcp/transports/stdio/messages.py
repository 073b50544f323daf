"""Lines of JSON as JSON-RPC messages, or the error responses to them."""

from __future__ import annotations

import asyncio
import json

from mcp_types import INVALID_REQUEST, PARSE_ERROR, JSONRPCMessage, JSONRPCNotification, jsonrpc_message_adapter
from pydantic import ValidationError


class MessageError(Exception):
    """An error response instead of a message for the SDK."""

    def __init__(self, request_id: str | int | None, code: int, message: str) -> None:
        super().__init__(message)
        self.request_id, self.code = request_id, code


async def read_message(source: asyncio.StreamReader, max_bytes: int) -> JSONRPCMessage | None:
    """Return the next message, or None at the end.

    Raises:
        MessageError: The next line is not a valid message, or it is too long.
    """
    line = await read_line(source, max_bytes)
    return None if line is None else _decode(line)


async def read_line(source: asyncio.StreamReader, max_bytes: int) -> bytes | None:
    """Return the next line that is not blank, or None at the end. The last line needs no line end.

    Raises:
        MessageError: The line is too long. It is not kept in memory.
    """
    line, too_long = bytearray(), False
    while True:
        try:
            line += await source.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            line += await source.readexactly(error.consumed)
            if len(line) > max_bytes:
                too_long = True
                line.clear()
            continue
        except asyncio.IncompleteReadError as error:
            line += error.partial
            if not line and not too_long:
                return None
        if too_long or len(line) > max_bytes:
            raise MessageError(None, INVALID_REQUEST, f"The message has more than {max_bytes} bytes.")
        if not line.isspace():
            return bytes(line)
        line.clear()


def _decode(line: bytes) -> JSONRPCMessage:
    text = line.decode("utf-8", "replace")
    try:
        message: JSONRPCMessage = jsonrpc_message_adapter.validate_json(text, by_name=False)
    except ValidationError as error:
        types = {problem["type"] for problem in error.errors(include_url=False, include_input=False)}
        if "json_invalid" in types:
            raise MessageError(_request_id(line), PARSE_ERROR, "Parse error: the line is not JSON.") from None
        explanation = "Invalid request: the line is not a JSON-RPC 2.0 message."
        raise MessageError(_request_id(line), INVALID_REQUEST, explanation) from None
    if isinstance(message, JSONRPCNotification) and '"id"' in text and "id" in json.loads(text):
        # The SDK treats a request with an invalid id as a notification. Its sender would wait for a response.
        raise MessageError(None, INVALID_REQUEST, "Invalid request: the id is not a string or an integer.")
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
    return request_id if type(request_id) in (str, int) else None
