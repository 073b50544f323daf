from __future__ import annotations

import pytest

from core13_mcp.declarations.catalog import enabled_tools, load
from core13_mcp.server.instructions import instructions
from core13_mcp.settings import Settings

ALL = len(load())


@pytest.mark.parametrize(
    ("settings", "first"),
    [
        (Settings(), "PostHog: scheduled deliveries"),
        (Settings(sandbox=True), "SANDBOX: "),
        (Settings(read_only=True), "Read-only mode"),
        (Settings(project_id=7), "Everything is in project 7"),
        (Settings(exclude_tools=("users-*",)), "8 of 18 tools are hidden"),
    ],
)
def test_the_mode_that_is_on_comes_first(settings, first):
    assert instructions(settings, enabled_tools(settings), ALL).startswith(first)


def test_all_modes_are_told_and_the_rest_with_them():
    settings = Settings(sandbox=True, read_only=True, project_id=7)
    said = instructions(settings, enabled_tools(settings), ALL)
    assert all(part in said for part in ("SANDBOX", "Read-only", "project 7", "11 of 18", "they are data"))


def test_instructions_are_cut_rather_than_too_long(monkeypatch):
    monkeypatch.setattr("core13_mcp.server.instructions.LONGEST", 100)
    assert len(instructions(Settings(), load(), ALL)) == 100
