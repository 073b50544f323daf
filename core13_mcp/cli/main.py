"""The command line. Cheap to import: a command's own module is imported when it is asked for."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

from ..settings import flag_values
from ..transports.stdio.fast_start import Front
from ..transports.stdio.fast_start.retelling import retold
from .parser import parse


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 the call failed, 2 wrongly set up, 130 interrupted."""
    arguments = parse(argv)
    _speak_utf_8()
    from ..errors import Core13Error  # after --help and --version have had their answer

    try:
        if arguments.command == "serve":
            arguments.front = Front.open(os.environ, flag_values(arguments))
        return retold(arguments, os.environ, run) if arguments.command == "tools" else run(arguments)
    except Core13Error as error:
        from ..redaction import redact_keys

        # A key that was given where something else belongs is not quoted.
        print(f"core13-mcp: {redact_keys(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone, as `head` does; nothing more can be said there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001 - the last resort, which says where and not what
        from ..redaction import error_location

        print(
            f"core13-mcp: this is a mistake in core13-mcp, please report it: {error_location(error)}", file=sys.stderr
        )
        return 70


def _speak_utf_8() -> None:
    """Whatever the system's encoding is: what was done must be told, and a name must arrive as it was written."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and not stream.isatty():
            stream.reconfigure(encoding="utf-8")


def run(arguments: Namespace) -> int:
    """Run the command that was asked for.

    Raises:
        Core13Error: It cannot be done as it is set up.
    """
    import anyio

    from ..settings import Settings

    command = import_module(f"{__package__}.commands.{arguments.command}")
    settings = Settings.read(os.environ, flag_values(arguments)) if arguments.needs_settings else None
    # Not for HTTP: libuv takes one new connection per turn of its loop, so that under load all callers wait in one
    # line before this server can tell them apart. uvloop answers more; without it, who asks for less waits less
    # (scripts/load, --callers 1000 on one core: a polite caller 1.0 s instead of 2.3 s, a rude one 6.9 s instead of 2.4 s).
    faster = _has_uvloop() and not (settings and settings.http)
    return int(anyio.run(command.run, arguments, settings, backend_options={"use_uvloop": faster}))


def _has_uvloop() -> bool:
    """A faster event loop, where the extra `fast` was installed."""
    from importlib.util import find_spec

    return find_spec("uvloop") is not None
