"""The ASGI app: the protocol at `/mcp`, what is around it, and what is in front of all of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcp.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from .address import PATH
from .auth.authenticator import Authenticator
from .endpoint import MCPEndpoint
from .health import CloseOnDrain, Lifecycle, health_routes
from .host_check import HostOriginMiddleware
from .landing.page import LandingPageMiddleware
from .limits import Limits
from .metrics import Metrics, MetricsMiddleware

_GUARDED_ALREADY = TransportSecuritySettings(enable_dns_rebinding_protection=False)
# The guard checks Host and Origin in front of every route; two lists would only disagree.


def app(
    server: Server[Any],
    admission: Authenticator,
    *,
    hosts: Sequence[str],
    origins: Sequence[str] = (),
    limits: Limits | None = None,
    max_body: int = 1024 * 1024,
    lifecycle: Lifecycle | None = None,
    page: Response | None = None,
    metrics: Metrics | None = None,
    routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """Serve a server over stateless Streamable HTTP, to both eras of the protocol.

    Args:
        admission: Decides on whose behalf each request is made; the server must be built with `gate.whose`.
        hosts: What a Host header may say: names, names with a port, networks.
        origins: Web origins other than its own whose pages may call.
        limits: How much one caller may ask for.
        max_body: Bytes of one request.
        lifecycle: Cleared when the process is to end.
        page: What a browser sees.
        metrics: What is counted; nothing where there is none.
        routes: Whatever else it answers.
    """
    lifecycle = lifecycle or Lifecycle()
    # Not JSON-only: in that mode a client that goes away does not cancel its call.
    manager = StreamableHTTPSessionManager(server, stateless=True, security_settings=_GUARDED_ALREADY)
    page = page or PlainTextResponse(f"POST {PATH}\n")
    door = LandingPageMiddleware(
        MCPEndpoint(manager.handle_request, admission, limits or Limits(8, 240), max_body), page
    )
    measured, counted = [], []
    if metrics is not None:
        server.middleware.append(metrics.operation)
        measured, counted = [Middleware(MetricsMiddleware, metrics)], [metrics.route]
    return Starlette(
        routes=[Route("/", page, methods=["GET"]), *_at(door), *health_routes(lifecycle), *counted, *routes],
        middleware=[
            *measured,
            Middleware(CloseOnDrain, lifecycle),
            Middleware(HostOriginMiddleware, hosts, origins),
            *_cross_origin(origins),
        ],
        lifespan=lambda _: manager.run(),
    )


def _at(door: ASGIApp) -> list[Route]:
    """The endpoint, with and without a last slash: a redirect would lose what some clients send."""
    return [Route(PATH, door), Route(f"{PATH}/", door)]


def _cross_origin(origins: Sequence[str]) -> list[Middleware]:
    """What browsers want to see before pages of other origins may read an answer."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=[origin.rstrip("/") for origin in origins],
            allow_methods=["POST"],
            allow_headers=["*"],
            expose_headers=["WWW-Authenticate", "Retry-After"],
        )
    ]
