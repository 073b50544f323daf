"""The ASGI application at `/mcp`: it authenticates a request, applies the limits and reads the body."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import anyio
from mcp.server import ServerRequestContext
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ... import tracing
from ...errors import ConfigurationError
from ...pipeline.call import CallContext
from ...redaction import redact_keys
from .auth.authenticator import Authenticator
from .errors import Rejected
from .limits import Limits

log = logging.getLogger("core13_mcp.http")


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """The size of a request body in bytes, and the seconds in which it must arrive."""

    max_bytes: int
    timeout: float


class MCPEndpoint:
    """Passes a request to the MCP handler if its method, caller, rate and body are acceptable.

    Args:
        app: The MCP handler.
        authenticator: Identifies the caller.
        limits: The limits for callers.
        body_limit: The limit for request bodies.
    """

    def __init__(self, app: ASGIApp, authenticator: Authenticator, limits: Limits, body_limit: BodyLimit) -> None:
        self._app = app
        self._authenticator = authenticator
        self._limits = limits
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        try:
            with tracing.continued_trace(Request(scope).headers):
                await self._dispatch(scope, receive, send)
        except ClientDisconnect:
            # The client closed the connection before its request was complete, so nobody reads a response.
            return
        except Rejected as rejected:
            _log_rejection(rejected)
            await rejected.response(scope, receive, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method != "POST":
            # A server without sessions has no stream for GET and no session to end with DELETE.
            raise Rejected(405, "This endpoint accepts POST only.", {"Allow": "POST"})
        caller = self._authenticator.authenticate(request)
        principal = caller.principal
        async with self._limits.acquire(principal, self._authenticator.trusted):
            body = await _read_body(request, self._body_limit)
            # A slow upload must not use a slot, so the body is complete before the request waits for one.
            async with self._limits.slot(principal):
                await self._authenticator.verify(caller, body)
                scope["state"] = {**scope.get("state", {}), "caller": caller}
                await self._app(scope, _replay(body, receive), send)


def resolve_context(context: ServerRequestContext[Any]) -> CallContext:
    """Return the caller of a request that `MCPEndpoint` accepted."""
    request = context.request
    assert isinstance(request, Request)
    caller = request.state.caller
    assert isinstance(caller, CallContext)
    return caller


async def _read_body(request: Request, limit: BodyLimit) -> bytes:
    """Read a request body.

    Raises:
        Rejected: The body is too large, or does not arrive in time.
        ClientDisconnect: The client closed the connection.
    """
    body = bytearray()
    # The rest of a rejected body would be read as the next request, so the connection is closed.
    close = {"Connection": "close"}
    with anyio.move_on_after(limit.timeout):
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit.max_bytes:
                raise Rejected(413, f"The request body has more than {limit.max_bytes} bytes.", close)
        return bytes(body)
    raise Rejected(408, f"The request body did not arrive within {limit.timeout:g} s. Send the request again.", close)


def _log_rejection(rejected: Rejected) -> None:
    """Log a rejected request. The client does not learn the cause of a wrong configuration, but the operator must."""
    cause = rejected.__cause__
    details = {"why": redact_keys(str(cause))} if isinstance(cause, ConfigurationError) else {}
    level = logging.ERROR if details else logging.INFO
    log.log(level, "request rejected", extra={"details": {"status": rejected.status, **details}})


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that yields the body once and then waits for the client to disconnect."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
