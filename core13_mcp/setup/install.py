"""Install this server in a client's configuration file, and remove it.

Functions raise ConfigurationError if a file cannot be read, parsed or written. Then the file is unchanged.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from .. import identity
from ..errors import ConfigurationError
from ..identity import NAME, VERSION
from ..origins import is_secure, split_url
from ..settings import OPTIONS, Settings
from . import files, jsonc, paths, toml, yaml
from .client import ConfigFile
from .entries import Secret, ServerEntry, changes, inline_keys
from .paths import ParseError

_PATH_SETTINGS = ("personal_api_key_file", "tools_dir", "sandbox_db")


def make_entry(settings: Settings, uvx: bool = False, remote: str | None = None) -> ServerEntry:
    """Return the entry that starts this server, or that connects to a remote server.

    Raises:
        ConfigurationError: uvx is needed but cannot start this package, or the remote URL is not safe for a key.
    """
    no_key = settings.sandbox or settings.personal_api_key_file is not None
    secrets = () if no_key else (Secret(),)
    if remote is None:
        return ServerEntry(command=server_command(uvx), variables=_changed_settings(settings), secrets=secrets)
    url = split_url(remote)
    if url is None or not is_secure(url):
        raise ConfigurationError(f"--remote {remote!r} is not an https:// URL (http:// is allowed on loopback only)")
    return ServerEntry(url=remote, secrets=secrets)


def server_command(uvx: bool = False) -> list[str]:
    """Return the command that starts this installation, or, with `uvx`, this version with uvx.

    Raises:
        ConfigurationError: uvx is needed but is not on the PATH, or the package is not published.
    """
    # uv's cache can be deleted at any time.
    in_cache = any(part.startswith(("archive-v", "environments-v")) for part in Path(sys.prefix).parts)
    if uvx or in_cache:
        if not identity.PUBLISHED:
            raise ConfigurationError(
                f"{NAME} is not published on PyPI yet, so uvx would run a package of someone else; install it from its "
                "source in an environment that stays, and run `install` there without --uvx"
            )
        path = shutil.which("uvx")
        if path is None:
            raise ConfigurationError("uvx is not on the PATH; install uv, or omit --uvx to use this installation")
        return [str(Path(path).absolute()), f"{NAME}@{VERSION}", "serve"]
    script = Path(sys.executable).with_name(NAME + (".exe" if sys.platform == "win32" else ""))
    return [str(script), "serve"] if script.is_file() else [sys.executable, "-m", "core13_mcp", "serve"]


def _changed_settings(settings: Settings) -> Mapping[str, str]:
    """Return the settings that differ from their default, by variable, without secrets and settings of `serve`."""
    changed, defaults = {}, Settings()
    for option in OPTIONS:
        value: Any = getattr(settings, option.name)
        if option.secret or option.serve_only or value == getattr(defaults, option.name):
            continue
        if option.name in _PATH_SETTINGS:
            # The client starts the server in another folder, so a relative path would not be found.
            value = Path(value).expanduser().absolute()
        elif isinstance(value, tuple):
            value = ",".join(value)
        elif isinstance(value, bool):
            value = str(value).lower()
        changed[option.variable] = str(value)
    return changed


def stored_key(file: ConfigFile) -> str | None:
    """Return the key that this server's entry in the file contains, if any."""
    return next(iter(inline_keys(file.client, paths.get(_parse(file, _read(file)), file.entry_path))), None)


def load(file: ConfigFile) -> Any:
    """Return the value of a file; an empty object if the file is empty or does not exist."""
    return _parse(file, files.read(file.path) or "")


def edit(file: ConfigFile, text: str, entry: ServerEntry) -> str:
    """Return the text of a file with the entry added or replaced. The rest of the text does not change."""
    # The editor accepts comments even where the client does not.
    _parse(file, text)
    with _errors_with_path(file):
        for path, value in changes(file.client, file.servers_path, entry):
            text = _editor(file).set_value(text, path, value)
    return text


def install(file: ConfigFile, entry: ServerEntry) -> bool:
    """Add the entry to the file, or replace it there. Return whether the file changed."""
    text = _read(file)
    edited = edit(file, text, entry)
    if edited != text:
        files.replace(file.path, edited)
    return edited != text


def uninstall(file: ConfigFile) -> bool:
    """Remove the entry; return False if there is none.

    The backup of the last change is deleted if it has an entry, which can contain a key, or if it has nothing that the
    file does not have.
    """
    text = _read(file)
    if paths.get(_parse(file, text), file.entry_path) is None:
        return False
    any_entry = ServerEntry(command=[NAME], secrets=(Secret(),))
    with _errors_with_path(file):
        for path, _ in changes(file.client, file.servers_path, any_entry):
            text = _editor(file).remove(text, path)
    backup = files.backup_path(file.path)
    old = _parse(file, files.read(backup) or "")
    files.replace(file.path, text, backup=False)
    if paths.get(old, file.entry_path) is not None or _without_empty(old) == _without_empty(_parse(file, text)):
        backup.unlink(missing_ok=True)
    return True


def _read(file: ConfigFile) -> str:
    """Return the text of a file that is going to be changed."""
    # A repository can contain a link to a file of the person.
    if file.project is not None:
        files.require_inside(file.path, file.project)
    return files.read(file.path) or ""


def _without_empty(value: Any) -> Any:
    """Return a JSON value without empty objects and lists, which `install` creates around an entry."""
    if isinstance(value, dict):
        return {name: part for name, item in value.items() if (part := _without_empty(item)) not in ({}, [])}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value


def _parse(file: ConfigFile, text: str) -> Any:
    if not text.strip("\ufeff \t\r\n"):
        return {}
    with _errors_with_path(file):
        return jsonc.read(text, comments=False) if file.client.format == "json" else _editor(file).read(text)


def _editor(file: ConfigFile) -> ModuleType:
    return {"toml": toml, "yaml": yaml}.get(file.client.format, jsonc)


@contextmanager
def _errors_with_path(file: ConfigFile) -> Iterator[None]:
    try:
        yield
    except ParseError as error:
        raise ParseError(f"{file.path}: {error}; nothing was changed") from None
