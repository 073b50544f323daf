"""Every client on this machine, with the files that it has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import suppress

from ...errors import ConfigurationError
from ...identity import VERSION
from ...keys import HOW_TO_GET_A_KEY
from ...options import OPTIONS
from .. import files, launch
from ..client import Client
from ..clients import CLIENTS
from ..entries import KEY
from ..environment import Machine
from .configurations import examine
from .entries import Entry, entries, environment
from .finding import Finding, failed
from .handshake import Greeting, greet

STAND_IN = "phx_doctor"
"""Not a key: the server only has to find one to start."""


async def all_clients(machine: Machine, timeout: float) -> AsyncIterator[Finding]:
    """What is wrong in the files of all clients, each of their commands tried; else the one `install` would write."""
    seen = set[Finding]()
    for client, scope in _places(machine):
        async for finding in _file(client, scope, machine, timeout):
            # Two scopes may share a file, and what is wrong with the whole of it.
            if finding not in seen:
                yield finding
            seen.add(finding)
    if not seen:
        fix = "core13-mcp install CLIENT writes it, for " + ", ".join(CLIENTS)
        yield Finding("clients", "note", "no client's configuration has this server", fix)
        yield await _own_command(machine, timeout)


def _places(machine: Machine) -> Iterable[tuple[Client, str]]:
    """Every scope of every client; in the home folder a project's file is the user's, and is named once."""
    places: dict[object, tuple[Client, str]] = {}
    for client in CLIENTS.values():
        for scope in client.files:
            places.setdefault((client.file(machine, scope), client.servers(machine, scope)), (client, scope))
    return places.values()


async def _file(client: Client, scope: str, machine: Machine, timeout: float) -> AsyncIterator[Finding]:
    path = client.file(machine, scope)
    try:
        text = files.read(path)
    except ConfigurationError as error:
        yield Finding(f"client {client.name}", "wrong", str(error), "correct its rights or its encoding")
        return
    found, astray = entries(client, scope, machine, text or "")
    for finding in astray:
        yield finding
    for entry in found:
        async for finding in _entry(entry, machine, path.stat().st_mode, timeout):
            yield finding


async def _own_command(machine: Machine, timeout: float) -> Finding:
    """A handshake with the command that `install` would write."""
    command = launch.command()
    # Without this shell's settings: what is wrong in them is said already.
    ours = {option.variable for option in OPTIONS}
    others = {name: value for name, value in machine.environ.items() if name not in ours and "CORE13_" not in name}
    try:
        greeting = await greet(command, {**others, KEY: STAND_IN}, timeout)
    except ConfigurationError as error:
        return failed("handshake", error)
    return Finding("handshake", "ok", f"{' '.join(command)} answers: {_told(greeting)}")


async def _entry(entry: Entry, machine: Machine, mode: int, timeout: float) -> AsyncIterator[Finding]:
    found = list(examine(entry, machine, VERSION, mode))
    for finding in found:
        yield finding
    if any(finding.status == "wrong" for finding in found):
        return
    if not entry.command:
        yield Finding(entry.check, "ok", f"{entry.path}: {entry.name} is a server elsewhere, which was not called")
        return
    environ = environment(entry, machine, STAND_IN)
    try:
        greeting = await greet(entry.command, environ, timeout)
    except ConfigurationError as error:
        yield await _why(entry, error, {**environ, "PATH": machine.environ.get("PATH", "")}, timeout)
        return
    yield Finding(entry.check, "ok", f"{entry.path}: {_told(greeting)}")
    own = VERSION
    if greeting.version != own and not found:
        yield entry.note(f"it runs {greeting.version}, and this is {own}", f"{entry.again} puts this one there")


async def _why(entry: Entry, error: ConfigurationError, as_in_a_shell: dict[str, str], timeout: float) -> Finding:
    """Why an entry does not start; the commonest cause is found by trying it as a shell would."""
    told = failed(entry.check, error)
    if f"{KEY} is not set" in told.says:
        return entry.wrong(told.says, f"{entry.again} enters it; {HOW_TO_GET_A_KEY}")
    if entry.client.graphical and not told.fix:
        with suppress(ConfigurationError):
            await greet(entry.command, as_in_a_shell, timeout)
            says = f"it starts only with the PATH of a shell, which {entry.client.title} has not: {told.says}"
            return entry.wrong(says, f'{entry.again}, or add "PATH" to its env')
    # The program only: its arguments may hold a key or a token.
    return entry.wrong(f"{entry.command[0]}: {told.says}", told.fix or f"try it in a shell, or {entry.again}")


def _told(greeting: Greeting) -> str:
    return f"{greeting.name} {greeting.version} with {greeting.tools} tools"
