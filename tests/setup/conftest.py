"""A home of one's own for every test: the real one is never touched."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from core13_mcp.options import OPTIONS


@pytest.fixture(autouse=True)
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
