"""The ASGI application: the MCP endpoint, other routes, and the middleware for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...settings import Settings
from .address import PATH, allowed_hosts
from .endpoint import MCPEndpoint
from .host_check import HostOriginMiddleware
from .metrics import Metrics
from .serving import Lifecycle


def app(
    settings: Settings,
    endpoint: MCPEndpoint,
    lifecycle: Lifecycle,
    metrics: Metrics | None,
    more_routes: Sequence[BaseRoute],
) -> Starlette:
    """Build the application, with `/healthz` and `/readyz` as liveness and readiness probes."""

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        problem = "draining" if not lifecycle.accepting else "busy" if endpoint.busy else ""
        return PlainTextResponse(f"{problem or 'ready'}\n", 503 if problem else 200)

    routes = [
        Route("/", endpoint.page, methods=["GET"]),
        # Both paths, because some clients lose the request body when they follow a redirect.
        Route(PATH, endpoint),
        Route(f"{PATH}/", endpoint),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        *more_routes,
    ]
    # The outermost first.
    middleware = [
        Middleware(close_on_drain, lifecycle),
        Middleware(HostOriginMiddleware, allowed_hosts(settings), settings.http_origins),
    ]
    if settings.http_origins:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=[origin.rstrip("/") for origin in settings.http_origins],
            allow_methods=["POST", "GET", "DELETE"],
            allow_headers=["*"],
            expose_headers=["WWW-Authenticate", "Retry-After", "Mcp-Session-Id"],
        )
        middleware.append(cors)
    if metrics:
        middleware.insert(0, Middleware(metrics.observe_requests))
    return Starlette(routes=routes, middleware=middleware, lifespan=lambda _: endpoint.run())


def close_on_drain(app: ASGIApp, lifecycle: Lifecycle) -> ASGIApp:
    """Wrap an application so that each response of the drain phase closes its connection."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_closing(message: Message) -> None:
            if message["type"] == "http.response.start" and not lifecycle.accepting:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await app(scope, receive, send_closing)

    return wrapped
