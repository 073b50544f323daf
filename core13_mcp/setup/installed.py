"""Where this server is installed: its entries in the files of all clients. The results contain no secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from ..origins import split_url
from ..redaction import redact_keys
from ..settings import OPTIONS
from .client import Client, ConfigFile
from .clients import CLIENTS
from .doctor.entries import Entry, find_entries
from .entries import REFERENCE
from .environment import Environment

# The words of a command that are shown. Another word can contain a key.
_PLAIN_WORD = re.compile(r"-m|serve|core13[-_]mcp([@=]+[0-9a-z.]+)?")


@dataclass(frozen=True, slots=True)
class Installation:
    """One entry of this server.

    Attributes:
        runs: The program, and those of its arguments that cannot contain a key; or the URL of a remote server.
        settings: The settings in the entry, by variable.
        secrets: Where each secret is, by the name of its variable or header: in the file, or in the client.
    """

    file: ConfigFile
    name: str
    runs: str
    settings: Mapping[str, str]
    secrets: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """Return the installation as a JSON object."""
        place = {"client": self.file.client.name, "scope": self.file.scope, "file": str(self.file.path)}
        return {**place, "name": self.name, "runs": self.runs, "settings": self.settings, "secrets": self.secrets}


def present_clients(environment: Environment) -> list[Client]:
    """Return the clients that are installed on this machine."""
    return [client for client in CLIENTS.values() if client.is_present(environment)]


def config_files(environment: Environment) -> list[ConfigFile]:
    """Return the files of all clients and scopes.

    In the home folder, two scopes of a client can have the same file. It belongs to the first one.
    """
    files = [client.config_file(environment, scope) for client in CLIENTS.values() for scope in client.files]
    return list({(file.path, file.servers_path): file for file in reversed(files)}.values())[::-1]


def installations(environment: Environment) -> tuple[list[Installation], list[str]]:
    """Return the entries of this server in all files, and the reasons why files cannot be read."""
    existing, problems = [], []
    for file in config_files(environment):
        entries, findings = find_entries(file)
        existing += [_installation(entry) for entry in entries]
        problems += [finding.message for finding in findings]
    return existing, problems


def _installation(entry: Entry) -> Installation:
    client, value = entry.client, entry.value
    url = value.get(client.url_field or "")
    settings = dict(_flags(entry.command))
    secrets = {name: "client" for name in _names(value.get(client.env_names_field or ""))}
    for name, text in _members(value, client.env_field):
        if name in _SETTINGS:
            settings[name] = redact_keys(text)
        else:
            secrets[name] = _place(client, text)
    secrets |= {name: _place(client, text) for name, text in _members(value, "headers")}
    secrets |= {name: "client" for _, name in _members(value, client.header_names_field or "")}
    if bearer := value.get(client.bearer_field or ""):
        secrets[str(bearer)] = "client"
    runs = _visible_url(url) if isinstance(url, str) else _visible_command(entry.command)
    return Installation(entry.file, entry.name, runs, settings, secrets)


_SETTINGS = {option.variable: option for option in OPTIONS if not option.secret}


def _flags(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the settings that a command line contains as flags, by variable."""
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        flag, separator, value = word.partition("=")
        for option in _SETTINGS.values():
            if flag == option.flag:
                yield option.variable, redact_keys("true" if option.is_flag else value if separator else following)


def _names(value: Any) -> list[str]:
    return [str(name) for name in value] if isinstance(value, list) else []


def _members(value: Mapping[str, Any], field: str) -> list[tuple[str, str]]:
    members = value.get(field)
    return [(str(name), str(text)) for name, text in members.items()] if isinstance(members, dict) else []


def _place(client: Client, text: str) -> str:
    return "client" if client.expands and REFERENCE.search(text) else "file"


def _visible_command(words: Sequence[str]) -> str:
    return " ".join([*words[:1], *filter(_PLAIN_WORD.fullmatch, words[1:])])


def _visible_url(url: str) -> str:
    """Return a URL without the parts that can contain a key."""
    parts = split_url(url)
    if parts is None:
        return "an invalid URL"
    return redact_keys(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl())
