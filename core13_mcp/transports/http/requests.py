"""Running requests: their slots, and their end when the client disconnects or the server stops."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import anyio
import mcp_types as types
from mcp import MCPError
from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.server.session import ServerSession
from starlette.requests import Request

from ...pipeline.call import CallContext
from .limits import OpenRequest
from .serving import Stop
from .slots import FairLimiter, Slot

# The error code of the Language Server Protocol, which the SDK uses too.
REQUEST_CANCELLED = -32800

# Seconds for which a request waits until the client can get a progress notification, which is then left out.
PROGRESS_TIMEOUT = 1.0


@dataclass(frozen=True, slots=True)
class RunningRequest:
    """A request that `MCPEndpoint` passes to the SDK, in the state of its ASGI scope."""

    caller: CallContext
    # The caller, for limits and sessions.
    owner: str
    open: OpenRequest
    # Whether the response is an event stream, which can contain questions.
    streams: bool
    # Cancelled when the client cancels the request or ends its session.
    cancellation: anyio.CancelScope = field(default_factory=anyio.CancelScope)


class RequestRunner:
    """Middleware of the SDK's server that runs each request in a slot."""

    def __init__(self, slots: FairLimiter, stop: Stop) -> None:
        self._slots = slots
        self._stop = stop

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Run a request in a slot, until its client cancels it. Nothing of it is counted while the response is written."""
        running = running_request(ctx)
        with running.cancellation:
            async with self._slots.slot(running.owner) as slot:
                session = _Session(ctx.session, _Questions(running, slot, self._stop))
                try:
                    return await call_next(replace(ctx, session=cast(ServerSession, session)))
                finally:
                    running.open.finish()
        raise MCPError(REQUEST_CANCELLED, "The client cancelled this request or ended its session.")


def running_request(context: ServerRequestContext[Any]) -> RunningRequest:
    """Return the request that `MCPEndpoint` passed to the SDK."""
    request = context.request
    assert isinstance(request, Request)
    running = request.state.running
    assert isinstance(running, RunningRequest)
    return running


@dataclass(frozen=True, slots=True)
class _Questions:
    """The questions of one request, which use no slot while they wait for their answers."""

    running: RunningRequest
    slot: Slot
    stop: Stop

    @property
    def allowed(self) -> bool:
        return self.running.streams and self.running.open.may_ask and not self.stop.requested

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        async with self.slot.released():
            with self.running.open.question(), self.stop.ends() as scope:
                yield
        if scope.cancelled_caught:
            raise MCPError(types.CONNECTION_CLOSED, "The server stops.")


class _Session:
    """The SDK's session of a request, with questions that use no slot."""

    def __init__(self, session: ServerSession, questions: _Questions) -> None:
        self._session = session
        self._questions = questions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    @property
    def can_send_request(self) -> bool:
        return self._session.can_send_request and self._questions.allowed

    async def report_progress(self, *arguments: Any, **options: Any) -> None:
        # A client that does not read must not keep the slot.
        with anyio.move_on_after(PROGRESS_TIMEOUT):
            await self._session.report_progress(*arguments, **options)

    async def elicit_form(self, *arguments: Any, **options: Any) -> types.ElicitResult:
        async with self._questions.waiting():
            return await self._session.elicit_form(*arguments, **options)
