"""One sandbox for each test and era, with a clock that the test advances."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from starlette.applications import Starlette

from core13_mcp import sandbox
from core13_mcp.sandbox.eras import ERAS, Era

from .sandbox_client import Client, Clock

Connect = Callable[..., Client]


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "sandbox.db")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=list(ERAS))
def era(request: pytest.FixtureRequest) -> str:
    """The name of the version of the API: each test runs in both."""
    name: str = request.param
    return name


@pytest.fixture
def rules(era: str) -> Era:
    """The behaviour of the era, from the table of differences."""
    return ERAS[era]


@pytest.fixture
def app(clock: Clock, era: str) -> Iterator[Starlette]:
    app = sandbox.build(clock=clock, era=era)
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
