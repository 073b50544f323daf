"""What stands in front of the MCP endpoint: the method, the caller, the body."""

from __future__ import annotations

import logging
from typing import Any

from mcp.server import ServerRequestContext
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ... import tracing
from ...errors import ConfigurationError
from ...pipeline.call import CallContext
from ...redaction import redact_keys
from .auth.authenticator import Authenticator
from .body import BodyReader
from .errors import Rejected
from .limits import Limits

log = logging.getLogger("core13_mcp.http")


class MCPEndpoint:
    """Lets a caller's request through to the protocol, or turns it away."""

    def __init__(self, app: ASGIApp, admission: Authenticator, limits: Limits, max_body: int) -> None:
        self._app = app
        self._admission = admission
        self._limits = limits
        self._bodies = BodyReader(max_body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            with tracing.continued_trace(Request(scope).headers):
                await self._let_through(scope, receive, send)
        except ClientDisconnect:
            return  # in the middle of its request: nobody is left to answer
        except Rejected as turned:
            _log(turned)
            await turned.response(scope, receive, send)

    async def _let_through(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method != "POST":
            # Without sessions there is nothing to stream to a GET, and nothing for a DELETE to end.
            raise Rejected(405, "Only POST is served here.", {"Allow": "POST"})
        caller = self._admission.authenticate(request)
        async with (
            self._limits.within(caller.principal),
            self._bodies.whole(request) as body,
            # Only what has arrived whole takes one of the places that all callers share.
            self._limits.turn(caller.principal),
        ):
            await self._admission.verify(caller, body)
            scope["state"] = {**scope.get("state", {}), "caller": caller}
            await self._app(scope, _again(body, receive), send)


def _log(turned: Rejected) -> None:
    """What the caller is told only by its status, whoever runs this must mend, and needs to know why."""
    cause = turned.__cause__
    why = {"why": redact_keys(str(cause))} if isinstance(cause, ConfigurationError) else {}
    log.log(logging.ERROR if why else logging.INFO, "turned away", extra={"facts": {"status": turned.status, **why}})


def resolve_context(context: ServerRequestContext[Any]) -> CallContext:
    """The caller whom the gate let through."""
    request = context.request
    assert isinstance(request, Request)
    caller = request.state.caller
    assert isinstance(caller, CallContext)
    return caller


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, then whatever comes after it: that the client went away."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return left.pop() if left else await receive()

    return replay
