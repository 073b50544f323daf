"""What every test can lean on: the sandbox, the engine in front of it, and a real MCP client in front of that."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest
from mcp import Client

from core13_mcp.compose.engine import context_provider
from core13_mcp.declarations.catalog import enabled_tools
from core13_mcp.options import OPTIONS
from core13_mcp.server.handlers import build_server
from core13_mcp.server.instructions import instructions
from core13_mcp.settings import Settings

# The same examples every time, however slow the machine is; nothing is kept between runs.
SLOW = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile(
    "core13", derandomize=True, deadline=None, database=None, suppress_health_check=SLOW
)
hypothesis.settings.load_profile("core13")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing that a start keeps for the next one comes from, or stays in, the home of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def settings() -> Settings:
    """Settings of a server in front of a fresh sandbox; a test module may override it."""
    return Settings(sandbox=True, log_level="error")


@pytest.fixture
async def mcp(settings: Settings) -> AsyncIterator[Client]:
    """A connected MCP client; behind it the real server, behind that the sandbox."""
    catalog = enabled_tools(settings)
    async with context_provider(settings) as caller:
        server = build_server(catalog, lambda _: caller(), instructions(settings, catalog, len(catalog)))
        async with Client(server) as client:
            yield client


@pytest.fixture
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once, unless the API asks for a wait."""
    monkeypatch.setattr("core13_mcp.api.retry.random.uniform", lambda *_: 0.0)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder; the current folder is a project in it, and no variable of ours is set."""
    project = tmp_path / "home" / "project"
    project.mkdir(parents=True)
    for variable in ("XDG_CONFIG_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR", *(option.variable for option in OPTIONS)):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(project.parent))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.chdir(project)
    return project.parent
