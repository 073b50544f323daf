from __future__ import annotations

import io

import anyio
import pytest

from core13_mcp.cli import terminal

pytestmark = pytest.mark.anyio


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_a_wait_that_is_over_is_shown_no_more(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(terminal, "_PATIENCE", 0.0)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with anyio.fail_after(5):
        with terminal.spinner("things"):
            while "waiting for" not in screen.getvalue():
                await anyio.lowlevel.checkpoint()
        seen = screen.getvalue()
        await anyio.wait_all_tasks_blocked()
    assert seen.endswith("\r\x1b[2K") and screen.getvalue() == seen
