"""Shared fixtures: settings for the sandbox, a connected MCP client, and an empty home directory."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import hypothesis
import pytest
from mcp import Client

from core13_mcp.compose.engine import context_provider
from core13_mcp.declarations.catalog import enabled_tools
from core13_mcp.server.handlers import build_server
from core13_mcp.server.instructions import instructions
from core13_mcp.settings import OPTIONS, Settings

from .clients import accept
from .fake_api import NO_DELAY

# pytest-xdist sets it, and the product wraps lines at it.
os.environ.pop("COLUMNS", None)

# Hypothesis uses the same examples in every run, has no time limit and stores nothing.
SLOW = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile(
    "core13", derandomize=True, deadline=None, database=None, suppress_health_check=SLOW
)
hypothesis.settings.load_profile("core13")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def settings() -> Settings:
    """Settings of a server that uses a fresh sandbox. A test module may override them."""
    return Settings(sandbox=True, log_level="error")


@pytest.fixture
async def mcp(settings: Settings) -> AsyncIterator[Client]:
    """An MCP client that confirms every call, connected in memory to the real server with the sandbox."""
    catalog = enabled_tools(settings)
    async with context_provider(settings) as caller:
        server = build_server(catalog, lambda _: caller(), instructions(settings, len(catalog), len(catalog)))
        async with Client(server, elicitation_callback=accept) as client:
            yield client


@pytest.fixture
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry without a random pause. Waits that the API requests still apply."""
    monkeypatch.setattr("core13_mcp.api.client.RetryPolicy", lambda: NO_DELAY)


@pytest.fixture
def instant_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every answer of the tests is faster than a person, also on a slow machine."""
    monkeypatch.setattr("core13_mcp.pipeline.confirm.INSTANT", 60.0)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home directory without settings of the server. The current directory is a project in it."""
    project = tmp_path / "home" / "project"
    project.mkdir(parents=True)
    for variable in ("XDG_CONFIG_HOME", "CODEX_HOME", "CLAUDE_CONFIG_DIR", *(option.variable for option in OPTIONS)):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(project.parent))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.chdir(project)
    return project.parent
