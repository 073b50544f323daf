"""The command line: commands, arguments and flags. Standard library only, so that `--help` is fast."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn, get_args

from ..identity import NAME, VERSION
from ..settings import OPTIONS, Auth, SandboxEra
from ..setup.clients import CLIENTS
from ..text import did_you_mean
from .argument_parser import Flag, Parser
from .help import COMMANDS, PROGRAM
from .values import one_of, port, seconds


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line. Settings may stand before or after the command; the default command is `serve`."""
    argv = sys.argv[1:] if argv is None else argv
    if not argv and sys.stdin.isatty():
        # A person. An MCP client starts the server with a pipe.
        _print_help(program_parser(with_settings=False))
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
    if arguments.topic:
        return _show_topic(arguments, {NAME: program, **commands})
    if arguments.command == "call" and arguments.name is None:
        command.error("the following arguments are required: NAME")
    return arguments


def _show_topic(arguments: argparse.Namespace, parsers: Mapping[str, Parser]) -> argparse.Namespace:
    """Print the help of a command, or return the arguments that print the help of a tool."""
    topic = arguments.name or arguments.topic
    if topic in parsers:
        _print_help(parsers[topic])
    arguments.command, arguments.name, arguments.json = "tools", topic, False
    return arguments


def _print_help(parser: Parser) -> NoReturn:
    parser.print_help()
    parser.exit()


def program_parser(*, with_settings: bool = True) -> Parser:
    """Return the parser of the settings before the command, the command, and the rest of the command line.

    Without settings, its help is short.
    """
    listing = "".join(f"\n  {name:12} {command.summary}" for name, command in COMMANDS.items())
    program = Parser(NAME, PROGRAM, f"\n\ncommands:{listing}")
    program.add_argument(
        "command",
        nargs="?",
        default="serve",
        type=one_of(tuple(COMMANDS), ("--version",)),
        metavar="COMMAND",
        help=argparse.SUPPRESS,
    )
    program.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    program.add_argument("-V", "--version", action="version", version=VERSION, help="show the version and exit")
    program.flags.append(Flag("--version", "show the version and exit"))
    if with_settings:
        program.add_settings(with_serve_only=True)
    return program


def command_parsers() -> Mapping[str, Parser]:
    """Return the parser of each command, by name."""
    parsers = {name: Parser(f"{NAME} {name}", command) for name, command in COMMANDS.items()}
    _add_arguments(parsers)
    for name, parser in parsers.items():
        # `doctor` reads the settings itself, to report every problem.
        needs_settings = name not in ("demo", "uninstall", "doctor", "completion", "check")
        topic = NAME if name == "help" else None
        parser.set_defaults(command=name, needs_settings=needs_settings, topic=topic)
        if COMMANDS[name].has_settings:
            parser.add_settings(with_serve_only=name == "serve")
    return parsers


def _add_arguments(parsers: Mapping[str, Parser]) -> None:
    parsers["help"].values = tuple(COMMANDS)
    parsers["help"].add_argument("name", nargs="?", metavar="NAME", help="a command or a tool")
    parsers["tools"].add_argument("name", nargs="?", metavar="NAME", help="the tool to describe")
    parsers["tools"].add_flag("--json", "print definitions as JSON, as MCP clients receive them")
    install = parsers["install"]
    _add_call(parsers["call"])
    _add_login(parsers["login"])
    _add_sandbox_arguments(parsers["sandbox"])
    parsers["demo"].add_flag("--step", "wait for Enter before each request")
    parsers["demo"].add_flag("--quiet", "print the summary only")
    for parser in (install, parsers["uninstall"]):
        parser.add_values("clients", CLIENTS, nargs="*", metavar="CLIENT", help=", ".join(CLIENTS))
        parser.add_flag("--all", "every client that is found on this machine")
        parser.add_flag("--yes", "agree to --all without a question")
        parser.add_flag("--scope", "which configuration of the client; user by default", ("user", "project", "local"))
    install.add_flag("--list", "print where this server is installed, with which settings, and change nothing")
    install.add_flag("--json", "print the list as JSON")
    install.add_flag("--print", "print the configuration and do not write it", dest="show")
    install.add_flag("--remote", "URL of a server that runs elsewhere", metavar="URL")
    install.add_flag("--remote-auth", "its authentication, if it cannot be asked", get_args(Auth))
    install.add_flag("--no-check", "do not start the server after writing")
    install.add_flag("--uvx", "run the published package with uvx, at this version")
    parsers["doctor"].add_flag("--json", "print the result as JSON")
    parsers["doctor"].add_flag("--run-project-commands", "also start commands that files of this directory contain")
    draft = parsers["draft"]
    draft.add_argument("operation", nargs="?", metavar="OPERATION", help="the operationId, such as insights_list")
    draft.add_flag("--list", "list the operations that contain a word", metavar="WORD", dest="word")
    draft.add_flag("--spec", "file or URL of the OpenAPI document; /api/schema/ of the host by default", metavar="SPEC")
    draft.add_flag("--out", "directory for the file; standard output by default", metavar="DIR")
    parsers["check"].add_argument("directory", metavar="DIR", help="the directory of the declarations")
    parsers["drift"].add_flag("--spec", "OpenAPI document: a file or a URL (default: that of the host)", metavar="SPEC")
    parsers["drift"].add_flag("--json", "print the differences as JSON")
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


def _add_call(call: Parser) -> None:
    call.takes_tool_arguments = True
    # Replaces the help of argparse, which does not know the tool.
    call.add_argument(
        "-h",
        "--help",
        action="store_const",
        const="call",
        dest="topic",
        help="show this help message, or with NAME the arguments of the tool, and exit",
    )
    call.add_argument("name", nargs="?", metavar="NAME", help="the tool to call")
    call.add_argument(
        "arguments", nargs="*", default=[], metavar="JSON | key=value ... | -", help="its arguments; - reads stdin"
    )
    call.add_flag("--dry-run", "print the request and do not send it")
    call.add_flag("--yes", "confirm the call, and send it without a question")


def _add_login(login: Parser) -> None:
    login.add_flag("--no-browser", "print the address and open no browser")
    login.add_flag(
        "--port", "port for the browser's answer (default: a free one)", type=port, default=0, metavar="PORT"
    )
    login.add_flag("--status", "print who is signed in, and sign nobody in")


def _reject_unknown(parser: Parser, words: Sequence[str]) -> NoReturn:
    # Without the dashes, which would make every flag similar.
    names = [flag.name.removeprefix("--") for flag in parser.flags]
    name, separator, value = words[0].lstrip("-").partition("=")
    if parser.takes_tool_arguments and name.replace("-", "_") in _tool_arguments():
        argument = f"{name.replace('-', '_')}={value if separator else next(iter(words[1:]), 'VALUE')}"
        parser.error(f"{words[0]} is not a flag. Write the arguments of the tool without dashes: {argument}")
    suggestion = did_you_mean(name, names, "--{}".format)
    parser.error(f"unrecognized arguments: {' '.join(words)}" + (f". {suggestion}" if suggestion else ""))


def _tool_arguments() -> set[str]:
    # Imported here, because the other command lines do not need it.
    from ..declarations.files import read_declarations

    return {name for tool in read_declarations().values() for name in tool["inputSchema"]["properties"]}


def _reject_secrets(program: Parser, words: Sequence[str]) -> None:
    for option in OPTIONS:
        if option.secret and any(word.partition("=")[0] == option.flag for word in words):
            program.error(
                f"{option.flag}: other users of this machine can read the flags of a process;"
                f" set the variable {option.variable} instead"
            )
