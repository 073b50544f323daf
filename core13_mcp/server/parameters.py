"""Explains why the parameters of a request are invalid, in place of the SDK's text "Invalid request parameters"."""

from __future__ import annotations

from typing import Any

from mcp import MCPError
from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp_types import INVALID_PARAMS
from pydantic import ValidationError

from .lists import LISTS

_MAX_DATA = 100

_UNKNOWN_CURSOR = "Invalid parameters: this cursor is unknown. The list has one page only; send the request without it."
_NOT_INITIALIZED = 'This connection is not initialized. Send "initialize" and wait for its response first.'
_ARGUMENTS = (
    'Invalid parameters: "arguments" must be a JSON object, such as {"limit": 10}, not text that contains JSON.'
)


async def explain_invalid_parameters(ctx: ServerRequestContext[Any], call_next: CallNext) -> HandlerResult:
    """Replace the SDK's errors for invalid parameters, as middleware. The new texts quote nothing.

    Raises:
        MCPError: The parameters are not valid.
    """
    cursor = (ctx.params or {}).get("cursor")
    if ctx.method in LISTS and cursor and isinstance(cursor, str):
        raise MCPError(INVALID_PARAMS, _UNKNOWN_CURSOR)
    try:
        return await call_next(ctx)
    except ValidationError as error:
        raise MCPError(INVALID_PARAMS, _explanation(error)) from None
    except MCPError as error:
        # The SDK has the same text for all requests before `initialize`, and no error of its own for them.
        if error.error.message == "Invalid request parameters":
            raise MCPError(INVALID_PARAMS, _NOT_INITIALIZED) from None
        data = error.error.data
        if isinstance(data, str) and len(data) > _MAX_DATA:
            # The name of an unknown method.
            raise MCPError(error.error.code, error.error.message, data[:_MAX_DATA]) from None
        raise


def _explanation(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    # The rest of the path can have names from the client.
    names = [part for part in problem["loc"] if part != "params"][:1]
    if names == ["arguments"]:
        return _ARGUMENTS
    if not names:
        return 'Invalid parameters: "params" is missing, or it is not a JSON object.'
    reason = "is missing" if problem["type"] == "missing" else "does not have the type that MCP defines"
    return f'Invalid parameters: "{names[0]}" {reason}.'
