"""Checks of the settings, each alone, so that one error does not hide another, and the key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...api.credentials import Credentials, credentials_from
from ...errors import ConfigurationError
from ...keys import describe_key
from ...settings import OPTIONS, Settings
from .finding import Finding, from_error

_CHECKS = {"POSTHOG_PERSONAL_API_KEY": "key", "POSTHOG_PERSONAL_API_KEY_FILE": "key", "POSTHOG_HOST": "host"}


def check_settings(variables: Mapping[str, str], flags: Mapping[str, Any]) -> tuple[Settings, list[Finding]]:
    """Return the settings without the invalid ones, and a finding for each invalid one."""
    invalid_variables = {
        name: finding for name, value in variables.items() if (finding := _problem(name, {name: value}))
    }
    invalid_flags = {
        option.name: finding
        for option in OPTIONS
        if option.name in flags and (finding := _problem(option.variable, {}, {option.name: flags[option.name]}))
    }
    # The valid range of a setting never depends on another setting, so together they are valid too.
    settings = Settings.read(
        {name: value for name, value in variables.items() if name not in invalid_variables},
        {name: value for name, value in flags.items() if name not in invalid_flags},
    )
    return settings, [*invalid_variables.values(), *invalid_flags.values()]


def _problem(variable: str, *source: Mapping[str, Any]) -> Finding | None:
    try:
        Settings.read(*source)
    except ConfigurationError as error:
        return from_error(_CHECKS.get(variable, "settings"), error)
    return None


def check_key(settings: Settings) -> tuple[Credentials | None, Finding]:
    """Return the credentials of these settings, and a finding that does not contain the key."""
    try:
        credentials = credentials_from(settings)()
    except ConfigurationError as error:
        return None, from_error("key", error)
    key = credentials.key.get_secret_value() if credentials.key else ""
    source = settings.personal_api_key_file if settings.personal_api_key is None else "POSTHOG_PERSONAL_API_KEY"
    return credentials, Finding("key", "ok", f"{describe_key(key)} of {len(key)} characters, from {source}")
