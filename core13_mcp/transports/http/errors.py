"""What a request is answered that does not get through."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

_NOT_SERVED = -32000


class Rejected(Exception):
    """A request is turned away, with a status, words for whoever sent it, and headers."""

    def __init__(self, status: int, why: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(why)
        self.status = status
        self.headers = dict(headers or {})

    @property
    def response(self) -> Response:
        """As a JSON-RPC error, whose words MCP clients show; no id, because the body may not have been read."""
        error = {"code": _NOT_SERVED, "message": str(self)}
        body = {"jsonrpc": "2.0", "id": None, "error": error}
        return JSONResponse(body, self.status, {"Cache-Control": "no-store", **self.headers})
