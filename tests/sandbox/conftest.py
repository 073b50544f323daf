"""One sandbox for each test, with a clock that the test advances."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import pytest
from starlette.applications import Starlette

from core13_mcp import sandbox

from .sandbox_client import Clock, SandboxClient

Connect = Callable[..., SandboxClient]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(clock: Clock) -> Iterator[Starlette]:
    app = sandbox.build(clock=clock)
    yield app
    app.state.close()


@pytest.fixture
async def connect(app: Starlette) -> AsyncIterator[Connect]:
    """Create clients: `connect(key)`, `connect(session=...)`, or `connect()` without a credential."""
    async with AsyncExitStack() as stack:
        clients: list[SandboxClient] = []

        def make(key: str | None = None, *, session: str | None = None) -> SandboxClient:
            clients.append(SandboxClient(app, key, session=session))
            stack.push_async_callback(clients[-1].aclose)
            return clients[-1]

        yield make


@pytest.fixture
def ada(connect: Connect) -> SandboxClient:
    """Ada, with the key that has every scope."""
    return connect(sandbox.FULL_KEY)
