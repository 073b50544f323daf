"""Metrics for Prometheus, which need the extra `core13-mcp[metrics]`.

Their names follow OpenTelemetry's semantic conventions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

import anyio
from mcp import MCPError
from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.types import CallToolResult
from mcp_types.methods import SPEC_CLIENT_METHODS, SPEC_CLIENT_NOTIFICATION_METHODS
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...errors import ConfigurationError
from ...identity import how_to_install
from .host_check import HostOriginMiddleware

# The label for every value that a caller invents. Each new label uses memory until the process exits.
OTHER = "other"

_METHODS = SPEC_CLIENT_METHODS | SPEC_CLIENT_NOTIFICATION_METHODS


class Metrics:
    """Counters of MCP operations and HTTP requests.

    Raises:
        ConfigurationError: The extra is not installed.
    """

    def __init__(self, tools: Collection[str]) -> None:
        try:
            from prometheus_client import CollectorRegistry, Gauge, Histogram, ProcessCollector
        except ImportError:
            raise ConfigurationError(f"CORE13_HTTP_METRICS needs {how_to_install('metrics')}") from None
        self._tools = frozenset(tools)
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        seconds = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
        histogram = partial(Histogram, registry=self._registry, buckets=seconds)
        self._operations = histogram(
            "mcp_server_operation_duration_seconds",
            "Duration of MCP operations.",
            ("mcp_method_name", "gen_ai_tool_name", "error_type"),
        )
        self._requests = histogram(
            "http_server_request_duration_seconds",
            "Duration of HTTP requests, including rejected requests.",
            ("http_route", "http_response_status_code"),
        )
        self._active = Gauge("http_server_active_requests", "HTTP requests in progress.", registry=self._registry)

    async def observe_operation(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Measure one MCP operation, as middleware of the SDK's server."""
        method = ctx.method if ctx.method in _METHODS else OTHER
        name = (ctx.params or {}).get("name")
        tool = "" if method != "tools/call" else name if name in self._tools else OTHER
        start, error = anyio.current_time(), ""
        try:
            result = await call_next(ctx)
            match result:
                case CallToolResult(is_error=True) | {"isError": True}:
                    error = "tool_error"
            return result
        except MCPError as protocol_error:
            error = str(protocol_error.error.code)
            raise
        except BaseException as exception:
            error = type(exception).__name__
            raise
        finally:
            self._operations.labels(method, tool, error).observe(anyio.current_time() - start)

    def app(self, hosts: Iterable[str]) -> ASGIApp:
        """Return the application that serves `/metrics` to clients that use one of these hosts."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        async def metrics(_: Request) -> Response:
            return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

        return Starlette(routes=[Route("/metrics", metrics)], middleware=[Middleware(HostOriginMiddleware, hosts, ())])

    def observe_requests(self, app: ASGIApp) -> ASGIApp:
        """Wrap an application so that its HTTP requests are measured."""

        async def measured(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                return await app(scope, receive, send)
            # The status stays 0 if the client disconnects before the response.
            start, status = anyio.current_time(), 0

            async def send_and_note_status(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                with self._active.track_inprogress():
                    await app(scope, receive, send_and_note_status)
            finally:
                paths = {route.path for route in scope["app"].routes}
                path = scope["path"] if scope["path"] in paths else OTHER
                self._requests.labels(path, str(status)).observe(anyio.current_time() - start)

        return measured


def by_port(app: ASGIApp, port: int, other: ASGIApp) -> ASGIApp:
    """Combine two applications: requests to a port of this machine go to `other`, and everything else to `app`."""

    async def combined(scope: Scope, receive: Receive, send: Send) -> None:
        is_other = scope["type"] == "http" and scope["server"][1] == port
        await (other if is_other else app)(scope, receive, send)

    return combined
