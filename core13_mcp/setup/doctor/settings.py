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
    findings = []
    # The valid range of a setting never depends on another setting, so together they are valid too.
    valid_variables, valid_flags = dict(variables), dict(flags)
    for name, value in variables.items():
        if finding := _problem(name, {name: value}, {}):
            findings.append(finding)
            del valid_variables[name]
    for option in OPTIONS:
        flag = {option.name: flags[option.name]} if option.name in flags else {}
        if finding := _problem(option.variable, {}, flag):
            findings.append(finding)
            del valid_flags[option.name]
    return Settings.read(valid_variables, valid_flags), findings


def _problem(variable: str, variables: Mapping[str, str], flags: Mapping[str, Any]) -> Finding | None:
    try:
        Settings.read(variables, flags)
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
