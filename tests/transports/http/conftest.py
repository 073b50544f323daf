"""A server over HTTP, in front of a sandbox of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from core13_mcp.compose.http import HTTPServer
from core13_mcp.settings import Settings

from .http_server import serving


@pytest.fixture
async def served(settings: Settings) -> AsyncIterator[HTTPServer]:
    """A running server under the module's settings."""
    async with serving(settings) as ready:
        yield ready


@pytest.fixture
def url(served: HTTPServer) -> str:
    """Its MCP endpoint."""
    return served.url
