"""The error response for a request that does not reach the MCP handler."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response


class Rejected(Exception):
    """A rejected request: an HTTP status, a message for the client, and response headers."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})

    @property
    def response(self) -> Response:
        """A JSON-RPC error, because MCP clients show its message.

        Its id is null: the request body, which has the id, may not have been read.
        """
        body = {"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": str(self)}}
        return JSONResponse(body, self.status, {"Cache-Control": "no-store", **self.headers})
