"""What a client passes on to a server: environment variables and headers, with references replaced."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...settings import OPTIONS
from ..client import Client
from ..entries import REFERENCE
from ..environment import Environment
from .entries import Entry

# The server needs a key to start. This is not one. It stands for a key that only the client knows.
PLACEHOLDER_KEY = "phx_doctor"

_SECRETS = {option.variable for option in OPTIONS if option.secret}

# The environment of a program that is not started from a shell.
_GUI_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"
_INHERITED = ("HOME", "USER", "LANG", "TMPDIR", "SystemRoot", "APPDATA", "LOCALAPPDATA", "USERPROFILE", "TEMP")


def expand(text: str, client: Client, variables: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return a value as the client passes it on, and the references in it that cannot be resolved here."""
    unresolved: list[str] = []
    if not client.expands:
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
