"""This server's entries in clients' configuration files. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...identity import NAME
from ..client import Client
from ..clients import CLIENTS
from ..environment import Machine
from ..merge import held
from ..paths import Unparsable
from .finding import Finding

_KEYS = tuple(dict.fromkeys(client.key for client in CLIENTS.values()))
_OURS = re.compile(r"core13[-_]mcp")
REFERENCE = re.compile(r"\$\{?(?:env:|input:)?([A-Za-z_][A-Za-z0-9_-]*)")
"""How clients write that a variable's value, or an answer, goes here; the group is its name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One server in one file."""

    client: Client
    scope: str
    path: Path
    name: str
    said: Mapping[str, Any]

    @property
    def check(self) -> str:
        """What findings about it are called."""
        return f"client {self.client.name}"

    @property
    def command(self) -> list[str]:
        """What the client runs; empty for a server elsewhere."""
        program, rest = self.said.get("command"), self.said.get("args")
        words = map(str, rest if isinstance(rest, list) else [])
        return [program, *words] if isinstance(program, str) and program else []

    def wrong(self, says: str, fix: str) -> Finding:
        """A finding about this entry."""
        return Finding(self.check, "wrong", f"{self.path}: {says}", fix)

    def note(self, says: str, fix: str) -> Finding:
        """A finding about this entry that does not keep it from working."""
        return Finding(self.check, "note", f"{self.path}: {says}", fix)

    @property
    def again(self) -> str:
        """The command that writes it anew."""
        scope = "" if self.scope == next(iter(self.client.files)) else f" --scope {self.scope}"
        return f"core13-mcp install {self.client.name}{scope}"


def entries(client: Client, scope: str, machine: Machine, text: str) -> tuple[list[Entry], list[Finding]]:
    """This server's entries in a client's file, and what is wrong with where they are."""
    path = client.file(machine, scope)
    check = f"client {client.name}"
    try:
        servers = held(client, text, client.servers(machine, scope))
        found = [Entry(client, scope, path, name, said) for name, said in _ours(servers)]
        astray = {key for key in _KEYS if key != client.key and list(_ours(held(client, text, (key,))))}
    except Unparsable as error:
        fix = "correct it there; the client reads none of this file as it is"
        return [], [Finding(check, "wrong", f"{path} cannot be parsed: {error}", fix)]
    return found, [
        Finding(
            check,
            "wrong",
            f'{path}: {NAME} is under "{key}", where {client.title} does not look',
            f'take it out there, and run `core13-mcp install {client.name}`, which puts it under "{client.key}"',
        )
        for key in sorted(astray)
    ]


def environment(entry: Entry, machine: Machine, stand_in: str) -> dict[str, str]:
    """The variables that the client would start the command with.

    A reference to what only the client knows becomes the stand-in: a handshake sends no key anywhere.
    """
    client, environ = entry.client, machine.environ
    if client.inherits:
        base = dict(environ)
    else:
        path = (
            "/usr/bin:/bin:/usr/sbin:/sbin"
            if client.graphical and machine.platform != "win32"
            else environ.get("PATH", "")
        )
        kept = ("HOME", "USER", "LANG", "TMPDIR", "SystemRoot", "APPDATA", "LOCALAPPDATA", "USERPROFILE", "TEMP")
        base = {name: environ[name] for name in kept if name in environ} | {"PATH": path}
    named = entry.said.get("env_vars")
    passed = {name: environ.get(name, stand_in) for name in named} if isinstance(named, list) else {}
    own = entry.said.get("env")
    own = own if isinstance(own, dict) else {}
    return {**base, **passed, **{str(name): _resolved(str(value), environ, stand_in) for name, value in own.items()}}


def _resolved(value: str, environ: Mapping[str, str], stand_in: str) -> str:
    found = REFERENCE.match(value)
    return environ.get(found[1]) or stand_in if found else value


def _ours(servers: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, said in servers.items() if isinstance(servers, dict) else ():
        if not isinstance(said, dict):
            continue
        words = [name, said.get("command"), *(said["args"] if isinstance(said.get("args"), list) else [])]
        if any(_OURS.search(word) for word in words if isinstance(word, str)):
            yield name, said
