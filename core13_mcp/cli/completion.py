"""What makes a shell complete these commands: a script for each, with the tools and their arguments in it.

Everything is in the script, so that pressing the key starts no process.
"""

from __future__ import annotations

import shlex
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..declarations.catalog import Catalog

TAKE_TOOLS = ("call", "tools")
"""The commands whose first argument is a tool's name."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag, what it does, and the values that it takes where they are known."""

    name: str
    says: str
    values: tuple[str, ...] = ()
    valued: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command, what it does, its flags, and what else may follow it."""

    name: str
    says: str
    flags: tuple[Flag, ...]
    words: tuple[str, ...]


def describe(grammar: Mapping[str, ArgumentParser], values: Mapping[str, tuple[str, ...]]) -> list[Command]:
    """The commands of a grammar, the empty one first; `values` are what flags take, where the grammar does not say."""
    return [_command(name, parser, values) for name, parser in grammar.items()]


def bash(commands: list[Command], catalog: Catalog) -> str:
    """For bash, from version 3.2 on."""
    return f"""\
# Made by `core13-mcp completion bash`.
_core13_mcp() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} command= tool= known= word
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    case $word in
      {_either(command.name for command in commands if command.name)}) command=${{command:-$word}} ;;
      {_either(catalog)}) tool=$word ;;
    esac
  done
{_choose(commands, catalog)}
  COMPREPLY=($(compgen -W "$known" -- "$current"))
  if [ "${{#COMPREPLY[@]}}" = 1 ] && [ "${{COMPREPLY[0]%=}}" != "${{COMPREPLY[0]}}" ]; then compopt -o nospace 2>/dev/null; fi
}}
complete -o default -F _core13_mcp core13-mcp
"""


def zsh(commands: list[Command], catalog: Catalog) -> str:
    """For zsh, in a file named `_core13-mcp` on the fpath or sourced after compinit."""
    return f"""\
#compdef core13-mcp
# Made by `core13-mcp completion zsh`.
_core13_mcp() {{
  local previous=${{words[CURRENT-1]}} command= tool= known= word
  for word in "${{(@)words[2,CURRENT-1]}}"; do
    case $word in
      {_either(command.name for command in commands if command.name)}) command=${{command:-$word}} ;;
      {_either(catalog)}) tool=$word ;;
    esac
  done
{_choose(commands, catalog)}
  local -a offered=(${{=known}})
  compadd -S '' -- ${{(M)offered:#*=}}
  compadd -- ${{offered:#*=}}
  [[ -n $known ]] || _files
}}
if [ "$funcstack[1]" = "_core13-mcp" ]; then _core13_mcp "$@"; else compdef _core13_mcp core13-mcp; fi
"""


def fish(commands: list[Command], catalog: Catalog) -> str:
    """For fish."""
    names = " ".join(command.name for command in commands if command.name)
    lines = ["# Made by `core13-mcp completion fish`.", "complete -c core13-mcp -f"]
    for command in commands:
        seen = (
            f"__fish_seen_subcommand_from {command.name}"
            if command.name
            else f"not __fish_seen_subcommand_from {names}"
        )
        if command.name:
            first = f"not __fish_seen_subcommand_from {names}"
            lines.append(_fish(first, f"-a {command.name}", command.says))
        lines += [_fish(seen, _fish_flag(flag), flag.says) for flag in command.flags]
        if command.words:
            lines.append(_fish(seen, f"-a '{' '.join(command.words)}'", ""))
    takes = (
        f"__fish_seen_subcommand_from {' '.join(TAKE_TOOLS)}; and not __fish_seen_subcommand_from {' '.join(catalog)}"
    )
    for tool in catalog.values():
        lines.append(_fish(takes, f"-a {tool.name}", tool.title))
        for name, schema in tool.arguments.items():
            called = f"__fish_seen_subcommand_from call; and __fish_seen_subcommand_from {tool.name}"
            lines.append(_fish(called, f"-a {name}=", schema.get("description", "")))
    return "\n".join(lines) + "\n"


SHELLS = {"bash": bash, "zsh": zsh, "fish": fish}


def _command(name: str, parser: ArgumentParser, known: Mapping[str, tuple[str, ...]]) -> Command:
    flags: list[Flag] = []
    words: list[str] = []
    # What argparse calls private is where every completer looks; it has been there since Python 2.7.
    for action in parser._actions:
        values = tuple(map(str, action.choices or ()))
        if not action.option_strings:
            words += values
        else:
            long = action.option_strings[-1]
            flags.append(Flag(long, action.help or "", values or known.get(long, ()), valued=action.nargs != 0))
    return Command(name, (parser.description or "").rstrip("."), tuple(flags), tuple(words if name else ()))


def _choose(commands: list[Command], catalog: Catalog) -> str:
    """The part that bash and zsh share: from command, tool and previous word to the known words."""
    values = {flag.name: flag.values for command in commands for flag in command.flags if flag.values}
    unknown = {flag.name for command in commands for flag in command.flags if flag.valued and not flag.values}
    lines = ["  case $previous in"]
    lines += [f"    {name}) known={shlex.quote(' '.join(words))} ;;" for name, words in sorted(values.items())]
    lines += [f"    {_either(sorted(unknown))}) ;;", "    *)", "      case $command in"]
    for command in commands:
        offered = [*command.words, *(flag.name for flag in command.flags)]
        if not command.name:
            offered = [*(other.name for other in commands if other.name), *offered]
        lines.append(f"        {command.name or chr(34) * 2}) known={shlex.quote(' '.join(offered))} ;;")
    lines += ["      esac", f"      case $command/$tool in {_either(f'{name}/' for name in TAKE_TOOLS)})"]
    lines += [f'        known="{" ".join(catalog)} $known" ;;']
    for tool in catalog.values():
        names = " ".join(f"{name}=" for name in tool.arguments)
        lines.append(f'        call/{tool.name}) known="{names} $known" ;;')
    return "\n".join([*lines, "      esac ;;", "  esac"])


def _either(words: Iterator[str] | Catalog | list[str]) -> str:
    return "|".join(words)


def _fish(when: str, what: str, says: str) -> str:
    told = f" -d {_fish_quoted(says)}" if says else ""
    return f"complete -c core13-mcp -n '{when}' {what}{told}"


def _fish_flag(flag: Flag) -> str:
    values = f" -x -a '{' '.join(flag.values)}'" if flag.values else " -r -F" if flag.valued else ""
    return f"-l {flag.name.removeprefix('--')}{values}"


def _fish_quoted(text: str) -> str:
    return "'" + " ".join(text.split())[:100].replace("\\", "\\\\").replace("'", "\\'") + "'"
