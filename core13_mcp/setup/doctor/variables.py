"""Environment variables that look like settings but are not, and settings that exclude each other. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from ...settings import OPTIONS, Settings

_POSTHOG = [option.variable for option in OPTIONS if option.variable.startswith("POSTHOG_")]

# Names that other programs use for the same values.
_OTHER_NAMES = {
    "POSTHOG_PERSONAL_API_KEY": ("API_KEY", "KEY", "TOKEN", "API_TOKEN", "AUTH_TOKEN", "PERSONAL_KEY", "ACCESS_TOKEN"),
    "POSTHOG_HOST": ("API_HOST", "URL", "API_URL", "BASE_URL", "HOST_URL", "ENDPOINT", "API_ENDPOINT", "REGION"),
    "POSTHOG_PROJECT_ID": ("PROJECT", "TEAM_ID", "TEAM", "ENVIRONMENT_ID", "DEFAULT_PROJECT_ID"),
}
_EXPECTED = {f"POSTHOG_{other}": name for name, others in _OTHER_NAMES.items() for other in others}


def misspelled(names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield each POSTHOG_ variable that is not a setting, with the setting that it probably stands for.

    A setting that is there under its own name has no other name.
    """
    for name in names:
        if not name.startswith("POSTHOG_") or name in _POSTHOG:
            continue
        expected = _EXPECTED.get(name) or next(iter(get_close_matches(name, _POSTHOG, n=1, cutoff=0.9)), None)
        if expected and expected not in names:
            yield name, expected


def unused_credentials(settings: Settings, named: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the credentials that another setting replaces, and what to do.

    `named` are the variables of the person who chose the sandbox. A key that is there for other programs is no mistake.
    """
    key, file = "POSTHOG_PERSONAL_API_KEY", "POSTHOG_PERSONAL_API_KEY_FILE"
    if settings.sandbox and not {key, file}.isdisjoint(named):
        message = "the sandbox is chosen, so the API key is not used, and no call reaches your account"
        yield message, "remove CORE13_SANDBOX to use your account"
    elif settings.personal_api_key is not None and settings.personal_api_key_file is not None:
        yield f"{key} and {key}_FILE are both set, so the file is not used", "remove one of them"
