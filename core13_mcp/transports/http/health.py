"""Liveness and readiness probes, and the drain phase before the process exits."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(slots=True)
class Lifecycle:
    """Whether the process accepts new work; it stops when the process receives a signal to exit."""

    accepting: bool = True


def health_routes(lifecycle: Lifecycle) -> list[Route]:
    """Build `/healthz`, which always returns 200, and `/readyz`, which returns 503 during the drain phase."""

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        return PlainTextResponse("ready\n") if lifecycle.accepting else PlainTextResponse("draining\n", 503)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


class CloseOnDrain:
    """Closes each connection after its next response in the drain phase, so that clients connect elsewhere."""

    def __init__(self, app: ASGIApp, lifecycle: Lifecycle) -> None:
        self._app = app
        self._lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def send_closing(message: Message) -> None:
            if message["type"] == "http.response.start" and not self._lifecycle.accepting:
                headers = [(name, value) for name, value in message.get("headers", []) if name.lower() != b"connection"]
                message = {**message, "headers": [*headers, (b"connection", b"close")]}
            await send(message)

        await self._app(scope, receive, send_closing)
