"""Checks of an entry that start no process and send no request."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ... import identity
from ...identity import NAME, VERSION
from ...keys import HOW_TO_GET_A_KEY, KEY_HEADER, key_problem
from ...settings import OPTIONS
from ..entries import KEY, REFERENCE
from ..environment import Environment
from .entries import HEADER_FIELDS, Entry
from .finding import Finding
from .variables import misspelled

_PACKAGE = re.compile(r"core13[-_]mcp(\[.*\])?([@=<>~!].*)?")
_PINNED_VERSION = re.compile(r"core13[-_]mcp(?:@|==)[0-9]")
_PLACEHOLDER = re.compile(r"PUT_YOUR_\w+_HERE")
_KEY_START = re.compile(r"\W*ph[a-z]_")
_SETTINGS = {option.variable for option in OPTIONS}


def check_entry(entry: Entry, environment: Environment) -> list[Finding]:
    """Return the problems of an entry that are visible without starting its command."""
    checks = (_check_types, _check_enabled, _check_command, _check_version, _check_variables, _check_keys)
    return [finding for check in checks for finding in check(entry, environment)]


def _check_types(entry: Entry, _: Environment) -> Iterator[Finding]:
    client, fix = entry.client, f"{entry.reinstall_command} writes a valid entry"
    is_split = client.arguments_field is not None
    objects = (client.env_field, *HEADER_FIELDS, client.header_names_field)
    types: list[tuple[str | None, str, type]] = [
        (client.program_field, *(("a string", str) if is_split else ("a list", list))),
        *((field, "a list", list) for field in (client.arguments_field, client.env_names_field)),
        *((field, "an object", dict) for field in objects),
    ]
    for field, description, expected in types:
        value = entry.value.get(field or "", expected())
        if not isinstance(value, expected):
            yield entry.finding("wrong", f'"{field}" is not {description}', fix)
        elif isinstance(value, list) and not all(isinstance(word, str) for word in value):
            yield entry.finding("wrong", f'"{field}" contains a value that is not a string', "write it in quotes")
    for group in objects:
        for name, value in entry.members(group):
            if not isinstance(value, str):
                message = f'{name} in "{group}" is not a string, and {client.title} may refuse the entry'
                yield entry.finding("wrong", message, f"write {_quoted(value)}")
    if not entry.command and entry.url is None and not entry.value.get(client.program_field, ""):
        yield entry.finding("wrong", "the entry has neither a command nor a URL", fix)


def _quoted(value: Any) -> str:
    # An object or a list can contain anything, also a secret.
    return f'"{json.dumps(value)}"' if isinstance(value, bool | int | float) else "its value as a string"


def _check_enabled(entry: Entry, _: Environment) -> Iterator[Finding]:
    field = next(
        (field for field, off in (("disabled", True), ("enabled", False)) if entry.value.get(field) is off), ""
    )
    if field:
        message = f'"{field}" is {json.dumps(entry.value[field])}, so {entry.client.title} does not use this entry'
        yield entry.finding("note", message, f"enable the server in {entry.client.title}, or remove this line")


def _check_command(entry: Entry, environment: Environment) -> Iterator[Finding]:
    program, title = next(iter(entry.command), ""), entry.client.title
    fix = f"{entry.reinstall_command} writes an absolute path"
    if program.startswith("~"):
        yield entry.finding("wrong", f'"{program}" starts with ~, which only a shell replaces', fix)
    elif Path(program).is_absolute():
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


def _check_variables(entry: Entry, _: Environment) -> Iterator[Finding]:
    names = [name for name, _ in entry.variables]
    for name, expected in misspelled(names):
        yield entry.finding("wrong", f"the server does not read {name}", f"rename it to {expected}")
    for name, value in entry.variables:
        if name in _SETTINGS and isinstance(value, str) and value.startswith("~"):
            yield entry.finding("wrong", f"{name} starts with ~, which only a shell replaces", "write the whole path")


def _check_keys(entry: Entry, environment: Environment) -> Iterator[Finding]:
    title, reinstall = entry.client.title, entry.reinstall_command
    inline = list[str]()
    for name, value in _secrets(entry):
        if _PLACEHOLDER.search(value):
            fix = f"replace it with your key; {HOW_TO_GET_A_KEY}" if KEY in value else "replace it with your token"
            yield entry.finding("wrong", f"{name} still contains the placeholder", fix)
        elif not REFERENCE.search(value):
            inline.append(value)
            # A token of a remote server has a form of its own.
            if (name != "Authorization" or _KEY_START.match(value)) and (problem := key_problem(value)):
                message, _, fix = problem.partition("; ")
                yield entry.finding("wrong", f"{name}: {message}", fix)
        elif not entry.client.expands:
            is_listed = entry.client.env_names_field
            fix = f"{reinstall} {'lists the variable' if is_listed else 'asks for the key and writes it to the file'}"
            yield entry.finding("wrong", f"{title} does not expand variables such as {value}", fix)
    # On Windows the mode always says that others can read the file.
    if inline and entry.file.path.stat().st_mode & 0o077 and environment.platform != "win32":
        message = "other users of this machine can read the key in it"
        yield entry.finding("wrong", message, f"chmod 600 {entry.file.path}")


def _secrets(entry: Entry) -> Iterator[tuple[str, str]]:
    """Yield the name and value of each field that should contain or refer to a key or a token."""
    names = (KEY, KEY_HEADER.lower(), "authorization")
    for name, value in (*entry.variables, *entry.headers):
        if isinstance(value, str) and (name in names or name.lower() in names[1:]):
            yield name, value.strip().removeprefix("Bearer ")
