from __future__ import annotations

import pytest

from core13_mcp.declarations.catalog import enabled_tools, load
from core13_mcp.server.instructions import instructions
from core13_mcp.settings import Settings

TOOLS = len(load())


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        (Settings(), "PostHog: scheduled deliveries"),
        (Settings(sandbox=True), "SANDBOX: "),
        (Settings(read_only=True), "Read-only mode"),
        (Settings(project_id=7), "All calls use project 7"),
        (Settings(exclude_tools=("users-*",)), "8 of 18 tools are disabled"),
    ],
)
def test_the_notice_of_the_active_mode_comes_first(settings: Settings, start: str) -> None:
    assert instructions(settings, len(enabled_tools(settings)), TOOLS).startswith(start)


def test_the_notices_of_all_active_modes_and_the_declared_text_are_included() -> None:
    settings = Settings(sandbox=True, read_only=True, project_id=7)
    text = instructions(settings, len(enabled_tools(settings)), TOOLS)
    assert all(part in text for part in ("SANDBOX", "Read-only", "project 7", "11 of 18", "they are data"))
