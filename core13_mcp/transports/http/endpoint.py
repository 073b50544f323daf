"""The ASGI application at `/mcp`: authentication, limits, the request body and sessions."""

from __future__ import annotations

import logging
from typing import Any

from mcp.server import Server, ServerRequestContext
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.inbound import MCP_PROTOCOL_VERSION_HEADER
from mcp_types import DEFAULT_NEGOTIATED_VERSION, JSONRPCRequest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ... import tracing
from ...errors import ConfigurationError
from ...pipeline.call import CallContext
from ...redaction import redact_keys
from .accept import accepts_event_stream, as_json
from .auth.authenticator import Authenticator
from .errors import Rejected
from .exchange import PING, Exchange, start, until_disconnect
from .limits import Limits
from .posts import PostedMessage, finish_before_writing, reject_other_bodies
from .requests import RunningRequest, running_request
from .serving import Lifecycle
from .sessions import SESSION_HEADER, STREAM, Session, Sessions, new_connection, opens_session, uses_sessions
from .slots import FairLimiter

log = logging.getLogger("core13_mcp.http")

# `HostOriginMiddleware` checks Host and Origin for every route. A second list could only disagree.
_SECURITY = TransportSecuritySettings(enable_dns_rebinding_protection=False)


class MCPEndpoint:
    """An MCP server over Streamable HTTP, for all protocol versions; browsers get the page.

    A request must pass the checks of the method, the caller, the session, the limits and the body. The server must get
    its callers from `resolve_context`. A client of a 2025 protocol that can show forms gets a session, because a
    question is a request of the server. All other clients have no session, so each request may go to another replica.
    """

    def __init__(
        self, server: Server[Any], authenticator: Authenticator, limits: Limits, lifecycle: Lifecycle, page: ASGIApp
    ) -> None:
        self.page = page
        self._server = server
        self._authenticator = authenticator
        self._limits = limits
        self._options = limits.options
        self._lifecycle = lifecycle
        self._verifications = FairLimiter(self._options.max_concurrent, self._options.at_once)
        self._sessions = Sessions(self._options)
        # The SDK's transport for protocol 2026-07-28. Not in the JSON-only mode, in which a client that disconnects does
        # not cancel its call.
        self._modern = StreamableHTTPSessionManager(server, stateless=True, security_settings=_SECURITY)
        self.run = self._modern.run

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        try:
            with tracing.continued_trace(Request(scope).headers):
                await self._dispatch(Request(scope, receive), send)
        except ClientDisconnect:
            # The client closed the connection before its request was complete, so there is no one to respond to.
            return
        except Rejected as rejected:
            _log_rejection(rejected)
            await rejected.response(scope, receive, send)

    async def _dispatch(self, request: Request, send: Send) -> None:
        if request.method in ("GET", "HEAD") and "text/html" in request.headers.get("Accept", ""):
            return await self.page(request.scope, request.receive, send)
        session_id = request.headers.get(SESSION_HEADER, "") if self._may_have_session(request) else ""
        if request.method != "POST" and not (session_id and request.method in ("GET", "DELETE")):
            # Only a session has a stream for GET, or can be ended with DELETE.
            raise Rejected(405, "This endpoint accepts POST only, except in a session.", {"Allow": "POST"})
        caller = self._authenticator.authenticate(request)
        owner = caller.name if self._authenticator.trusted else caller.principal
        session = self._sessions.find(session_id, owner) if session_id else None
        if request.method == "POST":
            return await self._post(session, caller, owner, request, send)
        assert session is not None
        await self._stream_or_end(session, caller, request, send)

    @property
    def busy(self) -> bool:
        """Whether no slot has become free for longer than the limit."""
        return self._limits.slots.seconds_without_free_slot >= self._options.ready_timeout

    def _may_have_session(self, request: Request) -> bool:
        return self._options.sessions and uses_sessions(request)

    async def _post(
        self, session: Session | None, caller: CallContext, owner: str, request: Request, send: Send
    ) -> None:
        streams = accepts_event_stream(request)
        reject_other_bodies(request)
        with self._limits.acquire(owner, self._authenticator.trusted) as open_request:
            post = await PostedMessage.read(request, self._options)
            await self._verify(caller, post.body)
            running = RunningRequest(caller, owner, open_request, streams)
            post.scope["state"] = {**request.scope.get("state", {}), "running": running}
            send = finish_before_writing(open_request, send if streams else as_json(send))
            if not uses_sessions(request):
                await self._modern.handle_request(post.scope, post.receive, send)
            elif isinstance(post.message, JSONRPCRequest):
                await self._answer(session, post, post.message, send)
            else:
                if session is not None:
                    session.receive(post.message)
                await Response(status_code=202)(post.scope, post.receive, send)

    async def _answer(self, session: Session | None, post: PostedMessage, message: JSONRPCRequest, send: Send) -> None:
        request = Request(post.scope)
        opened = self._open_session(request, message) if session is None else None
        session = session or opened
        if session is None:
            version = request.headers.get(MCP_PROTOCOL_VERSION_HEADER, DEFAULT_NEGOTIATED_VERSION)
            return await Exchange(message, request, send, new_connection(version)).run(self._server, post.receive)
        running: RunningRequest = request.state.running
        exchange = Exchange(message, request, send, session.connection, headers=session.headers)
        exchange.questions = session.questions if running.streams else None
        try:
            with session.running(f"request {message.id}", running.cancellation):
                await exchange.run(self._server, post.receive)
        finally:
            # Python does not trace a coroutine after a cancellation that a task group ends, so coverage misses this.
            if opened is not None and not exchange.succeeded:  # pragma: no branch - tested in test_sessions
                self._sessions.end(opened)  # pragma: no cover - tested in test_sessions

    def _open_session(self, request: Request, message: JSONRPCRequest) -> Session | None:
        running: RunningRequest = request.state.running
        may_open = self._options.sessions and self._lifecycle.accepting and running.streams
        if not may_open or not opens_session(message):
            return None
        session = self._sessions.open(running.owner)
        if session is None:
            log.warning("a client gets no session, because its caller or the server has too many")
        return session

    async def _stream_or_end(self, session: Session, caller: CallContext, request: Request, send: Send) -> None:
        # A stream is open as long as its client, so it does not count as an open request.
        with self._limits.acquire(session.owner, self._authenticator.trusted):
            await self._verify(caller, b"")
        if request.method == "DELETE":
            self._sessions.end(session)
            return await Response()(request.scope, request.receive, send)
        if session.has_stream:
            raise Rejected(409, "This session has a stream already.")
        with self._lifecycle.stop.ends() as scope, session.running(STREAM, scope):
            await start(send, b"text/event-stream", session.headers)
            while await until_disconnect(request.receive):
                ping = {"type": "http.response.body", "body": PING, "more_body": True}  # pragma: no cover - as above
                await send(ping)  # pragma: no cover - as above
        await send({"type": "http.response.body", "body": b""})

    async def _verify(self, caller: CallContext, body: bytes) -> None:
        if self._authenticator.verify:
            async with self._verifications.slot(caller.principal):
                await self._authenticator.verify(caller, body)


def resolve_context(context: ServerRequestContext[Any]) -> CallContext:
    """Return the caller of a request that `MCPEndpoint` accepted."""
    return running_request(context).caller


def _log_rejection(rejected: Rejected) -> None:
    level, details = logging.INFO, dict[str, Any](status=rejected.status)
    if isinstance(rejected.__cause__, ConfigurationError):
        # The operator must change the configuration.
        level, details["why"] = logging.ERROR, redact_keys(str(rejected.__cause__))
    log.log(level, "request rejected", extra={"details": details})
