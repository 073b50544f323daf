"""A connection that can be reset: uvicorn's own, which also tells the app how to break it."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any, Final

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

RESET: Final = "sandbox.reset"
"""Key of the scope under which the app finds a function that resets the connection; absent in process."""


class Connection(H11Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        served = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope[RESET] = lambda: reset(transport)
            await served(scope, receive, send)

        self.app: Any = app


def reset(transport: asyncio.Transport) -> None:
    """Ends a TCP connection with RST: the peer sees a reset, not an end."""
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
