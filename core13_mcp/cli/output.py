"""The end of a command: everything is written to the standard streams, or the exit status says that it is not."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import TextIO

# Errors of standard output. Commands handle the errors of all other files.
UNWRITABLE = {errno.EPIPE, errno.ENOSPC, errno.EFBIG, errno.EIO, errno.EBADF}


def print_error(message: str) -> None:
    """Print an error on one line of stderr, without keys."""
    from ..redaction import redact_keys
    from ..text import to_line

    # A value in the message can be a key that was entered in the wrong place.
    with suppress(OSError):
        print(f"core13-mcp: {redact_keys(to_line(message))}", file=sys.stderr)


def finish(status: int) -> int:
    """Write what is buffered, and return the exit status: 1 if standard output cannot be written.

    Otherwise Python writes it after the end of the program, and ignores an error or exits with status 120.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        report_unwritten(error)
        status = status or 1
    try:
        sys.stderr.flush()
    except OSError:
        # There is no place for a message.
        _discard(sys.stderr)
    return status


def report_unwritten(error: OSError) -> None:
    """Print why standard output cannot be written, and discard the rest."""
    _discard(sys.stdout)
    # The reader of a pipe, such as `head`, has ended because it needs no more.
    if not isinstance(error, BrokenPipeError):
        print_error(
            f"standard output cannot be written: {error.strerror}. The command ran, but its output is incomplete."
        )


def _discard(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
