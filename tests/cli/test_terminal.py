from __future__ import annotations

import io

import anyio
import pytest

from core13_mcp.cli import terminal

pytestmark = pytest.mark.anyio


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def test_the_spinner_disappears_when_the_wait_is_over(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with anyio.fail_after(5):
        with terminal.spinner("things", interval=0):
            while "waiting for" not in screen.getvalue():
                await anyio.lowlevel.checkpoint()
        output = screen.getvalue()
        await anyio.wait_all_tasks_blocked()
    assert output.endswith("\r\x1b[2K") and screen.getvalue() == output
