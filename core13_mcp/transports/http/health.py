"""Liveness and readiness probes, and the drain phase before the process exits."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(slots=True, kw_only=True)
class Lifecycle:
    """The phases of a shutdown, in seconds.

    In the drain phase the server still accepts requests, and `/readyz` returns 503, so that a load balancer can select
    another replica. In the grace period, open requests can finish.
    """

    drain: float = 0.0
    grace: float = 1.0
    # Whether the drain phase has not started yet.
    accepting: bool = True


def health_routes(lifecycle: Lifecycle) -> list[Route]:
    """Build `/healthz`, which returns 200, and `/readyz`, which returns 503 in the drain phase."""

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        return PlainTextResponse("ready\n") if lifecycle.accepting else PlainTextResponse("draining\n", 503)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


def close_on_drain(app: ASGIApp, lifecycle: Lifecycle) -> ASGIApp:
    """Wrap an application so that each response of the drain phase closes its connection."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_closing(message: Message) -> None:
            if message["type"] == "http.response.start" and not lifecycle.accepting:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await app(scope, receive, send_closing)

    return wrapped
