"""A uvicorn connection that the application can reset."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any, Final

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

# The key of the ASGI scope with a function that resets the connection. It is absent in process.
RESET: Final = "sandbox.reset"


class ResettableConnection(H11Protocol):
    """uvicorn's HTTP protocol that passes a reset function to the application."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        inner = self.app

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope[RESET] = lambda: reset(transport)
            await inner(scope, receive, send)

        self.app: Any = app


def reset(transport: asyncio.Transport) -> None:
    """Close a TCP connection with RST, so that the peer reports a reset."""
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
