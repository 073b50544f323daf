"""The ASGI application: the MCP endpoint, other routes, and the middleware for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mcp.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from .address import PATH
from .auth.authenticator import Authenticator
from .endpoint import MCPEndpoint
from .health import Lifecycle, close_on_drain, health_routes
from .host_check import HostOriginMiddleware
from .limits import LimitOptions
from .metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPOptions:
    """The options of the HTTP application."""

    # Allowed values of a Host header: names, names with a port, and networks.
    hosts: Sequence[str]
    # Web origins, besides the server's own, that may call the server.
    origins: Sequence[str]
    limits: LimitOptions
    lifecycle: Lifecycle
    # The response for browsers.
    page: Response
    # The SDK's server needs `metrics.observe_operation` as middleware.
    metrics: Metrics | None
    # More routes.
    routes: Sequence[BaseRoute]


def app(server: Server[Any], authenticator: Authenticator, options: HTTPOptions) -> Starlette:
    """Serve an MCP server over stateless Streamable HTTP, for all protocol versions.

    The server must get its callers from `endpoint.resolve_context`.
    """
    manager = StreamableHTTPSessionManager(
        server,
        # Not in the JSON-only mode, in which a client that disconnects does not cancel its call.
        stateless=True,
        # `HostOriginMiddleware` checks Host and Origin for every route. A second list could only disagree.
        security_settings=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    endpoint = MCPEndpoint(manager.handle_request, authenticator, options.limits, options.page)
    return Starlette(
        routes=[
            Route("/", options.page, methods=["GET"]),
            # Both paths, because some clients lose the request body when they follow a redirect.
            Route(PATH, endpoint),
            Route(f"{PATH}/", endpoint),
            *health_routes(options.lifecycle),
            *([options.metrics.route] if options.metrics else []),
            *options.routes,
        ],
        middleware=_middleware(options),
        lifespan=lambda _: manager.run(),
    )


def _middleware(options: HTTPOptions) -> list[Middleware]:
    """The middleware for all routes, the outermost first."""
    metrics = [Middleware(options.metrics.observe_requests)] if options.metrics else []
    cors = Middleware(
        CORSMiddleware,
        allow_origins=[origin.rstrip("/") for origin in options.origins],
        allow_methods=["POST"],
        allow_headers=["*"],
        expose_headers=["WWW-Authenticate", "Retry-After"],
    )
    return [
        *metrics,
        Middleware(close_on_drain, options.lifecycle),
        Middleware(HostOriginMiddleware, options.hosts, options.origins),
        *([cors] if options.origins else []),
    ]
