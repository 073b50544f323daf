"""What stands in front of the MCP endpoint: the method, the caller, the body."""

from __future__ import annotations

import logging
from typing import Any

import anyio
from mcp.server import ServerRequestContext
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import tracing
from ..call import Caller
from .admission import Admission
from .answers import Turned
from .limits import Limits

BODY_WITHIN = 20.0
"""Seconds in which a request must have arrived whole."""

log = logging.getLogger("core13_mcp.http")


class Gate:
    """Lets a caller's request through to the protocol, or turns it away."""

    def __init__(self, app: ASGIApp, admission: Admission, limits: Limits, max_body: int) -> None:
        self._app = app
        self._admission = admission
        self._limits = limits
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            with tracing.received(Request(scope).headers):
                await self._let_through(scope, receive, send)
        except ClientDisconnect:
            return  # in the middle of its request: nobody is left to answer
        except Turned as turned:
            log.info("turned away", extra={"facts": {"status": turned.status}})
            await turned.response(scope, receive, send)

    async def _let_through(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method != "POST":
            # Without sessions there is nothing to stream to a GET, and nothing for a DELETE to end.
            raise Turned(405, "Only POST is served here.", {"Allow": "POST"})
        caller = self._admission.admit(request)
        async with self._limits.within(caller.principal):
            # Read only now, so that what waits for its turn waits outside of this process's memory.
            body = await _read(request, self._max_body)
            await self._admission.verify(caller, body)
            scope["state"] = {**scope.get("state", {}), "caller": caller}
            await self._app(scope, _again(body, receive), send)


def whose(context: ServerRequestContext[Any]) -> Caller:
    """The caller whom the gate let through."""
    request = context.request
    assert isinstance(request, Request)
    caller = request.state.caller
    assert isinstance(caller, Caller)
    return caller


async def _read(request: Request, longest: int) -> bytes:
    """The whole body, so that nothing is begun for a request that never arrives.

    Raises:
        Turned: It is too long, or came too slowly.
    """
    body = bytearray()
    with anyio.move_on_after(BODY_WITHIN):
        async for piece in request.stream():
            body += piece
            if len(body) > longest:
                raise Turned(413, f"The request is longer than {longest} bytes.", {"Connection": "close"})
        return bytes(body)
    raise Turned(408, "The request did not arrive in time.", {"Connection": "close"})


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, then whatever comes after it: that the client went away."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return left.pop() if left else await receive()

    return replay
