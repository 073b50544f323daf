"""A transport for the clients of FastMCP, Pydantic AI and LangChain. It needs the package `fastmcp` 4."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from anyio import create_task_group
from fastmcp.client.transports import ClientTransport
from mcp import ClientSession
from mcp.server import Server
from mcp.shared.memory import create_client_server_memory_streams

if TYPE_CHECKING:
    from fastmcp.client.transports.base import TransportOptions


# FastMCP, which has types, is not installed where this project checks its own.
class InProcessTransport(ClientTransport):  # type: ignore[misc]
    """Connects clients to a server in this process: `fastmcp.Client(InProcessTransport(build_server(sandbox=True)))`.

    `MCPToolset` of Pydantic AI and `MCPAdapter` of LangChain take the transport or such a client. Each connection runs
    the server once.
    """

    def __init__(self, server: Server[Any]) -> None:
        self._server = server

    @asynccontextmanager
    async def connect_session(
        self, *, transport_options: TransportOptions | None = None, **session_settings: Any
    ) -> AsyncIterator[ClientSession]:
        """Yield a session with a new connection, as FastMCP defines it. The server stops at the end of the block."""
        session_class = transport_options.session_class if transport_options else ClientSession
        async with create_client_server_memory_streams() as (client, server), create_task_group() as tasks:
            tasks.start_soon(self._server.run, *server, self._server.create_initialization_options())
            async with session_class(*client, **session_settings) as session:
                yield session
            tasks.cancel_scope.cancel()
