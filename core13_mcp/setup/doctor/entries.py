"""This server's entries in the files of clients, and checks that start no process."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ... import identity
from ...errors import ConfigurationError
from ...identity import NAME, VERSION
from ...keys import HOW_TO_GET_A_KEY, key_problem
from .. import paths
from ..client import Client, ConfigFile
from ..clients import CLIENTS
from ..entries import PLACEHOLDER, REFERENCE, inline_keys, secret_values
from ..environment import Environment
from ..install import load
from ..paths import KeyPath, ParseError
from .finding import Finding, Status

_SERVERS_KEYS = {client.servers_key for client in CLIENTS.values()}
_OWN_NAME = re.compile(r"core13[-_]mcp")
_PACKAGE = re.compile(r"core13[-_]mcp(\[.*\])?([@=<>~!].*)?")
_PINNED_VERSION = re.compile(r"core13[-_]mcp(?:@|==)[0-9]")

# The environment of a program that is not started from a shell.
_GUI_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
_INHERITED = ("HOME", "USER", "LANG", "TMPDIR", "SystemRoot", "APPDATA", "LOCALAPPDATA", "USERPROFILE", "TEMP")


@dataclass(frozen=True, slots=True)
class Entry:
    """One server entry in one file."""

    file: ConfigFile
    name: str
    value: Mapping[str, Any]

    @property
    def client(self) -> Client:
        """The client that reads the file."""
        return self.file.client

    @property
    def command(self) -> list[str]:
        """The command that the client starts; empty for a remote server."""
        return self.client.command(self.value)

    @property
    def reinstall_command(self) -> str:
        """The `install` command that writes this entry again."""
        is_default = self.file.scope == next(iter(self.client.files))
        return f"{NAME} install {self.client.name}" + ("" if is_default else f" --scope {self.file.scope}")

    def finding(self, status: Status, message: str, fix: str = "") -> Finding:
        """Return a finding about this entry."""
        return Finding(f"client {self.client.name}", status, f"{self.file.path}: {message}", fix)


def find_entries(file: ConfigFile) -> tuple[list[Entry], list[Finding]]:
    """Return this server's entries, and findings about the file and about entries that the client does not read."""
    client = file.client
    problem = partial(Finding, f"client {client.name}", "wrong")
    try:
        content = load(file)
    except ConfigurationError as error:
        message, _, fix = str(error).partition("; ")
        if isinstance(error, ParseError):
            fix = f"correct it there; until then {client.title} reads nothing of this file"
        return [], [problem(message, fix or "correct the permissions of the file")]
    entries = _own_entries(file, content, file.servers_path)
    misplaced = [key for key in sorted(_SERVERS_KEYS - {client.servers_key}) if _own_entries(file, content, (key,))]
    fix = f'remove it there and run `{NAME} install {client.name}`, which writes it to "{client.servers_key}"'
    return entries, [
        problem(f'{file.path}: {NAME} is in "{key}", which {client.title} does not read', fix) for key in misplaced
    ]


def _own_entries(file: ConfigFile, content: Any, servers_path: KeyPath) -> list[Entry]:
    """Return the entries with `core13-mcp` in their name or in a word of their command."""
    servers = paths.get(content, servers_path)
    members = servers.items() if isinstance(servers, dict) else ()
    entries = [Entry(file, name, value) for name, value in members if isinstance(value, dict)]
    return [entry for entry in entries if any(map(_OWN_NAME.search, [entry.name, *entry.command]))]


def process_environment(entry: Entry, environment: Environment, placeholder: str) -> dict[str, str]:
    """Return the environment variables with which the client starts the command.

    A reference that only the client can resolve becomes the placeholder, because a handshake sends no key.
    """
    client, variables = entry.client, environment.variables
    base = dict(variables)
    if not client.inherits_env:
        base = {name: variables[name] for name in _INHERITED if name in variables}
        has_gui_path = client.is_gui and environment.platform != "win32"
        base["PATH"] = _GUI_PATH if has_gui_path else variables.get("PATH", "")
    names, env = entry.value.get(client.env_names_field or ""), entry.value.get(client.env_field)
    listed = {name: variables.get(name, placeholder) for name in names} if isinstance(names, list) else {}
    resolved = {}
    for name, value in env.items() if isinstance(env, dict) else ():
        reference = REFERENCE.match(str(value))
        resolved[name] = variables.get(reference[1]) or placeholder if reference else str(value)
    return {**base, **listed, **resolved}


def check_entry(entry: Entry, environment: Environment) -> list[Finding]:
    """Return the problems of an entry that are visible without starting its command."""
    checks = (_check_types, _check_command, _check_version, _check_references, _check_keys)
    return [finding for check in checks for finding in check(entry, environment)]


def _check_types(entry: Entry, _: Environment) -> Iterator[Finding]:
    client = entry.client
    program = ("a string", str) if client.arguments_field else ("a list", list)
    objects = [(field, "an object", dict) for field in (client.env_field, "headers")]
    for field, description, expected in [(client.program_field, *program), *objects]:
        if not isinstance(entry.value.get(field, expected()), expected):
            fix = f"{entry.reinstall_command} writes a valid entry"
            yield entry.finding("wrong", f'"{field}" is not {description}', fix)


def _check_command(entry: Entry, environment: Environment) -> Iterator[Finding]:
    program, title = next(iter(entry.command), ""), entry.client.title
    fix = f"{entry.reinstall_command} writes an absolute path"
    if Path(program).is_absolute():
        if shutil.which(program) is None:
            fix = f"{entry.reinstall_command} writes the current path"
            yield entry.finding("wrong", f"there is no program {program}", fix)
    elif program and entry.client.is_gui:
        message = f'"{program}" is not an absolute path; {title} does not see the PATH of your shell'
        yield entry.finding("wrong", message, fix)
    elif program and shutil.which(program, path=environment.variables.get("PATH")) is None:
        yield entry.finding("wrong", f'"{program}" is not on the PATH', fix)


def _check_version(entry: Entry, _: Environment) -> Iterator[Finding]:
    program, *arguments = entry.command or [""]
    if Path(program).stem not in ("uvx", "uv", "pipx"):
        return
    if not identity.PUBLISHED and "--from" not in arguments and any(map(_PACKAGE.fullmatch, arguments)):
        message = f"{NAME} is not published on PyPI yet, so {Path(program).stem} would run a package of someone else"
        yield entry.finding("wrong", message, f"{entry.reinstall_command} starts this installation")
    elif identity.PUBLISHED and not any(map(_PINNED_VERSION.search, arguments)):
        fix = f"{entry.reinstall_command} --uvx pins {VERSION}"
        yield entry.finding("note", "no version is pinned, so it always runs the newest version", fix)


def _check_references(entry: Entry, environment: Environment) -> Iterator[Finding]:
    client = entry.client
    for name, value in secret_values(entry.client, entry.value):
        reference = None if client.prompts else REFERENCE.search(value)
        if PLACEHOLDER in value:
            fix = f"replace it with your key; {HOW_TO_GET_A_KEY}"
            yield entry.finding("wrong", f"{name} still contains the placeholder", fix)
        elif reference and client.variable_syntax is None:
            fix = f"{entry.reinstall_command} asks for the key and writes it to the file"
            yield entry.finding("wrong", f"{client.title} does not expand variables such as {value}", fix)
        elif reference and not environment.variables.get(reference[1]):
            fix = f"set it in the environment of {client.title}"
            yield entry.finding("note", f"{value} refers to a variable that is not set here", fix)


def _check_keys(entry: Entry, environment: Environment) -> Iterator[Finding]:
    keys = inline_keys(entry.client, entry.value)
    for problem in filter(None, map(key_problem, keys)):
        message, _, fix = problem.partition("; ")
        yield entry.finding("wrong", message, fix)
    # On Windows the mode always says that others can read the file.
    if keys and entry.file.path.stat().st_mode & 0o077 and environment.platform != "win32":
        message = "other users of this machine can read the key in it"
        yield entry.finding("wrong", message, f"chmod 600 {entry.file.path}")
