"""The error response for a request that does not reach the MCP handler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from ..jsonrpc import MessageError


class Rejected(Exception):
    """A rejected request: an HTTP status, a message for the client, response headers, and data for programs."""

    def __init__(
        self, status: int, message: str, headers: Mapping[str, str] | None = None, data: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        # The id is null: the request body, which has the id, may not have been read.
        self._error = MessageError(None, -32000, message, data)

    @classmethod
    def unauthenticated(cls, auth: str, message: str, challenge: str) -> Rejected:
        """Return a 401. `auth` is the value of `CORE13_AUTH`, which `core13-mcp install --remote` reads."""
        return cls(401, message, {"WWW-Authenticate": challenge}, {"auth": auth})

    @classmethod
    def for_message(cls, error: MessageError) -> Rejected:
        """Return the rejection of a body that is not a valid message."""
        rejected = cls(400, str(error))
        rejected._error = error
        return rejected

    @property
    def response(self) -> Response:
        """A JSON-RPC error, because MCP clients show its message."""
        return JSONResponse(self._error.response, self.status, {"Cache-Control": "no-store", **self.headers})
