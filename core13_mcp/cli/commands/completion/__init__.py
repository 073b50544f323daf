"""`core13-mcp completion`: print a shell completion script.

A script contains all tools and arguments, so that completion starts no process.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ....declarations.catalog import Catalog, load
from ...argument_parser import Flag, Parser
from ...help import COMMANDS
from ...parser import command_parsers, program_parser


class _Vocabulary(NamedTuple):
    """The words of the command line: the parser of each command, and the tools."""

    program: Parser
    commands: Mapping[str, Parser]
    catalog: Catalog


async def run(arguments: Namespace, _: object) -> int:
    """Print the script for `bash`, `zsh` or `fish`."""
    vocabulary = _Vocabulary(program_parser(), command_parsers(), load())
    if arguments.shell == "fish":
        print(_fill("fish.fish", LINES="\n".join(_fish_lines(vocabulary))), end="")
        return 0
    words = _fill(
        "words.sh",
        TABLE="\n".join(f"    '{key}') REPLY='{' '.join(words)}' ;;" for key, words in _rows(vocabulary)),
        COMMANDS=" | ".join(vocabulary.commands),
        TOOLS=" | ".join(vocabulary.catalog),
        TEXT_FLAGS=" | ".join(flag.name for flag in _flags(vocabulary) if flag.takes_value and not flag.values),
    )
    print(_fill(f"{arguments.shell}.sh", WORDS=words.rstrip()), end="")
    return 0


def _fill(template: str, **texts: str) -> str:
    script = (Path(__file__).parent / template).read_text("utf-8")
    for name, text in texts.items():
        script = script.replace(f"@{name}@", text)
    return script


def _flags(vocabulary: _Vocabulary) -> list[Flag]:
    parsers = (vocabulary.program, *vocabulary.commands.values())
    # Several commands have the flag of a setting.
    return list(dict.fromkeys(flag for parser in parsers for flag in parser.flags))


def _rows(vocabulary: _Vocabulary) -> Iterator[tuple[str, list[str]]]:
    """Yield the words that may follow a flag, a command, or a tool, for bash and zsh."""
    for flag in _flags(vocabulary):
        if flag.values:
            yield f"value {flag.name}", list(flag.values)
    yield "command ", [*vocabulary.commands, *(flag.name for flag in vocabulary.program.flags)]
    for name, parser in vocabulary.commands.items():
        yield f"command {name}", [*parser.values, *(flag.name for flag in parser.flags)]
    yield "tools", list(vocabulary.catalog)
    for tool in vocabulary.catalog.values():
        yield f"arguments {tool.name}", [f"{name}=" for name in tool.arguments]


def _fish_lines(vocabulary: _Vocabulary) -> Iterator[str]:
    seen = "__fish_seen_subcommand_from"
    no_command = f"not {seen} {' '.join(vocabulary.commands)}"
    no_tool = f"{seen} call tools; and not {seen} {' '.join(vocabulary.catalog)}"
    for flag in vocabulary.program.flags:
        yield _fish_line(no_command, _fish_flag(flag), flag.help)
    for name, parser in vocabulary.commands.items():
        yield _fish_line(no_command, f"-a {name}", COMMANDS[name].summary)
        for flag in parser.flags:
            yield _fish_line(f"{seen} {name}", _fish_flag(flag), flag.help)
        if parser.values:
            yield _fish_line(f"{seen} {name}", f"-a '{' '.join(parser.values)}'", "")
    for tool in vocabulary.catalog.values():
        yield _fish_line(no_tool, f"-a {tool.name}", tool.title)
        for name, schema in tool.arguments.items():
            yield _fish_line(f"{seen} call; and {seen} {tool.name}", f"-a {name}=", schema.get("description", ""))


def _fish_line(condition: str, offer: str, description: str) -> str:
    text = " ".join(description.split())[:100].replace("\\", "\\\\").replace("'", "\\'")
    return f"complete -c core13-mcp -n '{condition}' {offer}" + (f" -d '{text}'" if text else "")


def _fish_flag(flag: Flag) -> str:
    values = f" -x -a '{' '.join(flag.values)}'" if flag.values else " -r -F" if flag.takes_value else ""
    return f"-l {flag.name.removeprefix('--')}{values}"
