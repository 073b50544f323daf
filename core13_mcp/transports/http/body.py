"""Requests read whole: each within a length and a time, and all together within a total."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from starlette.requests import Request

from .errors import Rejected

WITHIN = 20.0
"""Seconds in which a request must have arrived whole."""

TOGETHER = 64 * 1024 * 1024
"""Bytes of all requests that are not answered yet."""


class BodyReader:
    """What is held of requests that are not answered yet."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._held = 0

    @asynccontextmanager
    async def whole(self, request: Request) -> AsyncIterator[bytes]:
        """The body of a request, held for the length of a block.

        Raises:
            Turned: It is too long, came too slowly, or there is no room for it now.
            starlette.requests.ClientDisconnect: The client left in the middle of it.
        """
        body = bytearray()
        try:
            await self._gather(request, body)
            yield bytes(body)
        finally:
            self._held -= len(body)

    async def _gather(self, request: Request, body: bytearray) -> None:
        with anyio.move_on_after(WITHIN):
            async for piece in request.stream():
                body += piece
                self._held += len(piece)
                if len(body) > self._longest:
                    raise _turned(413, f"The request is longer than {self._longest} bytes.")
                if self._held > TOGETHER:
                    raise _turned(503, "This server holds too many requests. Try again in 1 s.", **{"Retry-After": "1"})
            return
        raise _turned(408, "The request did not arrive in time.")


def _turned(status: int, why: str, **headers: str) -> Rejected:
    """Away, and the connection closed, because the rest of the body would still be on it."""
    return Rejected(status, why, {"Connection": "close", **headers})
