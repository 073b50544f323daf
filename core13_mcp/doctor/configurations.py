"""The configuration files of clients: what is wrong with this server in them. Pure."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..install.clients import CLIENTS, NAME, Client
from ..install.entry import KEY, PLACEHOLDER, literals
from ..install.machine import Machine
from ..install.merge import held
from ..install.places import Unparsable
from ..settings import HOW_TO_GET_A_KEY, why_unusable
from .finding import Finding

_KEYS = tuple(dict.fromkeys(client.key for client in CLIENTS.values()))
_PINNED = re.compile(r"core13[-_]mcp(?:@|==)(?P<version>[0-9][^\s]*)$")
_OURS = re.compile(r"core13[-_]mcp")
_REFERENCE = re.compile(r"\$\{?(?:env:|input:)?([A-Za-z_][A-Za-z0-9_-]*)")


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
        return [str(program), *map(str, rest if isinstance(rest, list) else [])] if program else []

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


def examine(entry: Entry, machine: Machine, version: str, mode: int) -> Iterator[Finding]:
    """What is wrong with an entry, as far as reading it tells.

    Args:
        version: The one that runs now.
        mode: Of the file, for who else may read it.
    """
    if entry.command:
        yield from _command(entry, machine)
        yield from _version(entry, version)
    yield from _key(entry, machine, mode)


def _ours(servers: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, said in servers.items() if isinstance(servers, dict) else ():
        if not isinstance(said, dict):
            continue
        words = [name, said.get("command"), *(said["args"] if isinstance(said.get("args"), list) else [])]
        if any(_OURS.search(word) for word in words if isinstance(word, str)):
            yield name, said


def _command(entry: Entry, machine: Machine) -> Iterator[Finding]:
    program = entry.command[0]
    if Path(program).is_absolute():
        if shutil.which(program) is None:
            yield entry.wrong(f"there is no program {program}", f"{entry.again} writes the one that is running now")
    elif entry.client.graphical:
        says = f'"{program}" is relative: {entry.client.title} is not started from a shell, and has not its PATH'
        yield entry.wrong(says, f"{entry.again} writes the absolute command")
    elif shutil.which(program, path=machine.environ.get("PATH")) is None:
        yield entry.wrong(f'"{program}" is not on the PATH', f"{entry.again} writes the absolute command")


def _version(entry: Entry, version: str) -> Iterator[Finding]:
    if Path(entry.command[0]).stem not in ("uvx", "uv", "pipx"):
        return
    pins = [found["version"] for word in entry.command if (found := _PINNED.search(word))]
    if not pins:
        yield entry.note("no version is pinned: it runs whatever is newest", f"{entry.again} --uvx pins {version}")
    elif pins[0] != version:
        yield entry.note(f"it pins {pins[0]}, and this is {version}", f"{entry.again} --uvx pins {version}")


def _key(entry: Entry, machine: Machine, mode: int) -> Iterator[Finding]:
    client = entry.client
    for name, value in _secrets(entry):
        if PLACEHOLDER in value:
            yield entry.wrong(f"{name} is still the placeholder", f"put the key in its place; {HOW_TO_GET_A_KEY}")
        elif "$" in value and client.reference is None and not client.prompts:
            says = f"{client.title} puts nothing in the place of {value}"
            yield entry.wrong(says, f"{entry.again} asks for the key itself")
        elif (variable := _REFERENCE.search(value)) and not client.prompts and not machine.environ.get(variable[1]):
            says = f"{value} refers to a variable that is not set here"
            yield entry.note(says, f"set it where {client.title} is started")
    for literal in literals(entry.said):
        if why := why_unusable(literal):
            says, _, fix = why.partition("; ")
            yield entry.wrong(says, fix)
        if mode & 0o077:
            yield entry.wrong("others on this machine can read the key in it", f"chmod 600 {entry.path}")


def _secrets(entry: Entry) -> Iterator[tuple[str, str]]:
    for place, name in (("env", KEY), ("headers", "Authorization")):
        held_here = entry.said.get(place)
        value = held_here.get(name) if isinstance(held_here, dict) else None
        if isinstance(value, str):
            yield name, value.removeprefix("Bearer ")


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
    own = entry.said.get("env") or {}
    return {**base, **passed, **{str(name): _resolved(str(value), environ, stand_in) for name, value in own.items()}}


def _resolved(value: str, environ: Mapping[str, str], stand_in: str) -> str:
    found = _REFERENCE.match(value)
    return environ.get(found[1]) or stand_in if found else value
