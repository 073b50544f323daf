"""The variables and flags, one by one, so that one mistake does not hide the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...api.credentials import Credentials, credentials_from
from ...errors import ConfigurationError
from ...options import OPTIONS
from ...settings import Settings
from .finding import Finding, failed

_CHECKS = {"POSTHOG_PERSONAL_API_KEY": "key", "POSTHOG_PERSONAL_API_KEY_FILE": "key", "POSTHOG_HOST": "host"}


def read(environ: Mapping[str, str], flags: Mapping[str, Any]) -> tuple[Settings, list[Finding]]:
    """The settings without what is wrong in them, and what that is."""
    found: list[Finding] = []
    sound: dict[str, str] = {}
    for variable, value in environ.items():
        try:
            Settings.read({variable: value})
            sound[variable] = value
        except ConfigurationError as error:
            found.append(failed(_CHECKS.get(variable, "settings"), error))
    kept: dict[str, Any] = {}
    for option in OPTIONS:
        try:
            given = {option.name: flags[option.name]} if option.name in flags else {}
            Settings.read({}, given)
            kept |= given
        except ConfigurationError as error:
            found.append(failed(_CHECKS.get(option.variable, "settings"), error))
    # What is sound by itself is so together: no setting's range depends on another.
    return Settings.read(sound, kept), found


def key(settings: Settings) -> tuple[Credentials | None, Iterator[Finding]]:
    """The key that these settings lead to, and what there is to say of it; never the key itself."""
    try:
        held = credentials_from(settings)()
    except ConfigurationError as error:
        return None, iter([failed("key", error)])
    said = held.key.get_secret_value() if held.key else ""
    kind = {"phx_": "a personal API key", "pha_": "an OAuth token"}.get(said[:4], "a key from before keys had a prefix")
    where = settings.personal_api_key_file if settings.personal_api_key is None else "POSTHOG_PERSONAL_API_KEY"
    return held, iter([Finding("key", "ok", f"{kind} of {len(said)} characters, from {where}")])
