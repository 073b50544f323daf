"""One sandbox for each test, with a clock that the test advances."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from starlette.applications import Starlette

from core13_mcp import sandbox

from .sandbox_client import Client, Clock

Connect = Callable[..., Client]


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "sandbox.db")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(clock: Clock) -> Iterator[Starlette]:
    app = sandbox.build(clock=clock)
    yield app
    app.state.close()


@pytest.fixture
def connect(app: Starlette) -> Connect:
    """Create clients: `connect(key)`, `connect(session=...)`, or `connect()` without a credential."""
    return partial(Client, app)


@pytest.fixture
def ada(connect: Connect) -> Client:
    """Ada, with the key that has every scope."""
    return connect(sandbox.FULL_KEY)
