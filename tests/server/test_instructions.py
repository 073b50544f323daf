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
        (Settings(exclude_tools=("users-*",)), f"8 of {len(load())} tools are disabled"),
    ],
)
def test_the_notice_of_the_active_mode_comes_first(settings: Settings, start: str) -> None:
    assert instructions(settings, len(enabled_tools(settings)), TOOLS).startswith(start)
