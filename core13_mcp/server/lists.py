"""The results of `tools/list` and `prompts/list`, which depend on the settings of the server only."""

from __future__ import annotations

from typing import Any

from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp_types.methods import validate_client_request

LISTS = ("tools/list", "prompts/list")


class ListCache:
    """Middleware that computes the result of a list once for each protocol version.

    The SDK serializes, validates and copies the result of a handler. For 18 tools, that takes 1 ms, more than everything
    else that a request needs. This middleware skips the SDK's check that a connection is initialized, so it is for
    transports without that state.
    """

    def __init__(self) -> None:
        self._results: dict[tuple[str, str], HandlerResult] = {}

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.method not in LISTS:
            return await call_next(ctx)
        key = ctx.method, ctx.protocol_version
        if key not in self._results:
            self._results[key] = await call_next(ctx)
        else:
            validate_client_request(ctx.method, ctx.protocol_version, ctx.params)
        return self._results[key]
