"""Checks of the settings, each alone, so that one error does not hide another, and the key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...api.credentials import Credentials, key_provider
from ...errors import ConfigurationError
from ...keys import describe_key
from ...settings import OPTIONS, Settings
from ...signin.source import SignInSource
from .finding import Finding, from_error
from .variables import misspelled, unused_credentials

_CHECKS = {"POSTHOG_PERSONAL_API_KEY": "key", "POSTHOG_PERSONAL_API_KEY_FILE": "key", "POSTHOG_HOST": "host"}


def check_settings(variables: Mapping[str, str], flags: Mapping[str, Any]) -> tuple[Settings, list[Finding]]:
    """Return the settings without the invalid ones, and a finding for each invalid one."""
    sources: list[tuple[str, dict[str, str], dict[str, Any]]]
    sources = [(name, {name: value}, {}) for name, value in variables.items()]
    sources += [(o.variable, {}, {o.name: flags[o.name]}) for o in OPTIONS if o.name in flags]
    findings, valid_variables, valid_flags = [], dict[str, str](), dict[str, Any]()
    for name, variable, flag in sources:
        try:
            Settings.read(variable, flag)
        except ConfigurationError as error:
            findings.append(from_error(_CHECKS.get(name, "settings"), error))
        else:
            valid_variables |= variable
            valid_flags |= flag
    # The valid range of a setting never depends on another setting, so together they are valid too.
    return Settings.read(valid_variables, valid_flags), findings


def check_variables(variables: Mapping[str, str], flags: Mapping[str, Any], settings: Settings) -> Iterator[Finding]:
    """Yield the variables that look like settings, and the credentials that are not used."""
    for name, expected in misspelled(variables):
        message = f"{name} is set, but this server does not read it"
        yield Finding("settings", "note", message, f"if it is meant for this server, rename it to {expected}")
    for message, fix in unused_credentials(settings, () if "sandbox" in flags else variables):
        yield Finding("settings", "note", message, fix)


def check_key(settings: Settings, *, has_clients: bool) -> tuple[Credentials | None, Finding]:
    """Return the credentials of these settings, and a finding that does not contain the key.

    If there are none, that is wrong unless clients have this server: their entries have credentials of their own.
    """
    try:
        credentials = (key_provider(settings) or SignInSource(settings))()
        credentials.require("key")
    except ConfigurationError as error:
        finding = from_error("key", error)
        if settings.personal_api_key or settings.personal_api_key_file or not has_clients:
            return None, finding
        message = f"{finding.message}, so only the credentials of the clients are checked, without their scopes"
        return None, replace(finding, status="skip", message=message)
    if credentials.sign_in:
        return credentials, Finding("key", "ok", f"{credentials.source}, renewed automatically")
    key = credentials.key.get_secret_value() if credentials.key else ""
    source = settings.personal_api_key_file if settings.personal_api_key is None else "POSTHOG_PERSONAL_API_KEY"
    return credentials, Finding("key", "ok", f"{describe_key(key)} of {len(key)} characters, from {source}")
