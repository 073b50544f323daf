"""A sandbox with its authorization server, and a registered client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from core13_mcp import sandbox

from ..sandbox_client import Clock
from .oauth_client import OAuthClient


def connected(clock: Clock, **options: Any) -> httpx2.AsyncClient:
    app = sandbox.build(oauth=True, clock=clock, **options)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1")


@pytest.fixture
async def http(clock: Clock) -> AsyncIterator[httpx2.AsyncClient]:
    async with connected(clock) as client:
        yield client


@pytest.fixture
async def client(http: httpx2.AsyncClient) -> OAuthClient:
    return await OAuthClient.register(http)
