"""Output: lines and JSON without control characters, and colours and progress on a terminal."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from ..text import escape_invisible, strip_invisible, to_line

if TYPE_CHECKING:
    from anyio import CancelScope

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}


def supports_color(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that can show colours. NO_COLOR turns colours off."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def style(text: str, style: str, stream: TextIO | None = None) -> str:
    """Return the text in a style, or unchanged if the stream (by default standard output) shows no colours."""
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if supports_color(stream or sys.stdout) else text


def print_line(text: str, stream: TextIO | None = None) -> None:
    """Print a text on one line, with its indentation, to a stream (by default standard output)."""
    indent = len(text) - len(text.lstrip(" "))
    print(" " * indent + to_line(text), file=stream or sys.stdout, flush=True)


def print_lines(text: str, stream: TextIO | None = None) -> None:
    """Print each line of a text."""
    for line in text.split("\n"):
        print_line(line, stream)


def print_row(text: str) -> None:
    """Print a text on one line, with all its spaces."""
    print(strip_invisible(text).replace("\n", " "))


def print_json(value: Any, indent: int | None = 2) -> None:
    """Print a JSON value, without `indent` on one line. Invisible characters in it are printed as escapes."""
    separators = (",", ":") if indent is None else None
    print(escape_invisible(json.dumps(value, indent=indent, ensure_ascii=False, separators=separators)))


def status_line(text: str) -> None:
    """Replace the status line on a terminal's stderr. An empty text removes it."""
    if supports_color(sys.stderr):
        sys.stderr.write(f"\r\x1b[2K{text}")
        sys.stderr.flush()


@contextmanager
def spinner(name: str, interval: float = 1.0) -> Iterator[Callable[[], None]]:
    """Show on a terminal's stderr how long a block has been waiting for `name`.

    The status line appears after `interval` seconds, and is updated as often. Most calls are faster. The block can
    call the function that it gets to restart at zero.
    """
    if not supports_color(sys.stderr):
        yield lambda: None
        return
    # Imported here because the import takes 40 ms and most commands print a few lines only.
    import asyncio

    loop = asyncio.get_running_loop()
    start = loop.time()
    timer: asyncio.TimerHandle

    def update() -> None:
        nonlocal timer
        status_line(style(f"{name}: waiting for {loop.time() - start:.0f} s, Ctrl-C ends it", "dim", sys.stderr))
        timer = loop.call_later(interval, update)

    def restart() -> None:
        nonlocal start
        start = loop.time()

    timer = loop.call_later(interval, update)
    try:
        yield restart
    finally:
        timer.cancel()
        status_line("")


def can_prompt() -> bool:
    """Return whether a person at a terminal can read a question and type the answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def prompt_yes_no(text: str) -> bool:
    """Print a question on stderr, and return whether the person types `y` or `yes`. Ctrl-C raises KeyboardInterrupt."""
    with interruptible():
        print(f"{to_line(text)} [y/N] ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
    if not line.endswith("\n"):
        print(file=sys.stderr)
    return line.strip().lower() in ("y", "yes")


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end a block that waits for input.

    The handlers of the event loop only cancel the running task, and the task then still waits for the input.
    """
    handlers: dict[signal.Signals, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def cancelled_by_sigterm() -> Iterator[CancelScope]:
    """Cancel a block when the process receives SIGTERM. The scope then has `cancelled_caught` set."""
    import asyncio

    from anyio import CancelScope

    scope, loop = CancelScope(), asyncio.get_running_loop()
    # The event loop of Windows has no signal handlers.
    if sys.platform != "win32":  # pragma: no branch - the tests do not run on Windows
        loop.add_signal_handler(signal.SIGTERM, scope.cancel)
    try:
        with scope:
            yield scope
    finally:
        if sys.platform != "win32":  # pragma: no branch - the tests do not run on Windows
            loop.remove_signal_handler(signal.SIGTERM)
