"""Numbers for Prometheus, under the names of OpenTelemetry's semantic conventions. An extra: `core13-mcp[metrics]`."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import anyio
from mcp import MCPError
from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.types import CallToolResult
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...errors import ConfigurationError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

OTHER = "other"
"""What a label says instead of whatever a caller made up: each new label would cost memory for good."""

_METHODS = frozenset(
    {
        *("initialize", "ping", "server/discover", "subscriptions/listen", "completion/complete", "logging/setLevel"),
        *("tools/list", "tools/call", "prompts/list", "prompts/get", "resources/list", "resources/read"),
        *("resources/templates/list", "notifications/initialized", "notifications/cancelled"),
    }
)
_ROUTES = frozenset({"/", "/mcp", "/mcp/", "/healthz", "/readyz", "/metrics"})
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """What is counted: protocol operations as the SDK's middleware sees them, and HTTP requests around them.

    Raises:
        ConfigurationError: The extra is not installed.
    """

    def __init__(self, tools: Collection[str]) -> None:
        try:
            from prometheus_client import CollectorRegistry, Gauge, Histogram, ProcessCollector
        except ImportError:
            raise ConfigurationError("CORE13_HTTP_METRICS needs `pip install 'core13-mcp[metrics]'`") from None
        self._tools = frozenset(tools)
        self._registry: CollectorRegistry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        said: dict[str, Any] = {"registry": self._registry, "buckets": _SECONDS}
        self._operations = Histogram(
            "mcp_server_operation_duration_seconds",
            "Protocol operations, as this server answered them.",
            ("mcp_method_name", "gen_ai_tool_name", "error_type"),
            **said,
        )
        self._requests = Histogram(
            "http_server_request_duration_seconds",
            "HTTP requests, those that were turned away among them.",
            ("http_route", "http_response_status_code"),
            **said,
        )
        self._active = Gauge("http_server_active_requests", "HTTP requests under way.", registry=self._registry)

    async def operation(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Middleware of the SDK's server: measure one operation."""
        began, error = anyio.current_time(), ""
        try:
            result = await call_next(ctx)
            error = "tool_error" if _failed(result) else ""
            return result
        except MCPError as refused:
            error = str(refused.error.code)
            raise
        except BaseException as broken:
            error = type(broken).__name__
            raise
        finally:
            labels = (*self._named(ctx), error)
            self._operations.labels(*labels).observe(anyio.current_time() - began)

    def _named(self, context: ServerRequestContext[Any, Any]) -> tuple[str, str]:
        method = context.method if context.method in _METHODS else OTHER
        if method != "tools/call":
            return method, ""
        name = (context.params or {}).get("name")
        return method, name if isinstance(name, str) and name in self._tools else OTHER

    @property
    def route(self) -> Route:
        """`/metrics`."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        async def metrics(_: Request) -> Response:
            return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

        return Route("/metrics", metrics)

    async def request(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Measure one HTTP request; a status of 0 is one whose client went away before an answer."""
        began, status = anyio.current_time(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._active.inc()
        try:
            await app(scope, receive, noting)
        finally:
            self._active.dec()
            route = scope["path"] if scope["path"] in _ROUTES else OTHER
            self._requests.labels(route, str(status)).observe(anyio.current_time() - began)


class MetricsMiddleware:
    """An app whose HTTP requests are measured."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http":
            await self._metrics.request(self._app, scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _failed(result: HandlerResult) -> bool:
    match result:
        case CallToolResult(is_error=True) | {"isError": True}:
            return True
        case _:
            return False
