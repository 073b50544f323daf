"""The command `core13-mcp`, and `python -m core13_mcp`."""

# `signal` imports `enum`, which takes several milliseconds. Ctrl-C in this time would print a traceback.
import _signal as signal  # type: ignore[import-not-found] # not in the stubs
import os
import sys


def main(argv: list[str] | None = None) -> int:
    """Run the command line with the arguments of the process, or with these arguments.

    Ctrl-C ends the process at once while modules are imported, because nothing that needs cleanup is running then.
    `cli.main` handles Ctrl-C in a running command.
    """
    # The starting process may have set Ctrl-C to be ignored. Then it stays ignored.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from .cli.main import main as run

    return run(argv)


if __name__ == "__main__":
    sys.exit(main())
