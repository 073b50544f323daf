"""Run a command at a terminal, with a user who reads the output and types input."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

# Seconds until the next output, and until the end of the process.
TIMEOUT = 60.0

# Gives the process a terminal of its own. Otherwise it asks at the terminal of the test run.
_LOGIN = (sys.executable, "-ISc", "import os, sys; os.login_tty(0); os.execvp(sys.argv[1], sys.argv[1:])")


# Returns the input for a prompt. It gets the output so far.
Answer = Callable[[str], str]


def at_a_terminal(
    command: Sequence[str], environ: Mapping[str, str], typed: Sequence[tuple[str, str | Answer]] = ()
) -> tuple[int, str]:
    """Return the exit status and the output.

    Args:
        typed: Pairs of a prompt and the input that follows it, or a function that returns the input. Each prompt must be
            in the output after the last input.
    """
    parent, child = pty.openpty()
    remaining, output = list(typed), bytearray()
    with subprocess.Popen([*_LOGIN, *command], env=environ, stdin=child, stdout=child, stderr=child) as process:
        os.close(child)
        start = 0
        while chunk := _read(parent):
            output += chunk
            if remaining and (position := output.find(remaining[0][0].encode(), start)) >= 0:
                start = position + len(remaining[0][0])
                answer = remaining.pop(0)[1]
                os.write(parent, (answer if isinstance(answer, str) else answer(output.decode())).encode())
        # A process that still reads from the terminal receives the end of the input.
        os.close(parent)
        try:
            return process.wait(TIMEOUT), output.decode()
        finally:
            process.kill()


def _read(terminal: int) -> bytes:
    """Return the next output; nothing at the end of the output or after the timeout."""
    try:
        return os.read(terminal, 65536) if select.select([terminal], [], [], TIMEOUT)[0] else b""
    except OSError:
        # Linux reports in this way that no process has the terminal open.
        return b""
