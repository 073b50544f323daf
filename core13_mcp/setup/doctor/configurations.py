"""What is wrong with this server in a client's configuration file, as far as reading it tells. Pure."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from ...keys import HOW_TO_GET_A_KEY, key_problem
from ..entries import KEY, PLACEHOLDER, literals
from ..environment import Machine
from .entries import REFERENCE, Entry
from .finding import Finding

_PINNED = re.compile(r"core13[-_]mcp(?:@|==)(?P<version>[0-9][^\s]*)$")


def examine(entry: Entry, machine: Machine, version: str, mode: int) -> Iterator[Finding]:
    """What is wrong with an entry, as far as reading it tells.

    Args:
        version: The one that runs now.
        mode: Of the file, for who else may read it.
    """
    for name, kind in (("command", str), ("env", dict), ("headers", dict)):
        if not isinstance(entry.said.get(name, kind()), kind):
            shape = "a string" if kind is str else "an object"
            yield entry.wrong(
                f'its "{name}" is not {shape}', f"{entry.again} writes it as {entry.client.title} reads it"
            )
    if entry.command:
        yield from _command(entry, machine)
        yield from _version(entry, version)
    yield from _key(entry, machine, mode)


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
        elif (variable := REFERENCE.search(value)) and not client.prompts and not machine.environ.get(variable[1]):
            says = f"{value} refers to a variable that is not set here"
            yield entry.note(says, f"set it where {client.title} is started")
    for literal in literals(entry.said):
        if why := key_problem(literal):
            says, _, fix = why.partition("; ")
            yield entry.wrong(says, fix)
        if mode & 0o077 and machine.platform != "win32":  # which says that of every file
            yield entry.wrong("others on this machine can read the key in it", f"chmod 600 {entry.path}")


def _secrets(entry: Entry) -> Iterator[tuple[str, str]]:
    for place, name in (("env", KEY), ("headers", "Authorization")):
        held_here = entry.said.get(place)
        value = held_here.get(name) if isinstance(held_here, dict) else None
        if isinstance(value, str):
            yield name, value.removeprefix("Bearer ")
