"""Which commands in the files of a project `doctor` starts. Other people can write these files."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

from ...identity import NAME
from ...settings import OPTIONS
from ..command import server_command
from ..environment import Environment
from .entries import Entry
from .finding import Finding

# Settings with which a server over stdio reads files at most. The sandbox would write to its database.
_HARMLESS = [option for option in OPTIONS if not option.serve_only and option.name != "sandbox_db"]
_VARIABLES = {option.variable for option in _HARMLESS}
_FLAGS = {option.flag: option for option in _HARMLESS if not option.secret}


def own_command(entry: Entry, environment: Environment) -> list[str] | None:
    """Return the command of an entry with the path of its program, if it starts this installation and nothing else."""
    program, *words = entry.command
    path = shutil.which(program, path=environment.variables.get("PATH", ""))
    rest = _after_own_command(path, words) if path else None
    if path is None or rest is None or not _are_harmless(rest) or not _VARIABLES.issuperset(_passed_on(entry)):
        return None
    return [path, *words]


def skipped(entry: Entry) -> Finding:
    """Return the finding about an entry: its command was not started, or its server was not called."""
    action, does, reason = "called", "calls", f"this project names the server {entry.url}, and its request headers"
    if entry.command:
        action, does = "started", "starts"
        reason = f"it is a command of this project ({entry.command[0]}) that does something else than start this installation"
    fix = f"read the file; then `{NAME} doctor --run-project-commands` {does} it"
    return entry.finding("skip", f'"{entry.name}" was not {action}, because {reason}', fix)


def skipped_host(entry: Entry, host: str) -> Finding:
    """Return the finding about a key that was not sent to a host which a file of the project names."""
    message = f"the key was not checked, because this project names the host {host}, and your settings do not"
    fix = f"read the file; then `{NAME} doctor --run-project-commands` sends the key there"
    return entry.finding("skip", message, fix)


def _after_own_command(path: str, words: Sequence[str]) -> Sequence[str] | None:
    """Return the words behind the command of this installation, or None if the words are another command."""
    program, *own_words, _ = server_command()
    commands = [[program, *own_words], [sys.executable, "-m", "core13_mcp"]]
    for own_program, *own in commands:
        # An interpreter in a virtual environment is a link to one that does not have this package.
        same_file = not own and os.path.realpath(path) == os.path.realpath(own_program)
        if (same_file or os.path.abspath(path) == os.path.abspath(own_program)) and [*words[: len(own)]] == own:
            return words[len(own) :]
    return None


def _are_harmless(words: Sequence[str]) -> bool:
    """Whether arguments start a server over stdio, with harmless settings only."""
    remaining = iter(words)
    for word in remaining:
        name, separator, _ = word.partition("=")
        option = _FLAGS.get(name)
        if option is None and word != "serve":
            return False
        if option is not None and not option.is_flag and not separator:
            next(remaining, None)
    return True


def _passed_on(entry: Entry) -> list[str]:
    """Return the names of the variables that an entry sets or passes on."""
    return [*(name for name, _ in entry.variables), *entry.names(entry.client.env_names_field)]
