"""Add this server to a client's configuration file.

Functions raise ConfigurationError if a file cannot be read, parsed or written. Then the file is unchanged.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from . import config, files, paths
from .client import ConfigFile
from .entries import Secret, ServerEntry, changes
from .merge import Merged, continued, is_generated, merge


class Plan(NamedTuple):
    """The new text of a file, what the start contributes to the entry in it, and the entry."""

    text: str
    entry: ServerEntry
    merged: Merged


@dataclass(frozen=True, slots=True)
class Result:
    """What `install` did to a file.

    Attributes:
        entry: The entry in the file, and what it kept and replaced of the entry that was there before.
        secrets: The secrets of which the entry has a reference, the value or a placeholder.
        changed: Whether the file changed.
        backup: The copy of the old content that was made or that has the old content already, if there is one.
        duplicates: Names in the file that occur several times in their object.
    """

    entry: Merged
    secrets: tuple[Secret, ...]
    changed: bool
    backup: Path | None = None
    duplicates: tuple[str, ...] = ()


def edit(file: ConfigFile, text: str, entry: ServerEntry) -> str:
    """Return the text of a file with the entry added, or combined with the entry that is there."""
    return plan(file, text, entry).text


def plan(file: ConfigFile, text: str, entry: ServerEntry) -> Plan:
    """Return what `install` does to a file with this text. The rest of the text does not change."""
    client, content = file.client, config.parse(file, text)
    old = paths.get(content, file.entry_path)
    entry = continued(client, entry, old)
    *prompts, (path, new) = changes(client, file.servers_path, entry)
    merged = merge(client, old, new, entry)
    for prompt_path, prompt in prompts:
        # A prompt of the person stays as it is, and one to which nothing refers is not added.
        is_used = f"${{input:{prompt['id']}}}" in json.dumps(merged.value)
        if is_used and paths.get(content, prompt_path) is None:
            text = config.set_value(file, text, prompt_path, prompt)
    return Plan(config.set_value(file, text, path, merged.value), entry, merged)


def missing_secrets(file: ConfigFile, entry: ServerEntry) -> list[Secret]:
    """Return the secrets that the file must contain, and for which neither this start nor the file has a value."""
    planned = plan(file, read(file), entry)
    written = json.dumps(planned.merged.value)
    return [secret for secret in planned.entry.secrets_in_file(file.client) if secret.placeholder in written]


def install(file: ConfigFile, entry: ServerEntry) -> Result:
    """Add the entry to the file, or combine it with the entry that is there.

    The old content is copied first if the file has no entry of this server, or if a part of its entry is lost.
    """
    text = read(file)
    edited, combined, merged = plan(file, text, entry)
    changed, backup = edited != text, None
    if changed:
        old = paths.get(config.parse(file, text), file.entry_path)
        is_unsaved = not files.backups(file.path) and not is_generated(file.client, old, entry)
        if old is None or is_unsaved or merged.is_lossy or _loses_comments(text, edited):
            backup = files.back_up(file.path)
        files.replace(file.path, edited.encode())
    return Result(merged, combined.secrets, changed, backup, tuple(config.duplicates(file, text)))


def read(file: ConfigFile) -> str:
    """Return the text of a file that is going to be changed."""
    # A repository can contain a link to a file of the person.
    if file.project is not None:
        files.require_inside(file.path, file.project)
    return files.read(file.path) or ""


def _loses_comments(text: str, edited: str) -> bool:
    """Whether an edit may have removed a comment from inside the entry."""
    return any(edited.count(mark) < text.count(mark) for mark in ("#", "//", "/*"))
