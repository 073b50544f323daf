"""The entry that the settings and flags of `install` describe."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from ..identity import NAME
from ..keys import SecretStr
from ..settings import OPTIONS, Settings
from ..signin.source import SignInSource
from .command import portable_command, server_command
from .entries import CSRF_TOKEN, KEY, REMOTE_SECRETS, SESSION_ID, TOKEN, Secret, ServerEntry
from .remote import check_url

_PATH_SETTINGS = ("personal_api_key_file", "login_dir", "tools_dir", "sandbox_db")


def make_entry(settings: Settings, uvx: bool = False, project: Path | None = None) -> ServerEntry:
    """Return the entry that starts this server.

    Args:
        settings: Those that differ from their default are written into the entry.
        uvx: Whether the published package is started.
        project: The project that gets the entry in its file. Then the entry is valid on every machine.

    Raises:
        ConfigurationError: uvx is needed but cannot start this package, or a path exists on this machine only.
    """
    needs_no_key = settings.sandbox or settings.personal_api_key_file is not None or _is_signed_in(settings)
    session = [_with_value(secret, settings) for secret in (SESSION_ID, CSRF_TOKEN)]
    secrets = [] if needs_no_key else [_with_value(Secret(), settings)]
    return ServerEntry(
        command=portable_command() if project and not uvx else server_command(uvx),
        variables=_variables(settings, project),
        secrets=(*secrets, *(secret for secret in session if secret.value)),
    )


def _is_signed_in(settings: Settings) -> bool:
    return not SignInSource(settings)().problem


def make_remote_entry(settings: Settings, url: str, auth: str, uvx: bool = False) -> ServerEntry:
    """Return the entry that connects to a server with this value of `--auth`.

    Raises:
        ConfigurationError: The URL is not safe, or a setting would have no effect.
    """
    without_effect = [*(["--uvx"] if uvx else []), *(variable for variable, _ in _changed(settings))]
    if without_effect:
        raise ConfigurationError(
            f"{', '.join(without_effect)} cannot be used together with --remote: the remote server has its own settings",
            "Leave them out. If they are variables of this shell, unset them for this command.",
        )
    return ServerEntry(url=check_url(url), secrets=tuple(_with_value(s, settings) for s in REMOTE_SECRETS[auth]))


def reset_variables(given: Collection[str], settings: Settings) -> frozenset[str]:
    """Return the variables of the settings, of these names, that were set to their default value."""
    defaults = Settings()
    return frozenset(
        option.variable
        for option in OPTIONS
        if option.name in given and getattr(settings, option.name) == getattr(defaults, option.name)
    )


def _with_value(secret: Secret, settings: Settings) -> Secret:
    values: Mapping[str, SecretStr | None] = {
        KEY: settings.personal_api_key,
        TOKEN: settings.token,
        SESSION_ID.variable: settings.session_id,
        CSRF_TOKEN.variable: settings.csrf_token,
    }
    value = values[secret.variable]
    return secret.with_value(value.get_secret_value()) if value else secret


def _variables(settings: Settings, project: Path | None) -> dict[str, str]:
    """Return the settings that differ from their default, by variable, without secrets and settings of `serve`."""
    return {variable: _text(variable, value, project) for variable, value in _changed(settings)}


def _changed(settings: Settings) -> Iterator[tuple[str, Any]]:
    defaults = Settings()
    for option in OPTIONS:
        value = getattr(settings, option.name)
        if not (option.secret or option.serve_only or value == getattr(defaults, option.name)):
            is_path = option.name in _PATH_SETTINGS
            yield option.variable, Path(value).expanduser() if is_path else value


def _text(variable: str, value: Any, project: Path | None) -> str:
    if isinstance(value, Path):
        # The client starts the server in another folder, so a relative path would not exist there.
        return _shared_path(variable, value, project) if project else str(value.absolute())
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _shared_path(variable: str, path: Path, project: Path) -> str:
    """Return a path that is valid on other machines: clients start the servers of a project in its directory."""
    # Without `..`, which could lead out of the project.
    absolute = Path(os.path.abspath(path))
    if not absolute.is_relative_to(project):
        raise ConfigurationError(
            f"{variable} names {path}, which is outside this project, so it does not exist on other machines",
            f"Use a path inside {project}, or run `{NAME} install` without --scope project.",
        )
    return absolute.relative_to(project).as_posix()
