"""The person who signs in: a browser, and a terminal that accepts the address at which the browser ends."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from threading import Thread
from urllib.parse import urlsplit

from ..signin.flow import is_callback
from .terminal import print_line

# The descriptor of the terminal.
INPUT = 0

# The variables of a graphical session on Linux and BSD, and of a chosen browser.
_DISPLAYS = ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")


class TerminalPerson:
    """A `Person` at this terminal. Their browser may run on another machine."""

    def __init__(self, *, open_browser: bool) -> None:
        self._open_browser = open_browser and can_open_browser()
        self._lines: asyncio.Queue[str] | None = None

    def show(self, url: str) -> None:
        """Print the address, and open it unless the person does that."""
        action = "Your browser opens this address" if self._open_browser else "Open this address in a browser"
        print_line(f"{action}:", sys.stderr)
        print_line(url, sys.stderr)
        print_line(
            "If the browser cannot come back, paste the address at which it ends here. Ctrl-C cancels.", sys.stderr
        )
        if self._open_browser:
            import webbrowser

            # Some browsers do not return before they are closed.
            Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    async def pasted(self) -> str:
        """Return the query of the first line that is the redirect address."""
        if self._lines is None:
            self._lines = asyncio.Queue()
            # A thread, because the event loops of Windows cannot wait for a terminal. It ends with the process.
            Thread(target=_read_lines, args=(asyncio.get_running_loop(), self._lines), daemon=True).start()
        while True:
            line = (await self._lines.get()).strip()
            if is_callback(line):
                return urlsplit(line).query
            if line:
                print_line("This is not the address of the answer, which starts with http://127.0.0.1.", sys.stderr)


def can_open_browser() -> bool:
    """Whether a browser of this machine is one that the person sees."""
    if sys.platform in ("win32", "darwin"):  # pragma: no cover - the tests run on Linux
        return "SSH_CONNECTION" not in os.environ
    return "SSH_CONNECTION" not in os.environ and any(map(os.environ.get, _DISPLAYS))


def _read_lines(loop: asyncio.AbstractEventLoop, lines: asyncio.Queue[str]) -> None:
    # Not through `sys.stdin`: its lock would block the end of the process.
    with suppress(OSError, RuntimeError):
        while data := os.read(INPUT, 65_536):
            for line in data.decode(errors="replace").splitlines():
                loop.call_soon_threadsafe(lines.put_nowait, line)
