"""The grammar of the command line: its commands, flags and help. Standard library only, so that help costs nothing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from ..identity import VERSION
from ..settings import OPTIONS
from ..setup.clients import CLIENTS
from .examples import EXAMPLES


class _Parser(argparse.ArgumentParser):
    """Takes no shortened flags, so that no secret is taken for a file's name; its errors say what was meant, and no key."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **given})

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where to read on, and end."""
        from ..redaction import redact_keys

        self.exit(2, f"{self.prog}: {redact_keys(message)}\nSee: {self.prog} --help\n")

    def format_help(self) -> str:
        """The help, with all settings as one word in its first line: they are explained below it."""
        own = [action for action in self._actions if not action.dest.startswith("set_")]
        if self.usage is None and len(own) < len(self._actions):
            first = self._get_formatter()
            first.add_usage(None, own, ())
            self.usage = first.format_help().removeprefix("usage: ").strip().replace("[-h]", "[-h] [--SETTING ...]", 1)
        return super().format_help()

    def _check_value(self, action: argparse.Action, value: object) -> None:
        # argparse says "invalid choice" and all there are, in words that differ from version to version.
        if action.choices is not None and value not in action.choices:
            known = list(map(str, action.choices))
            meant = _meant(str(value), known) or f". Use {', '.join(known)}"
            raise argparse.ArgumentError(action if action.option_strings else None, f"there is no {value!r}{meant}")


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line in parts; a call's arguments may stand before or after its flags, which argparse alone refuses."""
    whole = parser()
    _refuse_secrets(whole, sys.argv[1:] if argv is None else argv)
    arguments, words = whole.parse_known_args(argv)
    wrong = [word for word in words if arguments.command != "call" or (word.startswith("-") and word != "-")]
    if wrong:
        asked = commands()[arguments.command]
        meant = _meant(wrong[0], asked._option_string_actions) if wrong[0].startswith("--") else ""
        asked.error(f"unrecognized arguments: {' '.join(wrong)}{meant}")
    if words:
        arguments.arguments = [*arguments.arguments, *words]
    return arguments


def _meant(word: str, known: Iterable[str]) -> str:
    from ..text import did_you_mean

    return f". {did_you_mean(word.partition('=')[0], known)}".removesuffix(". ")


def _refuse_secrets(whole: argparse.ArgumentParser, words: Sequence[str]) -> None:
    for option in OPTIONS:
        if option.secret and any(word.partition("=")[0] == option.flag for word in words):
            whole.error(f"{option.flag}: everybody on this machine can read a flag; set {option.variable} instead")


def parser() -> argparse.ArgumentParser:
    """The grammar of the command line."""
    return _grammar()[0]


def commands() -> Mapping[str, argparse.ArgumentParser]:
    """The grammar of each command, the empty name for what may stand before one."""
    whole, added = _grammar()
    return {"": whole, **added.choices}


def _grammar() -> tuple[argparse.ArgumentParser, Any]:
    whole = _Parser(
        prog="core13-mcp",
        description="PostHog's Core-13 API page as MCP tools: serve them to an agent, or try them from the shell.",
        epilog=_examples(""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action="version", version=VERSION, help="show the version and exit")
    whole.set_defaults(command="serve", needs_settings=True)
    _add_options(whole, serve_only=True)
    commands = whole.add_subparsers(metavar="COMMAND")

    _command(commands, "serve", "serve MCP over stdio (the default), or over HTTP")
    demo = _command(commands, "demo", "play a story against the sandbox through a real MCP client", options=False)
    demo.set_defaults(needs_settings=False)

    tools = _command(commands, "tools", "list the tools, or show one as clients see it")
    tools.add_argument("name", nargs="?", metavar="NAME")
    tools.add_argument("--json", action="store_true", help="every tool's wire definition")

    call = _command(commands, "call", "make one call and print its result")
    call.add_argument("name", metavar="NAME")
    call.add_argument("arguments", nargs="*", default=[], metavar="JSON | key=value ... | -")
    call.add_argument("--dry-run", action="store_true", help="print the request that would be sent, and send nothing")

    sandbox = _command(commands, "sandbox", "the embedded API on a port, or what it would have sent", options=False)
    sandbox.add_argument("what", nargs="?", choices=["serve", "outbox"], default="serve")
    sandbox.add_argument("--port", type=int, default=8013, help="0 takes any free one (default 8013)")
    sandbox.add_argument("--db", metavar="FILE", default=":memory:", help="keeps the data; in memory without it")
    sandbox.add_argument("--faults", action="store_true", help="let requests ask for faults")

    _add_set_up(commands)
    return whole, commands


def _add_set_up(commands: Any) -> None:
    install = _command(commands, "install", "write this server into a client's configuration")
    _add_client(install)
    install.add_argument(
        "--print", action="store_true", dest="show", help="print what goes into the file; write nothing"
    )
    install.add_argument("--remote", metavar="URL", help="a server that runs elsewhere, instead of a command here")
    install.add_argument("--uvx", action="store_true", help="run it with uvx, with the version pinned")

    uninstall = _command(commands, "uninstall", "take this server out of a client's configuration", options=False)
    _add_client(uninstall)
    uninstall.set_defaults(needs_settings=False)

    doctor = _command(commands, "doctor", "say what is wrong with the set-up, and the fix")
    doctor.add_argument("--json", action="store_true", help="the same for a program")
    doctor.set_defaults(needs_settings=False)

    completion = _command(commands, "completion", "print what makes a shell complete these commands", options=False)
    completion.add_argument("shell", choices=["bash", "zsh", "fish"])
    completion.set_defaults(needs_settings=False)


def _examples(command: str) -> str:
    return f"examples:\n{EXAMPLES[command]}"


def _add_client(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("client", metavar="CLIENT", choices=list(CLIENTS), help=", ".join(CLIENTS))
    parser.add_argument("--scope", choices=["user", "project", "local"], help="whose configuration; user by default")


def _command(commands: Any, name: str, says: str, options: bool = True) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=says,
        description=says[0].upper() + says[1:] + ".",
        epilog=_examples(name),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(command=name)
    if options:
        _add_options(command, serve_only=name == "serve")
    return command


def _add_options(parser: argparse.ArgumentParser, serve_only: bool) -> None:
    group = parser.add_argument_group("settings", "each is also a variable; secrets are variables only")
    for option in OPTIONS:
        if option.secret or (option.serve_only and not serve_only):
            continue
        says = f"{option.help} [{option.variable}{f', default {option.default}' if option.default else ''}]"
        # Suppressed, so that what stands before the command is not undone by the command's own default.
        common: dict[str, Any] = {"dest": f"set_{option.name}", "default": argparse.SUPPRESS, "help": says}
        if option.is_flag:
            group.add_argument(option.flag, action="store_true", **common)
        else:
            group.add_argument(option.flag, metavar=option.name.rpartition("_")[2].upper(), **common)
