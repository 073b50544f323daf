"""The lines that `core13-mcp install` prints about what it wrote."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..settings import OPTIONS
from ..setup.client import ConfigFile
from ..setup.command import temporary_directory
from ..setup.entries import KEY, Secret, contains_reference
from ..setup.install import Result


def report(file: ConfigFile, result: Result) -> Iterator[str]:
    """Yield the lines about the file, the entry and its secrets. They contain no secret."""
    client, merged = file.client, result.entry
    yield f"{client.title}: {'wrote' if result.changed else 'no change in'} {file.path}"
    if result.backup:
        yield f"  backup: {result.backup}"
    if merged.replaced:
        yield f"  replaced: {', '.join(merged.replaced)}"
    if merged.kept:
        yield f"  kept: {', '.join(merged.kept)}"
    for name in result.duplicates:
        yield f'  note: "{name}" occurs several times in this file; clients read the last one'
    yield from _server(file, merged.value)
    for secret in result.secrets:
        yield from _secret(file, merged.value, secret)


def _server(file: ConfigFile, entry: dict[str, Any]) -> Iterator[str]:
    client, command = file.client, file.client.command(entry)
    yield f"  runs: {' '.join(command) or entry[client.url_field or '']}"
    if command and (directory := temporary_directory(command[0])):
        yield f"  note: {directory} is for temporary files; without its files the server does not start"
    if command and file.project is not None:
        yield f"  note: {command[0]} must be on the PATH of {client.title} on each machine"
    variables: dict[str, Any] = entry.get(client.env_field) or {}
    for option in OPTIONS:
        if option.variable in variables and not option.secret:
            yield f"  with: {option.variable}={variables[option.variable]}"


def _secret(file: ConfigFile, entry: dict[str, Any], secret: Secret) -> Iterator[str]:
    client = file.client
    label = "key" if secret.variable == KEY else "secret"
    if not contains_reference(client, entry, secret):
        yield f"  {label}: in this file{_exposure(file.path)}"
    elif client.prompts:
        yield f"  {label}: {client.title} asks for it once and keeps it in the system's key store"
    else:
        yield f"  {label}: {secret.variable}, which must be set in the environment of {client.title}"
        if not os.environ.get(secret.variable):
            yield f"        (it is not set here; {secret.how_to_get})"


def _exposure(path: Path) -> str:
    """Return a warning if other users or other developers of the project can read the file."""
    # On Windows the mode always says that others can read the file.
    readable = sys.platform != "win32" and path.stat().st_mode & 0o077
    warning = f"; other users can read it, run: chmod 600 {path}" if readable else ""
    return warning + ("; do not commit this file" if Path.home() != Path.cwd() in path.parents else "")
