"""The ASGI application at `/mcp`: authentication, limits and the request body."""

from __future__ import annotations

import logging
from typing import Any

import anyio
from mcp.server import Server, ServerRequestContext
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ... import tracing
from ...errors import ConfigurationError
from ...pipeline.call import CallContext
from ...redaction import redact_keys
from ..jsonrpc import MessageError, parse_message
from .accept import accepts_event_stream, as_json, sdk_scope
from .auth.authenticator import Authenticator
from .errors import Rejected
from .limits import FairLimiter, LimitOptions, Limits

log = logging.getLogger("core13_mcp.http")


class MCPEndpoint:
    """An MCP server over stateless Streamable HTTP, for all protocol versions; browsers get the page.

    A request must pass the checks of the method, the caller, the limits and the body. The server must get its callers
    from `resolve_context`.
    """

    def __init__(self, server: Server[Any], authenticator: Authenticator, options: LimitOptions, page: ASGIApp) -> None:
        manager = StreamableHTTPSessionManager(
            server,
            # Not in the JSON-only mode, in which a client that disconnects does not cancel its call.
            stateless=True,
            # `HostOriginMiddleware` checks Host and Origin for every route. A second list could only disagree.
            security_settings=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        )
        self.run = manager.run
        self.page = page
        self._app = manager.handle_request
        self._authenticator = authenticator
        self._options = options
        self._limits = Limits(options)
        self._slots = FairLimiter(options.max_concurrent, options.at_once)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        try:
            with tracing.continued_trace(Request(scope).headers):
                await self._dispatch(scope, receive, send)
        except ClientDisconnect:
            # The client closed the connection before its request was complete, so there is no one to respond to.
            return
        except Rejected as rejected:
            _log_rejection(rejected)
            await rejected.response(scope, receive, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method in ("GET", "HEAD") and "text/html" in request.headers.get("Accept", ""):
            return await self.page(scope, receive, send)
        if request.method != "POST":
            # A server without sessions has no stream for GET and no session to end with DELETE.
            raise Rejected(405, "This endpoint accepts POST only.", {"Allow": "POST"})
        caller = self._authenticator.authenticate(request)
        streams = accepts_event_stream(request)
        _reject_compressed(request)
        async with self._limits.acquire(caller.principal, self._authenticator.trusted):
            body = await self._read_body(request)
            _reject_malformed(body)
            unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

            async def replay() -> Message:
                return unread.pop() if unread else await receive()

            # A slow upload must not use a slot, so the body is complete before the request waits for one.
            async with self._slots.slot(caller.principal):
                if self._authenticator.verify:
                    await self._authenticator.verify(caller, body)
                scope["state"] = {**scope.get("state", {}), "caller": caller}
                await self._app(sdk_scope(scope), replay, send if streams else as_json(send))

    async def _read_body(self, request: Request) -> bytes:
        body = bytearray()
        # The rest of a rejected body would be read as the next request, so the connection is closed.
        close = {"Connection": "close"}
        with anyio.move_on_after(self._options.body_timeout):
            async for chunk in request.stream():
                body += chunk
                if len(body) > self._options.max_body:
                    raise Rejected(413, f"The request body has more than {self._options.max_body} bytes.", close)
            return bytes(body)
        message = f"The request body did not arrive within {self._options.body_timeout:g} s. Send the request again."
        raise Rejected(408, message, close)


def resolve_context(context: ServerRequestContext[Any]) -> CallContext:
    """Return the caller of a request that `MCPEndpoint` accepted."""
    request = context.request
    assert isinstance(request, Request)
    caller = request.state.caller
    assert isinstance(caller, CallContext)
    return caller


def _reject_compressed(request: Request) -> None:
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding != "identity":
        message = (
            f"This server does not decode request bodies with the encoding {coding[:40]}. Send the body uncompressed."
        )
        raise Rejected(415, message, {"Accept-Encoding": "identity", "Connection": "close"})


def _reject_malformed(body: bytes) -> None:
    try:
        parse_message(body)
    except MessageError as error:
        raise Rejected.for_message(error) from None


def _log_rejection(rejected: Rejected) -> None:
    level, details = logging.INFO, dict[str, Any](status=rejected.status)
    if isinstance(rejected.__cause__, ConfigurationError):
        # The operator must change the configuration.
        level, details["why"] = logging.ERROR, redact_keys(str(rejected.__cause__))
    log.log(level, "request rejected", extra={"details": details})
