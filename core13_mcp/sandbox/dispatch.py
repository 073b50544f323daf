"""Route a request to its operation, with the server's order of checks.

The order is: credential, method, scope, project, plan, rate limit, then the operation itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from . import auth, errors
from .context import Options, RequestContext
from .store import Store
from .throttle import Limit, Throttle, default_limits

MAX_BODY_BYTES: Final = 20_971_520
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Operation:
    """One method of one path: the function, and the permissions that it requires."""

    run: Callable[[RequestContext], Response]
    scope: str = ""
    limits: Callable[[RequestContext], list[Limit]] = default_limits
    # Only a login session is accepted, no key and no token.
    session_only: bool = False
    # The feature that the plan of the organization must include.
    premium: str | None = None
    # No credential is required.
    public: bool = False


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
        try:
            raw = await read_body(request)
        except ClientDisconnect:
            return
        response = errors.server_error().response if raw is None else self._respond(request, raw)
        await response(scope, receive, send)

    def _respond(self, request: Request, raw: bytes) -> Response:
        """Handle the request in one transaction; an error rolls it back."""
        services = self.services
        try:
            with services.store.transaction(writes=request.method not in auth.SAFE_METHODS):
                return self._handle(RequestContext(request, raw, services.store, services.clock(), services.options))
        except errors.APIError as error:
            return error.response
        except Exception:
            logger.exception("The sandbox failed on %s %s", request.method, request.url.path)
            return errors.server_error().response

    def _handle(self, context: RequestContext) -> Response:
        method = context.request.method
        operation = self.operations.get("GET" if method == "HEAD" else method)
        if operation and operation.public:
            return operation.run(context)
        principal = auth.authenticate(context, session_only=bool(operation and operation.session_only))
        if operation is None:
            raise errors.method_not_allowed(method, ", ".join([*self.operations, "HEAD", "OPTIONS"]))
        context = authorize(replace(context, principal=principal), operation)
        if context.options.throttle:
            self.services.throttle.check(operation.limits(context), context.now.timestamp())
        return operation.run(context)


def authorize(context: RequestContext, operation: Operation) -> RequestContext:
    """Check scope, project and plan; return the context with the project of the path and its organization.

    Raises:
        APIError: 402, 403 or 404.
    """
    if not operation.session_only:
        auth.check_scope(context.principal, operation.scope)
    if "project_id" in context.path:
        project = auth.find_project(context, context.path["project_id"])
        organization = context.store.one("select * from organization where id = ?", project["organization_id"])
        context = replace(context, project=project, organization=organization or {})
        auth.check_restrictions(context)
    if operation.premium and not context.has_feature(operation.premium):
        detail = f"This feature is part of the premium PostHog offering: {operation.premium}."
        raise errors.payment_required(detail)
    return context


async def read_body(request: Request) -> bytes | None:
    """Read the body; None if it is larger than `MAX_BODY_BYTES`."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY_BYTES:
            return None
    return bytes(raw)
