"""A server over HTTP that uses a sandbox of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from core13_mcp.compose.http import HTTPServer
from core13_mcp.settings import Settings

from .http_server import serving


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[HTTPServer]:
    """A running server with the settings of the test module."""
    async with serving(settings) as running:
        yield running


@pytest.fixture
def url(server: HTTPServer) -> str:
    """The URL of its MCP endpoint."""
    return server.url
