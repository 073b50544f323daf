"""What stands at the other ends of stdin and stdout."""

from __future__ import annotations

import os
import stat
import sys


def stdio_is_pollable() -> bool:
    """Whether both are what an event loop can wait for, and what clients connect with: pipes or sockets, on POSIX."""
    if sys.platform == "win32":
        return False
    try:
        modes = [os.fstat(stream).st_mode for stream in (0, 1)]
    except OSError:  # one of them is closed
        return False
    return all(stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) for mode in modes)
