"""The command line: commands, arguments and flags. Standard library only, so that `--help` is fast."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext, suppress
from typing import Any, NamedTuple, NoReturn, get_args

from ..identity import NAME, VERSION
from ..settings import OPTIONS, SandboxEra
from ..setup.clients import CLIENTS
from ..text import did_you_mean, to_line
from .help import COMMANDS, PROGRAM, Help
from .values import one_of, port, seconds


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

    def __init__(self, name: str, command: Help) -> None:
        settings = "[--SETTING ...]" if command.has_settings else ""
        super().__init__(
            prog=name,
            usage=" ".join(filter(None, (name, "[-h]", settings, command.usage))),
            description=f"{command.summary[0].upper()}{command.summary[1:]}.",
            epilog=f"examples:\n{command.examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.flags = [Flag("--help", "show this help message and exit")]
        self.values: tuple[str, ...] = ()

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

    def _print_message(self, message: str, file: Any = None) -> None:
        # argparse ignores an error here, and the exit status would be 0 although no help was printed.
        with suppress(OSError) if file is not sys.stdout else nullcontext():
            file.write(message)

    def error(self, message: str) -> NoReturn:
        from ..redaction import redact_keys

        self.exit(2, f"{self.prog}: {redact_keys(to_line(message))}\nSee: {self.prog} --help\n")


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line. Settings may stand before or after the command; the default command is `serve`."""
    argv = sys.argv[1:] if argv is None else argv
    program, commands = program_parser(), command_parsers()
    _reject_secrets(program, argv)
    arguments, unknown = program.parse_known_args(argv)
    if unknown:
        _reject_unknown(program, unknown)
    command = commands[arguments.command]
    # Intermixed: the arguments of a call may stand on both sides of its flags.
    arguments, unknown = command.parse_known_intermixed_args(arguments.rest, arguments)
    if unknown:
        _reject_unknown(command, unknown)
    return arguments


def program_parser() -> Parser:
    """Return the parser of the settings before the command, the command, and the rest of the command line."""
    program = Parser(NAME, PROGRAM)
    listing = "\n".join(f"{name:12} {command.summary}" for name, command in COMMANDS.items())
    program.add_argument_group("commands", listing)
    program.add_argument(
        "command", nargs="?", default="serve", type=one_of(tuple(COMMANDS)), metavar="COMMAND", help=argparse.SUPPRESS
    )
    program.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    program.add_argument("--version", action="version", version=VERSION, help="show the version and exit")
    program.flags.append(Flag("--version", "show the version and exit"))
    program.add_settings(with_serve_only=True)
    return program


def command_parsers() -> Mapping[str, Parser]:
    """Return the parser of each command, by name."""
    parsers = {name: Parser(f"{NAME} {name}", command) for name, command in COMMANDS.items()}
    _add_arguments(parsers)
    for name, parser in parsers.items():
        # `doctor` reads the settings itself, to report every problem.
        needs_settings = name not in ("demo", "uninstall", "doctor", "completion", "check")
        parser.set_defaults(command=name, needs_settings=needs_settings)
        if COMMANDS[name].has_settings:
            parser.add_settings(with_serve_only=name == "serve")
    return parsers


def _add_arguments(parsers: Mapping[str, Parser]) -> None:
    parsers["tools"].add_argument("name", nargs="?", metavar="NAME", help="the tool to print")
    parsers["tools"].add_flag("--json", "print the definition of every tool as JSON")
    call, install = parsers["call"], parsers["install"]
    call.add_argument("name", metavar="NAME", help="the tool to call")
    call.add_argument(
        "arguments", nargs="*", default=[], metavar="JSON | key=value ... | -", help="its arguments; - reads stdin"
    )
    call.add_flag("--dry-run", "print the request and do not send it")
    call.add_flag("--yes", "confirm the call, and send it without a question")
    _add_sandbox_arguments(parsers["sandbox"])
    parsers["demo"].add_flag("--step", "wait for Enter before each request")
    parsers["demo"].add_flag("--quiet", "print the summary only")
    for parser in (install, parsers["uninstall"]):
        parser.add_values("client", CLIENTS, metavar="CLIENT", help=", ".join(CLIENTS))
        parser.add_flag("--scope", "which configuration of the client; user by default", ("user", "project", "local"))
    install.add_flag("--print", "print the configuration and do not write it", dest="show")
    install.add_flag("--remote", "URL of a server that runs elsewhere", metavar="URL")
    install.add_flag("--uvx", "run the published package with uvx, at this version")
    parsers["doctor"].add_flag("--json", "print the result as JSON")
    parsers["doctor"].add_flag("--run-project-commands", "also start commands that files of this directory contain")
    parsers["check"].add_argument("directory", metavar="DIR", help="the directory of the declarations")
    parsers["completion"].add_values("shell", ("bash", "zsh", "fish"), metavar="SHELL", help="bash, zsh or fish")


def _add_sandbox_arguments(sandbox: Parser) -> None:
    sandbox.add_values(
        "what", ("serve", "outbox"), nargs="?", default="serve", metavar="ACTION", help="serve (the default) or outbox"
    )
    sandbox.add_flag(
        "--port", "port to listen on; 0 selects a free port (default 8013)", type=port, default=8013, metavar="PORT"
    )
    sandbox.add_flag("--db", "file for the data; in memory by default", default=":memory:", metavar="FILE")
    sandbox.add_flag("--era", "version of the API: page (the default) or today", get_args(SandboxEra), default="page")
    sandbox.add_flag("--faults", "allow fault injection by request header")
    sandbox.add_flag("--oauth-rotation", "replace each OAuth refresh token when it is used")
    lifetime = "lifetime of OAuth access tokens (default 604800)"
    sandbox.add_flag("--oauth-seconds", lifetime, type=seconds, default=604_800, metavar="N")


def _reject_unknown(parser: Parser, words: Sequence[str]) -> NoReturn:
    # Without the dashes, which would make every flag similar.
    names = [flag.name.removeprefix("--") for flag in parser.flags]
    suggestion = did_you_mean(words[0].partition("=")[0].lstrip("-"), names, "--{}".format)
    parser.error(f"unrecognized arguments: {' '.join(words)}" + (f". {suggestion}" if suggestion else ""))


def _reject_secrets(program: Parser, words: Sequence[str]) -> None:
    for option in OPTIONS:
        if option.secret and any(word.partition("=")[0] == option.flag for word in words):
            program.error(
                f"{option.flag}: other users of this machine can read the flags of a process;"
                f" set the variable {option.variable} instead"
            )
