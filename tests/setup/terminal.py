"""A person at a terminal: sees what is printed there, and types when it is their turn."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence

PATIENCE = 60.0
"""Seconds in which something has to be printed."""
_OWN = (sys.executable, "-ISc", "import os, sys; os.login_tty(0); os.execvp(sys.argv[1], sys.argv[1:])")
# A terminal of its own: a question goes there, and not to that of whoever runs the tests.


def at_a_terminal(
    command: Sequence[str], environ: Mapping[str, str], typed: Sequence[tuple[str, str]] = ()
) -> tuple[int, str]:
    """The exit status, and what a person sees.

    Args:
        typed: What they type, each when something has been printed since they typed last.
    """
    parent, child = pty.openpty()
    turns, seen = list(typed), bytearray()
    with subprocess.Popen([*_OWN, *command], env=environ, stdin=child, stdout=child, stderr=child) as process:
        os.close(child)
        since = 0
        while piece := _read(parent):
            seen += piece
            if turns and (at := seen.find(turns[0][0].encode(), since)) >= 0:
                since = at + len(turns[0][0])
                os.write(parent, turns.pop(0)[1].encode())
        # Whoever still waits there for more to be typed is told that the terminal has gone.
        os.close(parent)
        try:
            return process.wait(PATIENCE), seen.decode()
        finally:
            process.kill()


def _read(parent: int) -> bytes:
    """What is printed next; nothing when the last one at the other end has gone, or says no more."""
    try:
        return os.read(parent, 65536) if select.select([parent], [], [], PATIENCE)[0] else b""
    except OSError:
        # How Linux says that the last one has gone.
        return b""
