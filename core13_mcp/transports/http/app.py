"""The ASGI application: the MCP endpoint, other routes, and the middleware for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute, Route

from ...settings import Settings
from .address import PATH, allowed_hosts
from .endpoint import MCPEndpoint
from .health import Lifecycle, close_on_drain, health_routes
from .host_check import HostOriginMiddleware
from .metrics import Metrics


def app(
    settings: Settings,
    endpoint: MCPEndpoint,
    lifecycle: Lifecycle,
    metrics: Metrics | None,
    more_routes: Sequence[BaseRoute],
) -> Starlette:
    """Build the application."""
    routes = [
        Route("/", endpoint.page, methods=["GET"]),
        # Both paths, because some clients lose the request body when they follow a redirect.
        Route(PATH, endpoint),
        Route(f"{PATH}/", endpoint),
        *health_routes(lifecycle),
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
            allow_methods=["POST"],
            allow_headers=["*"],
            expose_headers=["WWW-Authenticate", "Retry-After"],
        )
        middleware.append(cors)
    if metrics:
        routes.append(metrics.route)
        middleware.insert(0, Middleware(metrics.observe_requests))
    return Starlette(routes=routes, middleware=middleware, lifespan=lambda _: endpoint.run())
