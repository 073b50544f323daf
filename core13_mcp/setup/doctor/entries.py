"""This server's entries in the files of clients, and what each client makes of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...errors import ConfigurationError
from ...identity import NAME
from ...settings import OPTIONS
from .. import paths
from ..client import Client, ConfigFile
from ..clients import CLIENTS
from ..environment import Environment
from ..install import load
from ..paths import KeyPath, ParseError
from .finding import Finding, Status

# The server needs a key to start. This is not one. It stands for a key that only the client knows.
PLACEHOLDER_KEY = "phx_doctor"

_SERVERS_KEYS = {client.servers_key for client in CLIENTS.values()}
_URL_FIELDS = {client.url_field for client in CLIENTS.values() if client.url_field}
# `http_headers` is the field of Codex.
HEADER_FIELDS = ("headers", "http_headers")
_SECRETS = {option.variable for option in OPTIONS if option.secret}
_OWN_NAME = re.compile(r"core13[-_]mcp")

# A reference to a variable, perhaps with a default, or to an input of VS Code, in the syntax of any client.
REFERENCE = re.compile(
    r"\$\{(?:env:|input:)?(?P<braced>[A-Za-z_][\w-]*)(?::-(?P<default>[^{}]*))?\}"
    r"|\{env:(?P<plain>[A-Za-z_]\w*)\}"
    r"|\$(?P<shell>[A-Za-z_]\w*)"
)

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
    def url(self) -> str | None:
        """The URL of a remote server."""
        return next((url for field in sorted(_URL_FIELDS) if isinstance(url := self.value.get(field), str)), None)

    @property
    def flags(self) -> dict[str, str | bool]:
        """The settings among the arguments of the command, by name."""
        options, flags = {option.flag: option for option in OPTIONS}, dict[str, str | bool]()
        words = iter(self.command[1:])
        for word in words:
            name, separator, value = word.partition("=")
            if option := options.get(name):
                flags[option.name] = option.is_flag or (value if separator else next(words, ""))
        return flags

    @property
    def reinstall_command(self) -> str:
        """The `install` command that writes this entry again."""
        is_default = self.file.scope == next(iter(self.client.files))
        return f"{NAME} install {self.client.name}" + ("" if is_default else f" --scope {self.file.scope}")

    @property
    def variables(self) -> list[tuple[str, Any]]:
        """The names and values of the environment variables that the entry sets."""
        return self.members(self.client.env_field)

    @property
    def headers(self) -> list[tuple[str, Any]]:
        """The names and values of the headers of a remote server, without those whose value a variable has."""
        return [pair for group in HEADER_FIELDS for pair in self.members(group)]

    def members(self, group: str | None) -> list[tuple[str, Any]]:
        """Return the names and values in an object of the entry."""
        members = self.value.get(group or "")
        return list(members.items()) if isinstance(members, dict) else []

    def names(self, field: str | None) -> list[str]:
        """Return the strings in a list of the entry."""
        names = self.value.get(field or "")
        return list(map(str, names)) if isinstance(names, list) else []

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
        fix = error.fix or f"replace it by a file that {client.title} can read"
        message, _, hint = error.message.partition("; ")
        if isinstance(error, ParseError):
            hint = f"correct it there; until then {client.title} reads nothing of this file"
        return [], [problem(message, hint or fix)]
    servers = paths.get(content, file.servers_path)
    if servers is not None and not isinstance(servers, dict):
        kind = "table" if client.format == "toml" else "object"
        message = f'{file.path}: "{client.servers_key}" is not {"a table" if kind == "table" else "an object"}'
        return [], [problem(message, f"correct it there; {client.title} expects one {kind} with an entry per server")]
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


def expands(client: Client) -> bool:
    """Whether a client replaces references in the values of an entry."""
    return client.prompts or client.variable_syntax is not None


def expand(text: str, client: Client, variables: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return a value as the client passes it on, and the references in it that cannot be resolved here."""
    unresolved: list[str] = []
    if not expands(client):
        return text, unresolved

    def replace(match: re.Match[str]) -> str:
        name = match["braced"] or match["plain"] or match["shell"]
        value = variables.get(name) or match["default"]
        if value is None:
            unresolved.append(match[0])
        return match[0] if value is None else value

    return REFERENCE.sub(replace, text), unresolved


def process_environment(entry: Entry, environment: Environment) -> dict[str, str]:
    """Return the environment variables with which the client starts the command.

    A secret that cannot be resolved here becomes PLACEHOLDER_KEY, so that the server starts.
    """
    client, variables = entry.client, environment.variables
    base = dict(variables)
    if not client.inherits_env:
        base = {name: variables[name] for name in _INHERITED if name in variables}
        has_gui_path = client.is_gui and environment.platform != "win32"
        base["PATH"] = _GUI_PATH if has_gui_path else variables.get("PATH", "")
    for name in entry.names(client.env_names_field):
        if value := variables.get(name) or (PLACEHOLDER_KEY if name in _SECRETS else None):
            base[name] = value
    for name, value in entry.variables:
        text, unresolved = expand(str(value), client, variables)
        base[name] = PLACEHOLDER_KEY if unresolved and name in _SECRETS else text
    return base


def request_headers(entry: Entry, environment: Environment) -> tuple[dict[str, str], list[str]]:
    """Return the headers that the client sends to a remote server, and the references that cannot be resolved here."""
    headers, missing = dict[str, str](), list[str]()
    client = entry.client
    for name, value in entry.headers:
        headers[name], unresolved = expand(str(value), client, environment.variables)
        missing += unresolved
    listed = [(header, str(variable), "") for header, variable in entry.members(client.header_names_field)]
    if isinstance(token := entry.value.get(client.bearer_field or ""), str):
        listed.append(("Authorization", token, "Bearer "))
    for header, variable, prefix in listed:
        value = environment.variables.get(variable)
        headers |= {header: prefix + value} if value else {}
        missing += [] if value else [variable]
    return headers, missing
