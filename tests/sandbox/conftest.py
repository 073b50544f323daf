"""One sandbox for each test, with a clock that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import pytest
from starlette.applications import Starlette

from core13_mcp import sandbox

from .sandbox_client import Clock, Speaker

Speak = Callable[..., Speaker]


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
async def speak(app: Starlette) -> AsyncIterator[Speak]:
    """Makes speakers: ``speak(key)``, ``speak(session=...)``, ``speak()`` for a stranger."""
    async with AsyncExitStack() as stack:
        speakers: list[Speaker] = []

        def make(key: str | None = None, *, session: str | None = None) -> Speaker:
            speakers.append(Speaker(app, key, session=session))
            stack.push_async_callback(speakers[-1].aclose)
            return speakers[-1]

        yield make


@pytest.fixture
def ada(speak: Speak) -> Speaker:
    """Ada, with the key that may do everything."""
    return speak(sandbox.FULL_KEY)
