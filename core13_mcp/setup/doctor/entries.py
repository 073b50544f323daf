"""This server's entries in the files of clients, and checks that start no process."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...identity import NAME, VERSION
from ...keys import HOW_TO_GET_A_KEY, key_problem
from .. import merge
from ..clients import CLIENTS, Client, ConfigFile
from ..entries import PLACEHOLDER, inline_keys, secret_values
from ..environment import Environment
from ..paths import ParseError
from .finding import Finding

_SERVERS_KEYS = sorted({client.servers_key for client in CLIENTS.values()})
_OWN_NAME = re.compile(r"core13[-_]mcp")
_PINNED_VERSION = re.compile(r"core13[-_]mcp(?:@|==)(?P<version>[0-9][^\s]*)$")

# A reference to a variable or to an input, in the syntax of any client; the group is its name.
_REFERENCE = re.compile(r"\$\{?(?:env:|input:)?([A-Za-z_][A-Za-z0-9_-]*)")

_FIELD_TYPES = (("command", "a string", str), ("env", "an object", dict), ("headers", "an object", dict))

# The environment of a program that is not started from a shell.
_GUI_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
_INHERITED = ("HOME", "USER", "LANG", "TMPDIR", "SystemRoot", "APPDATA", "LOCALAPPDATA", "USERPROFILE", "TEMP")


@dataclass(frozen=True, slots=True)
class Entry:
    """One server entry in one file. `mode` is the mode of the file."""

    file: ConfigFile
    name: str
    value: Mapping[str, Any]
    mode: int

    @property
    def client(self) -> Client:
        """The client that reads the file."""
        return self.file.client

    @property
    def command(self) -> list[str]:
        """The command that the client starts; empty for a remote server."""
        program, arguments = self.value.get("command"), self.value.get("args")
        words = map(str, arguments if isinstance(arguments, list) else [])
        return [program, *words] if isinstance(program, str) and program else []

    @property
    def reinstall_command(self) -> str:
        """The `install` command that writes this entry again."""
        is_default = self.file.scope == next(iter(self.client.files))
        return f"{NAME} install {self.client.name}" + ("" if is_default else f" --scope {self.file.scope}")

    def error(self, message: str, fix: str) -> Finding:
        """Return a finding that this entry does not work."""
        return Finding(check_name(self.client), "wrong", f"{self.file.path}: {message}", fix)

    def warning(self, message: str, fix: str) -> Finding:
        """Return a finding that this entry works, with a limitation."""
        return Finding(check_name(self.client), "note", f"{self.file.path}: {message}", fix)


def check_name(client: Client) -> str:
    """Return the check name of all findings about a client."""
    return f"client {client.name}"


def find_entries(file: ConfigFile, text: str, mode: int) -> tuple[list[Entry], list[Finding]]:
    """Return this server's entries, and findings about entries that the client does not read."""
    client = file.client
    try:
        servers = merge.get(client.format, text, file.servers_path)
        entries = [Entry(file, name, value, mode) for name, value in _own(servers)]
        keys = [key for key in _SERVERS_KEYS if key != client.servers_key]
        misplaced = [key for key in keys if list(_own(merge.get(client.format, text, (key,))))]
    except ParseError as error:
        message = f"{file.path} cannot be parsed: {error}"
        fix = f"correct it there; until then {client.title} reads nothing of this file"
        return [], [Finding(check_name(client), "wrong", message, fix)]
    return entries, [
        Finding(
            check_name(client),
            "wrong",
            f'{file.path}: {NAME} is in "{key}", which {client.title} does not read',
            f'remove it there and run `{NAME} install {client.name}`, which writes it to "{client.servers_key}"',
        )
        for key in misplaced
    ]


def process_environment(entry: Entry, environment: Environment, placeholder: str) -> dict[str, str]:
    """Return the environment variables with which the client starts the command.

    A reference that only the client can resolve becomes the placeholder, because a handshake sends no key.
    """
    client, variables = entry.client, environment.variables
    if client.inherits_env:
        base = dict(variables)
    else:
        has_gui_path = client.is_gui and environment.platform != "win32"
        base = {name: variables[name] for name in _INHERITED if name in variables}
        base["PATH"] = _GUI_PATH if has_gui_path else variables.get("PATH", "")
    names, env = entry.value.get("env_vars"), entry.value.get("env")
    listed = {name: variables.get(name, placeholder) for name in names} if isinstance(names, list) else {}
    own = env if isinstance(env, dict) else {}
    resolved = {str(name): _resolve(str(value), variables, placeholder) for name, value in own.items()}
    return {**base, **listed, **resolved}


def check_entry(entry: Entry, environment: Environment) -> Iterator[Finding]:
    """Yield the problems of an entry that are visible without starting its command."""
    for check in _CHECKS:
        yield from check(entry, environment)


def _check_types(entry: Entry, _: Environment) -> Iterator[Finding]:
    for field, description, expected in _FIELD_TYPES:
        if not isinstance(entry.value.get(field, expected()), expected):
            yield entry.error(f'"{field}" is not {description}', f"{entry.reinstall_command} writes a valid entry")


def _check_command(entry: Entry, environment: Environment) -> Iterator[Finding]:
    program, title = next(iter(entry.command), None), entry.client.title
    fix = f"{entry.reinstall_command} writes an absolute path"
    if program is None:
        return
    if Path(program).is_absolute():
        if shutil.which(program) is None:
            yield entry.error(f"there is no program {program}", f"{entry.reinstall_command} writes the current path")
    elif entry.client.is_gui:
        yield entry.error(f'"{program}" is not an absolute path; {title} does not see the PATH of your shell', fix)
    elif shutil.which(program, path=environment.variables.get("PATH")) is None:
        yield entry.error(f'"{program}" is not on the PATH', fix)


def _check_version(entry: Entry, _: Environment) -> Iterator[Finding]:
    if not entry.command or Path(entry.command[0]).stem not in ("uvx", "uv", "pipx"):
        return
    versions = [match["version"] for word in entry.command if (match := _PINNED_VERSION.search(word))]
    fix = f"{entry.reinstall_command} --uvx pins {VERSION}"
    if not versions:
        yield entry.warning("no version is pinned, so it always runs the newest version", fix)
    elif versions[0] != VERSION:
        yield entry.warning(f"it pins version {versions[0]}, but this is version {VERSION}", fix)


def _check_references(entry: Entry, environment: Environment) -> Iterator[Finding]:
    client = entry.client
    for name, value in secret_values(entry.value):
        reference = None if client.prompts else _REFERENCE.search(value)
        if PLACEHOLDER in value:
            yield entry.error(f"{name} still contains the placeholder", f"replace it with your key; {HOW_TO_GET_A_KEY}")
        elif reference and client.variable_syntax is None:
            fix = f"{entry.reinstall_command} asks for the key and writes it to the file"
            yield entry.error(f"{client.title} does not expand variables such as {value}", fix)
        elif reference and not environment.variables.get(reference[1]):
            fix = f"set it in the environment of {client.title}"
            yield entry.warning(f"{value} refers to a variable that is not set here", fix)


def _check_key(entry: Entry, _: Environment) -> Iterator[Finding]:
    for key in inline_keys(entry.value):
        if problem := key_problem(key):
            parts = problem.partition("; ")
            yield entry.error(parts[0], parts[2])


def _check_permissions(entry: Entry, environment: Environment) -> Iterator[Finding]:
    # On Windows the mode always says that others can read the file.
    if entry.mode & 0o077 and environment.platform != "win32" and any(inline_keys(entry.value)):
        yield entry.error("other users of this machine can read the key in it", f"chmod 600 {entry.file.path}")


_CHECKS = (_check_types, _check_command, _check_version, _check_references, _check_key, _check_permissions)


def _resolve(value: str, variables: Mapping[str, str], placeholder: str) -> str:
    reference = _REFERENCE.match(value)
    return variables.get(reference[1]) or placeholder if reference else value


def _own(servers: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the entries with `core13-mcp` in their name or in a word of their command."""
    for name, value in servers.items() if isinstance(servers, dict) else ():
        if not isinstance(value, dict):
            continue
        words = [name, value.get("command"), *(value["args"] if isinstance(value.get("args"), list) else [])]
        if any(_OWN_NAME.search(word) for word in words if isinstance(word, str)):
            yield name, value
