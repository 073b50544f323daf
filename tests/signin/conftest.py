from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .world import World


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "sign-ins"


@pytest.fixture
def world(directory: Path) -> Iterator[World]:
    world = World(directory)
    yield world
    world.app.state.close()


@pytest.fixture
def rotating(directory: Path) -> Iterator[World]:
    """A PostHog that replaces refresh tokens."""
    world = World(directory, refresh_rotation=True)
    yield world
    world.app.state.close()
