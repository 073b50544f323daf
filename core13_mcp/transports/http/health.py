"""What those who run the server ask it: whether it lives, and whether it takes more work."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(slots=True)
class Lifecycle:
    """Whether this process still takes work; false from the moment it was told to end."""

    accepting: bool = True


def health_routes(duty: Lifecycle) -> list[Route]:
    """`/healthz` answers while the process does; `/readyz` only while it takes work."""

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        return PlainTextResponse("ready\n") if duty.accepting else PlainTextResponse("draining\n", 503)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


class CloseOnDrain:
    """Closes each connection with its next answer once the process is to end, so that callers go elsewhere."""

    def __init__(self, app: ASGIApp, duty: Lifecycle) -> None:
        self._app = app
        self._duty = duty

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def parting(message: Message) -> None:
            if message["type"] == "http.response.start" and not self._duty.accepting:
                kept = [(name, value) for name, value in message.get("headers", []) if name.lower() != b"connection"]
                message = {**message, "headers": [*kept, (b"connection", b"close")]}
            await send(message)

        await self._app(scope, receive, parting)
