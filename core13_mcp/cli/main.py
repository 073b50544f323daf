"""The entry point of the command line.

This module imports the standard library only. Each command imports what it needs, so that help and the first
answers of a server take a few milliseconds.
"""

from __future__ import annotations

import os
import signal
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from io import TextIOWrapper
from typing import Any

from .output import UNWRITABLE, finish, print_error, report_unwritten


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    The status is 0 for success, 1 for a failed call or for output that cannot be written, 2 for wrong settings or
    arguments, 3 for checks that could not run, 70 for a defect of this program, and 130 after Ctrl-C.
    """
    streams = {"standard input": sys.stdin, "standard output": sys.stdout, "standard error": sys.stderr}
    if closed := [name for name, stream in streams.items() if stream is None]:
        # Files and sockets that are opened later would take the place of the closed stream.
        # `print` writes to standard output if standard error is closed.
        print_error(
            f"{' and '.join(closed)} {'is' if len(closed) == 1 else 'are'} closed, so no command can run. Open all "
            "three streams where you start it, for example with `</dev/null`, `>/dev/null` or `2>/dev/null`."
        )
        return 2
    for stream in streams.values():
        # Pipes and files contain UTF-8, whatever encoding the system uses. A terminal shows what it can.
        if isinstance(stream, TextIOWrapper):
            errors = None if stream is sys.stdin else "backslashreplace"
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors=errors)
    try:
        status = _status(argv)
    except SystemExit as error:
        # The parser has printed help or an error.
        raise SystemExit(finish(int(error.code or 0))) from None
    return finish(status)


def _status(argv: Sequence[str] | None) -> int:
    from ..errors import Core13Error
    from ..settings import flag_values, with_flags
    from .parser import parse

    flags: dict[str, Any] = {}
    try:
        arguments = parse(argv)
        flags = flag_values(arguments)
        return _run(arguments, flags)
    except Core13Error as error:
        print_error(with_flags(str(error), flags))
        return 2
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - the message of an unexpected error may contain a secret
        if isinstance(error, OSError) and error.errno in UNWRITABLE:
            report_unwritten(error)
            return 1
        from ..identity import VERSION
        from ..redaction import error_location

        print_error(
            f"unexpected error in core13-mcp {VERSION} with Python {sys.version.split()[0]} on {sys.platform}: "
            f"{error_location(error)}. This is a defect of core13-mcp. Please report this line to its maintainers, as an "
            "issue in its repository."
        )
        return 70


def _run(arguments: Namespace, flags: Mapping[str, Any]) -> int:
    from ..settings import Settings

    settings = Settings.read(os.environ, flags) if arguments.needs_settings else None
    if arguments.command == "tools" and settings:
        from .commands import tools

        return tools.run(arguments, settings)
    stdio_settings = settings if arguments.command == "serve" and settings and not settings.http else None
    if stdio_settings:
        from ..transports.stdio.fast_start import FOLLOW_UP_TIMEOUT, FastStart

        arguments.fast_start = FastStart.open(stdio_settings)
        arguments.fast_start.answer(FOLLOW_UP_TIMEOUT)
    import anyio

    command = import_module(f"{__package__}.commands.{arguments.command}")
    # libuv accepts one connection per turn of its loop. Under load over HTTP, connections then wait in one queue before
    # this server can be fair to its callers. Measured with `scripts/load --callers 1000` on one core: a caller with few
    # requests waits 1.0 s instead of 2.3 s without uvloop.
    use_uvloop = find_spec("uvloop") is not None and not (settings and settings.http)
    handler = signal.getsignal(signal.SIGINT)
    if handler is not signal.SIG_IGN and not stdio_settings:
        # A server over stdio ends at once, because it has nothing to clean up. The other commands are cancelled.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return int(anyio.run(command.run, arguments, settings, backend_options={"use_uvloop": use_uvloop}))
    finally:
        signal.signal(signal.SIGINT, handler)
