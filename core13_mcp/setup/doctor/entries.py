"""This server's entries in the files of clients."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...errors import ConfigurationError
from ...identity import NAME
from ...settings import OPTIONS
from .. import files, paths
from ..client import Client, ConfigFile
from ..clients import CLIENTS
from ..config import load
from ..paths import KeyPath, ParseError
from .finding import Finding, Status

_SERVERS_KEYS = {client.servers_key for client in CLIENTS.values()}
_URL_FIELDS = {client.url_field for client in CLIENTS.values() if client.url_field}
# `http_headers` is the field of Codex.
HEADER_FIELDS = ("headers", "http_headers")
_OWN_NAME = re.compile(r"core13[-_]mcp")


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
        """The `install` command that rewrites this entry."""
        is_default = self.file.scope == next(iter(self.client.files))
        return f"{NAME} install {self.client.name}" + ("" if is_default else f" --scope {self.file.scope}")

    @property
    def variables(self) -> list[tuple[str, Any]]:
        """The names and values of the environment variables that the entry sets."""
        return self.members(self.client.env_field)

    @property
    def headers(self) -> list[tuple[str, Any]]:
        """The names and values of the headers of a remote server, without those that are in a variable."""
        return [pair for group in HEADER_FIELDS for pair in self.members(group)]

    def members(self, group: str | None) -> list[tuple[str, Any]]:
        """Return the names and values in an object of the entry."""
        members = self.value.get(group or "")
        # YAML has keys that are no strings.
        return [(str(name), value) for name, value in members.items()] if isinstance(members, dict) else []

    def names(self, field: str | None) -> list[str]:
        """Return the strings in a list of the entry."""
        names = self.value.get(field or "")
        return list(map(str, names)) if isinstance(names, list) else []

    def finding(self, status: Status, message: str, fix: str = "") -> Finding:
        """Return a finding about this entry."""
        return Finding(f"client {self.client.name}", status, f"{self.file.path}: {message}", fix)


def find_entries(file: ConfigFile) -> tuple[list[Entry], list[Finding]]:
    """Return this server's entries, and findings about the file and about entries that the client does not read."""
    client, text = file.client, ""
    problem = partial(Finding, f"client {client.name}", "wrong")
    try:
        text = files.read(file.path) or ""
        content = load(file)
    except ParseError as error:
        fix = f"correct it there; until then {client.title} reads nothing of this file"
        return [], [*_mark(file, text), problem(error.message.partition("; ")[0], fix)]
    except ConfigurationError as error:
        message, _, fix = error.message.partition("; ")
        return [], [problem(message, fix or error.fix or f"replace it by a file that {client.title} can read")]
    servers = paths.get(content, file.servers_path)
    if servers is not None and not isinstance(servers, dict):
        kind = "table" if client.format == "toml" else "object"
        message = f'{file.path}: "{client.servers_key}" is not {"a table" if kind == "table" else "an object"}'
        return [], [problem(message, f"correct it there; {client.title} expects one {kind} with an entry per server")]
    entries = _own_entries(file, content, file.servers_path)
    misplaced = [key for key in sorted(_SERVERS_KEYS - {client.servers_key}) if _own_entries(file, content, (key,))]
    fix = f'remove it there and run `{NAME} install {client.name}`, which writes it to "{client.servers_key}"'
    findings = _mark(file, text) if entries or misplaced else []
    findings += [
        problem(f'{file.path}: {NAME} is in "{key}", which {client.title} does not read', fix) for key in misplaced
    ]
    if not isinstance((servers or {}).get(NAME, {}), dict):
        findings.append(
            problem(f'{file.path}: "{NAME}" is not an object', f"{NAME} install {client.name} writes a valid entry")
        )
    return entries, findings


def _mark(file: ConfigFile, text: str) -> list[Finding]:
    """Return a finding if a file starts with a byte order mark, which programs on Windows write."""
    if not text.startswith("\ufeff"):
        return []
    message = f"{file.path}: it starts with a byte order mark, which some programs cannot read"
    return [Finding(f"client {file.client.name}", "note", message, "save it as UTF-8 without a byte order mark")]


def _own_entries(file: ConfigFile, content: Any, servers_path: KeyPath) -> list[Entry]:
    """Return the entries with `core13-mcp` in their name or in a word of their command."""
    servers = paths.get(content, servers_path)
    members = servers.items() if isinstance(servers, dict) else ()
    entries = [Entry(file, str(name), value) for name, value in members if isinstance(value, dict)]
    return [entry for entry in entries if any(map(_OWN_NAME.search, [entry.name, *entry.command]))]
