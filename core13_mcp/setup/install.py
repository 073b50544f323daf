"""Install this server in a client's configuration file, and remove it.

Functions raise ConfigurationError if a file cannot be read, parsed or written. Then the file is unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from ..origins import is_secure, split_url
from ..settings import OPTIONS, Settings
from . import files, launch, merge
from .clients import ConfigFile
from .entries import Secret, ServerEntry, changes, inline_keys, locations
from .paths import ParseError

_PATH_SETTINGS = ("personal_api_key_file", "tools_dir", "sandbox_db")


def make_entry(settings: Settings, uvx: bool = False, remote: str | None = None) -> ServerEntry:
    """Return the entry that starts this server, or that connects to a remote server.

    Raises:
        ConfigurationError: uvx is needed but is not on the PATH, or the remote URL is not safe for a key.
    """
    no_key = settings.sandbox or settings.personal_api_key_file is not None
    secret = None if no_key else Secret()
    if remote is None:
        return ServerEntry(command=launch.command(uvx), variables=changed_settings(settings), secret=secret)
    url = split_url(remote)
    if url is None or not is_secure(url):
        raise ConfigurationError(f"--remote {remote!r} is not an https:// URL (http:// is allowed on loopback only)")
    return ServerEntry(url=remote, secret=secret)


def changed_settings(settings: Settings) -> Mapping[str, str]:
    """Return the settings for the entry, by variable: those that differ from their default.

    Secrets and settings of `serve` are left out.
    """
    changed, defaults = {}, Settings()
    for option in OPTIONS:
        value = getattr(settings, option.name)
        if option.secret or option.serve_only or value == getattr(defaults, option.name):
            continue
        # The client starts the server in another folder, so a relative path would not be found.
        is_path = option.name in _PATH_SETTINGS
        changed[option.variable] = str(Path(value).expanduser().absolute()) if is_path else _format(value)
    return changed


def stored_key(file: ConfigFile) -> str | None:
    """Return the key that this server's entry in the file contains, if any."""
    with _errors_with_path(file):
        entry = merge.get(file.client.format, files.read(file.path) or "", file.entry_path)
    return next(inline_keys(entry), None)


def edit(file: ConfigFile, text: str, entry: ServerEntry) -> str:
    """Return the text of a file with the entry added or replaced."""
    with _errors_with_path(file):
        return merge.add(file.client.format, text, changes(file.client, file.servers_path, entry))


def install(file: ConfigFile, entry: ServerEntry) -> bool:
    """Add the entry to the file, or replace it there. Return whether the file changed."""
    text = files.read(file.path) or ""
    edited = edit(file, text, entry)
    if edited != text:
        files.replace(file.path, edited, private=entry.needs_key_in_file(file.client))
    return edited != text


def uninstall(file: ConfigFile) -> bool:
    """Remove the entry and the backup, which can contain a key. Return False without entry."""
    text = files.read(file.path) or ""
    with _errors_with_path(file):
        if merge.get(file.client.format, text, file.entry_path) is None:
            return False
        edited = merge.remove(file.client.format, text, locations(file))
    files.replace(file.path, edited, backup=False)
    files.delete_backup(file.path)
    return True


@contextmanager
def _errors_with_path(file: ConfigFile) -> Iterator[None]:
    try:
        yield
    except ParseError as error:
        raise ConfigurationError(f"{file.path}: {error}; nothing was changed") from None


def _format(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
