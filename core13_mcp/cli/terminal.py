"""Output for people at a terminal; plain lines for everybody else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}
_PATIENCE = 1.0
# Seconds before a wait is shown at all: most calls are over by then.


def supports_color(stream: TextIO) -> bool:
    """Whether what is written there is read by a person who may see colours: a terminal, and no NO_COLOR."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def style(text: str, style: str, stream: TextIO | None = None) -> str:
    """The text in a style where the stream (standard output without one) shows it, else as it is."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if supports_color(stream or sys.stdout) else text


def status_line(text: str) -> None:
    """Show a line of what is under way on a terminal's stderr, in place of the last; an empty one takes it away."""
    if supports_color(sys.stderr):
        sys.stderr.write(f"\r\x1b[2K{text}")
        sys.stderr.flush()


@contextmanager
def spinner(what: str) -> Iterator[None]:
    """Show on a terminal's stderr how long something has been waited for, from the second second on."""
    if not supports_color(sys.stderr):
        yield
        return
    import asyncio  # takes 40 ms, and most commands print a few lines only

    loop, ended = asyncio.get_running_loop(), False
    began = loop.time()

    def tick() -> None:
        if not ended:
            status_line(style(f"{what}: waiting for {loop.time() - began:.0f} s, Ctrl-C ends it", "dim", sys.stderr))
            loop.call_later(_PATIENCE, tick)

    loop.call_later(_PATIENCE, tick)
    try:
        yield
    finally:
        ended = True
        status_line("")
