"""Remove this server from a client's configuration file.

Functions raise ConfigurationError if a file cannot be read, parsed or written. Then the file is unchanged.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from . import config, files, paths
from .client import ConfigFile
from .entries import SECRETS
from .environment import Environment
from .install import read
from .paths import KeyPath


@dataclass(frozen=True, slots=True)
class Removal:
    """What `uninstall` did.

    Attributes:
        removed: Whether the file had an entry.
        is_deleted: Whether the file, which `install` had created, is deleted.
        backups: Copies that are kept, because the file is not what it was when they were made.
    """

    removed: bool
    is_deleted: bool = False
    backups: tuple[Path, ...] = ()


def uninstall(file: ConfigFile, environment: Environment) -> Removal:
    """Remove the entry, and what `install` created for it.

    A copy of the file is deleted if it is byte for byte what the file is now. A file and directories that are empty
    are deleted if there is no copy, because `install` created them.
    """
    text = read(file)
    if paths.get(config.parse(file, text), file.entry_path) is None:
        return Removal(removed=False, backups=tuple(files.backups(file.path)))
    copies = {path: files.read_bytes(path) or b"" for path in files.backups(file.path)}
    last = _content(file, [*copies.values()][-1]) if copies else {}
    text = _without_entry(file, text, last)
    lines = config.significant_lines(file, text)
    same = [
        copy for copy in copies.values() if config.significant_lines(file, copy.decode("utf-8", "replace")) == lines
    ]
    content = next(iter(same), text.encode())
    is_deleted = not copies and not file.path.is_symlink() and config.is_blank(file, text)
    if is_deleted:
        files.delete(file.path, keep=(environment.home, environment.cwd))
    else:
        files.replace(file.path, content)
    for path in [path for path, copy in copies.items() if copy == content]:
        path.unlink(missing_ok=True)
    return Removal(removed=True, is_deleted=is_deleted, backups=tuple(files.backups(file.path)))


def _without_entry(file: ConfigFile, text: str, last: Any) -> str:
    """Return the text without the entry and its prompts, and without objects that `last`, the last copy, does not have."""
    # A name can occur several times.
    while paths.get(config.parse(file, text), file.entry_path) is not None:
        text = config.remove(file, text, file.entry_path)
    for secret in SECRETS if file.client.prompts else ():
        prompt: KeyPath = ("inputs", ("id", secret.input_id))
        is_used = f"${{input:{secret.input_id}}}" in text
        if not is_used and paths.get(last, prompt) is None:
            text = config.remove(file, text, prompt)
    if file.client.format in ("json", "jsonc"):
        containers = [file.servers_path[:length] for length in range(len(file.servers_path), 0, -1)]
        for path in [*containers, *([("inputs",)] if file.client.prompts else [])]:
            if paths.get(config.parse(file, text), path) in ({}, []) and paths.get(last, path) is None:
                text = config.remove(file, text, path)
    return text


def _content(file: ConfigFile, copy: bytes) -> Any:
    with suppress(ConfigurationError, UnicodeDecodeError):
        return config.parse(file, copy.decode())
    return {}
