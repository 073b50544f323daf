"""One line of JSON as a JSON-RPC message, or the error response to the line. Pure."""

from __future__ import annotations

import json
from typing import NamedTuple

from mcp_types import INVALID_REQUEST, PARSE_ERROR, JSONRPCMessage, JSONRPCNotification, jsonrpc_message_adapter
from pydantic import ValidationError

# The error code of requests that the server does not accept at the moment. JSON-RPC leaves it to the server.
SERVER_BUSY = -32000


class ErrorReply(NamedTuple):
    """The error response to a line that the SDK does not receive."""

    request_id: str | int | None
    code: int
    message: str


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
    """Return the id of an invalid message, if Python's JSON reader, which accepts lone surrogates, finds one."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    request_id = message.get("id") if isinstance(message, dict) else None
    return request_id if isinstance(request_id, str | int) and not isinstance(request_id, bool) else None
