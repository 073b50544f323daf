"""The command `core13-mcp`, and `python -m core13_mcp`."""

# `signal` imports `enum`, which takes several milliseconds. Ctrl-C in this time would print a traceback.
import _signal as signal  # type: ignore[import-not-found] # not in the stubs
import os
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run the command line with these arguments, or with the arguments of the process.

    Ctrl-C ends the process at once until `cli.main` changes this for a command.
    """
    if getattr(sys, "last_type", None) is KeyboardInterrupt:
        # Python prints and then ignores a Ctrl-C that arrives while it searches for the code of the program.
        return 130
    # The starting process may have set Ctrl-C to be ignored. Then it stays ignored.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from .cli.main import main as run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
