"""From an HTTP request to an endpoint: routing by method, then the server's order of checks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from . import auth, errors
from .call import Call, Switches
from .store import Store
from .throttle import Limit, Throttle, default_limits

BODY_LIMIT: Final = 20_971_520
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Action:
    """One method of one path: what it does, and what it takes to get there."""

    run: Callable[[Call], Response]
    scope: str = ""
    limits: Callable[[Call], list[Limit]] = default_limits
    session_only: bool = False
    premium: str | None = None
    public: bool = False


@dataclass(frozen=True)
class House:
    """What all requests share."""

    store: Store
    clock: Callable[[], datetime]
    switches: Switches
    throttle: Throttle


@dataclass(frozen=True)
class Resource:
    """An ASGI app: one path, its methods."""

    house: House
    actions: Mapping[str, Action]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            raw = await read_body(request)
        except ClientDisconnect:
            return  # nobody is left to answer
        response = errors.broken().response if raw is None else self.respond(request, raw)
        await response(scope, receive, send)

    def respond(self, request: Request, raw: bytes) -> Response:
        """One transaction: whatever is refused or breaks leaves nothing behind."""
        house = self.house
        try:
            with house.store.transaction(writes=request.method not in auth.SAFE):
                call = Call(request, raw, house.store, house.clock(), house.switches, request.path_params)
                return self.handle(call)
        except errors.Refusal as refusal:
            return refusal.response
        except Exception:
            logger.exception("The sandbox broke on %s %s", request.method, request.url.path)
            return errors.broken().response

    def handle(self, call: Call) -> Response:
        action = self.actions.get("GET" if call.request.method == "HEAD" else call.request.method)
        if action and action.public:
            return action.run(call)
        call.caller = auth.authenticate(call, session_only=bool(action and action.session_only))
        if action is None:
            raise errors.not_allowed(call.request.method, allowed(self.actions))
        self.permit(call, action)
        if call.switches.throttle:
            self.house.throttle.check(action.limits(call), call.now.timestamp())
        return action.run(call)

    def permit(self, call: Call, action: Action) -> None:
        if not action.session_only:
            auth.check_scope(call.caller, action.scope)
        if "project_id" in call.path:
            enter_project(call)
        if action.premium and not call.has(action.premium):
            raise errors.payment_required(f"This feature is part of the premium PostHog offering: {action.premium}.")


def enter_project(call: Call) -> None:
    call.project = auth.find_project(call, call.path["project_id"])
    owner = call.store.one("select * from organization where id = ?", call.project["organization_id"])
    assert owner is not None
    call.organization = owner
    auth.check_restrictions(call)


def allowed(actions: Mapping[str, Action]) -> str:
    return ", ".join([*actions, "HEAD", "OPTIONS"])


async def read_body(request: Request) -> bytes | None:
    """The body, None when it is longer than the server reads."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > BODY_LIMIT:
            return None
    return bytes(raw)
