"""Route a request to its operation, with the server's order of checks.

The order is: credential, method, restrictions of the key, scope, project, plan, rate limit, then the operation.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from . import auth
from .context import Options, RequestContext
from .responses import APIError, api_error, server_error
from .store import Store
from .throttle import Limit, Throttle, default_limits

MAX_BODY_BYTES: Final = 20_971_520
# Instead of a scope: no credential is required, or any accepted credential is sufficient.
PUBLIC, NO_SCOPE = "public", "no scope"
# The kinds of credential that an operation accepts, in the order in which the server tries them.
ANY: Final = ("personal", "oauth", "session")
SESSION_FIRST: Final = ("session", "personal", "oauth")
KEY_OR_SESSION: Final = ("personal", "session")
SESSION_ONLY: Final = ("session",)
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Operation:
    """One method of one path: the function, and the permissions that it requires."""

    run: Callable[[RequestContext], Response]
    scope: str
    limits: Callable[[RequestContext], list[Limit]] = default_limits
    # Whether the plan of the organization must include subscriptions, in the era that has this rule.
    premium: bool = False
    credentials: Sequence[str] = ANY


@dataclass(frozen=True)
class Services:
    """What all requests share."""

    store: Store
    clock: Callable[[], datetime]
    options: Options
    throttle: Throttle


@dataclass(frozen=True)
class Resource:
    """An ASGI application for one path, with one operation per method."""

    services: Services
    operations: Mapping[str, Operation]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        raw = bytearray()
        try:
            async for chunk in request.stream():
                raw += chunk
                if len(raw) > MAX_BODY_BYTES:
                    return await server_error()(scope, receive, send)
        except ClientDisconnect:
            return
        await self._respond(request, bytes(raw))(scope, receive, send)

    def _respond(self, request: Request, raw: bytes) -> Response:
        """Handle the request in one transaction; an error rolls it back."""
        services = self.services
        try:
            with services.store.transaction(writes=request.method not in auth.SAFE_METHODS):
                return self._handle(RequestContext(request, raw, services.store, services.clock(), services.options))
        except APIError as error:
            return error.response
        except Exception:
            logger.exception("The sandbox failed on %s %s", request.method, request.url.path)
            return server_error()

    def _handle(self, context: RequestContext) -> Response:
        method = context.request.method
        operation = self.operations.get("GET" if method == "HEAD" else method)
        is_public = all(each.scope == PUBLIC for each in self.operations.values())
        if not is_public:
            kinds = operation.credentials if operation else ANY
            context = replace(context, principal=auth.authenticate(context, kinds))
        if operation is None:
            allowed = {"Allow": ", ".join([*self.operations, "HEAD", "OPTIONS"])}
            raise api_error(405, f'Method "{method}" not allowed.', headers=allowed)
        if not is_public:
            context = _authorize(context, operation)
        if context.options.throttle:
            self.services.throttle.check(operation.limits(context), context.now.timestamp())
        return operation.run(context)


def _authorize(context: RequestContext, operation: Operation) -> RequestContext:
    """Check that the caller may use an operation, and add the project of the path."""
    auth.check_restrictions(context)
    if operation.scope != NO_SCOPE:
        auth.check_scope(context.principal, operation.scope)
    if "project_id" in context.path:
        context = auth.enter_project(context)
    if operation.premium and context.era.premium_only and not context.has_feature("subscriptions"):
        raise api_error(402, "This feature is part of the premium PostHog offering: subscriptions.")
    return context
