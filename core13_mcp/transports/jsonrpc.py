"""JSON text as JSON-RPC messages, or the error responses to it. Both transports use this parser.

The texts of the errors quote nothing, because the arguments of a call can contain passwords.
"""

from __future__ import annotations

import re
from typing import Any

from mcp_types import INVALID_REQUEST, PARSE_ERROR, JSONRPCMessage, JSONRPCNotification, JSONRPCRequest
from mcp_types.jsonrpc import JSONRPCError, JSONRPCResponse
from pydantic import ValidationError
from pydantic_core import from_json

from ..jsonio import MAX_REQUEST_TOKENS, has_more_tokens, json_error, may_have_long_number, parse_json

_EARLY_ID = re.compile(rb'\s*\{[^{]*?"id"\s*:\s*([0-9]{1,18}|"[\w-]*")')


class MessageError(Exception):
    """An error response instead of a message for the SDK. `data` is the data of the error for programs, if any."""

    def __init__(self, request_id: str | int | None, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.request_id, self.code, self.data = request_id, code, data

    @property
    def response(self) -> dict[str, Any]:
        """The JSON-RPC response. Its id is null if the message has no usable id."""
        error = {"code": self.code, "message": str(self), **({} if self.data is None else {"data": self.data})}
        return {"jsonrpc": "2.0", "id": self.request_id, "error": error}


def parse_message(data: bytes) -> JSONRPCMessage:
    """Parse one JSON-RPC message of MCP.

    The SDK reads a request with an invalid id as a notification and sends no response, so the id is checked
    here.

    Raises:
        MessageError: The text is not JSON in UTF-8, has too many values or too long a number, or is not a message.
    """
    if has_more_tokens(data, MAX_REQUEST_TOKENS):
        text = f"Invalid request: the message has more than {MAX_REQUEST_TOKENS} values."
        raise MessageError(_early_id(data), INVALID_REQUEST, text)
    try:
        value = from_json(data)
    except ValueError:
        raise MessageError(_find_id(data), PARSE_ERROR, "Parse error: the message is not JSON in UTF-8.") from None
    if problem := _problem(value) or _number_problem(data, value):
        raise MessageError(_usable_id(value), INVALID_REQUEST, f"Invalid request: {problem}.")
    try:
        return _model(value).model_validate(value, by_name=False)
    except ValidationError:
        problem = "the message is not a request, a notification or a response of JSON-RPC 2.0"
        raise MessageError(_usable_id(value), INVALID_REQUEST, f"Invalid request: {problem}.") from None


def _problem(value: Any) -> str | None:
    if isinstance(value, list):
        return "a batch is not supported; send each message on its own"
    if not isinstance(value, dict):
        return "the message is not a JSON object"
    if value.get("jsonrpc") != "2.0":
        return 'the member "jsonrpc" is not "2.0"'
    if "method" in value and "id" in value and type(value["id"]) not in (str, int):
        return "the id is not a string or an integer"
    if not isinstance(value.get("method", ""), str):
        return 'the member "method" is not a string'
    if not isinstance(value.get("params"), dict | None):
        return 'the member "params" is not a JSON object'
    return None


def _number_problem(data: bytes, value: Any) -> str | None:
    # The SDK parses the body of some requests once more, and takes quadratic time for a long number.
    error = json_error(value) if may_have_long_number(data) else None
    return error and f"the message {error}"


def _model(value: dict[str, Any]) -> type[JSONRPCRequest | JSONRPCNotification | JSONRPCResponse | JSONRPCError]:
    if "method" in value:
        return JSONRPCRequest if "id" in value else JSONRPCNotification
    return JSONRPCError if "error" in value else JSONRPCResponse


def _early_id(data: bytes) -> str | int | None:
    """Return the id of a message if it comes before any nested object. To parse all values takes long."""
    start = _EARLY_ID.match(data, 0, 1000)
    return _usable_id({"id": from_json(start[1])}) if start else None


def _find_id(data: bytes) -> str | int | None:
    """Return the id of a message that is not valid JSON in UTF-8, but that a lenient parser can read."""
    try:
        request_id = _usable_id(parse_json(data.decode("utf-8", "replace")))
    except ValueError:
        return None
    # The replaced bytes could be a part of the id.
    return None if "\ufffd" in str(request_id) else request_id


def _usable_id(value: Any) -> str | int | None:
    request_id = value.get("id") if isinstance(value, dict) else None
    return request_id if type(request_id) in (str, int) else None
