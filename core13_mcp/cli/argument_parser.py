"""The parser of one command, with flags that shell completion can list. Standard library only."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from contextlib import nullcontext, suppress
from typing import Any, NamedTuple, NoReturn

from ..settings import OPTIONS
from ..text import to_line
from .help import Help
from .values import one_of


class Flag(NamedTuple):
    """A flag, as shell completion needs it. `values` is empty if the flag accepts any text."""

    name: str
    help: str
    takes_value: bool = False
    values: tuple[str, ...] = ()


class Parser(argparse.ArgumentParser):
    """The parser of a command.

    It accepts no abbreviated flags, because an abbreviation of a secret's flag must not be taken for the flag of a
    file. Its error messages suggest names and contain no keys. Shell completion uses `flags`, and `values`, the
    allowed values of the command's argument.
    """

    def __init__(self, name: str, command: Help, listing: str = "") -> None:
        settings = "[--SETTING ...]" if command.has_settings else ""
        super().__init__(
            prog=name,
            usage=" ".join(filter(None, (name, "[-h]", settings, command.usage))),
            description=f"{command.summary[0].upper()}{command.summary[1:]}.{listing}",
            epilog=f"examples:\n{command.examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            conflict_handler="resolve",
        )
        self.flags = [Flag("--help", "show this help message and exit")]
        self.values: tuple[str, ...] = ()
        self.takes_tool_arguments = False

    def add_values(self, name: str, values: Iterable[str], **options: Any) -> None:
        """Add an argument that accepts some values only."""
        self.values = tuple(values)
        self.add_argument(name, type=one_of(self.values), **options)

    def add_flag(self, name: str, help: str, values: Sequence[str] = (), **options: Any) -> None:
        """Add a flag. It takes a value if there are `values` or a `metavar`."""
        if values:
            options |= {"type": one_of(values), "metavar": f"{{{','.join(values)}}}"}
        elif "metavar" not in options:
            options["action"] = "store_true"
        self.add_argument(name, help=help, **options)
        self.flags.append(Flag(name, help, "metavar" in options, tuple(values)))

    def add_settings(self, *, with_serve_only: bool) -> None:
        """Add a flag for each setting that is not secret."""
        group = self.add_argument_group("settings", "each is also a variable; secrets are variables only")
        for option in OPTIONS:
            if option.secret or (option.serve_only and not with_serve_only):
                continue
            default = f", default {option.default}" if option.default else ""
            metavar = option.name.rpartition("_")[2].upper()
            options: dict[str, Any] = {"action": "store_true"} if option.is_flag else {"metavar": metavar}
            group.add_argument(
                option.flag,
                help=f"{option.help} [{option.variable}{default}]",
                dest=f"set_{option.name}",
                # Without a default, a value before the command is not overwritten by the parser of the command.
                default=argparse.SUPPRESS,
                **options,
            )
            self.flags.append(Flag(option.flag, option.help, not option.is_flag, option.choices))

    def format_help(self) -> str:
        """Return the help in the width of the terminal. argparse wraps only the descriptions of the flags."""
        from .layout import fit, paragraph, width

        indent = " " * len("usage: ")
        self.usage = "\n".join(paragraph(self.usage or "", width(), indent)).strip()
        self.description, self.epilog = (fit(text or "", width()) for text in (self.description, self.epilog))
        return super().format_help()

    def _print_message(self, message: str, file: Any = None) -> None:
        # argparse ignores an error here, and the exit status would be 0 although no help was printed.
        with suppress(OSError) if file is not sys.stdout else nullcontext():
            file.write(message)

    def error(self, message: str) -> NoReturn:
        from ..redaction import redact_keys

        self.exit(2, f"{self.prog}: {redact_keys(to_line(message))}\nSee: {self.prog} --help\n")
