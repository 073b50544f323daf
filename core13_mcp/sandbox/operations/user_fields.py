"""The fields of a user, and the validators that only users need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ..fields import Field
from ..serializers import NOTIFICATION_DEFAULTS
from ..validators import Invalid, any_json, boolean, choice, email, text

ROLES: Final = ("engineering", "data", "product", "founder", "leadership", "marketing", "sales", "other")
MAX_PIPELINES: Final = 1000
COMMON_WORDS: Final = ("password", "12345678", "qwerty", "letmein", "posthog", "iloveyou", "admin", "welcome")


def display_name(value: Any) -> str:
    """A first or last name without a URL."""
    name: str = text(blank=True, max_length=150)(value)
    if "://" in name:
        raise Invalid("invalid_input", "This name is not allowed.")
    return name


def notification_settings(value: Any) -> dict[str, Any]:
    """An object of known settings, each with a value of its type."""
    if not isinstance(value, Mapping):
        raise Invalid("not_a_dict", f'Expected a dictionary of items but got type "{type(value).__name__}".')
    for key, setting in value.items():
        if key not in NOTIFICATION_DEFAULTS:
            raise Invalid("invalid_input", f"Key {key} is not valid as a key for notification settings.")
        if not _has_setting_type(key, setting):
            raise Invalid("invalid_input", f"The value of {key} has the wrong type.")
    return dict(value)


def _has_setting_type(key: str, value: Any) -> bool:
    default = NOTIFICATION_DEFAULTS[key]
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, float):
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    if key == "realtime_notifications_disabled":
        return isinstance(value, dict) and all(_is_switches(switches) for switches in value.values())
    return _is_switches(value) and (key != "pipeline_notifications_disabled" or len(value) <= MAX_PIPELINES)


def _is_switches(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(switch, bool) for switch in value.values())


def password(value: Any) -> str:
    """A new password that is long and strong enough."""
    result: str = text(max_length=128, trim=False)(value)
    if len(result) < 8:
        raise Invalid("invalid_input", "This password is too short. It must contain at least 8 characters.")
    if _is_weak(result):
        raise Invalid("invalid_input", "This password is too weak.")
    return result


def _is_weak(value: str) -> bool:
    """An approximation of a zxcvbn score below 3: common words, few different characters, or short and uniform."""
    lowered = value.lower()
    kinds = sum(bool(re.search(kind, value)) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]"))
    common = any(word in lowered for word in COMMON_WORDS)
    return common or len(set(lowered)) < 5 or len(value) + 2 * kinds < 14


FIELDS: Final = {
    "first_name": Field(display_name),
    "last_name": Field(display_name),
    "email": Field(email),
    "notification_settings": Field(notification_settings),
    "anonymize_data": Field(boolean, nullable=True),
    "allow_impersonation": Field(boolean, nullable=True),
    "toolbar_mode": Field(choice(("disabled", "toolbar"), blank=True), nullable=True),
    "is_staff": Field(boolean),
    "set_current_organization": Field(text()),
    "set_current_team": Field(text()),
    "password": Field(password),
    "current_password": Field(text(trim=False)),
    "events_column_config": Field(any_json),
    "has_seen_product_intro_for": Field(any_json, nullable=True),
    "theme_mode": Field(choice(("light", "dark", "system"), blank=True), nullable=True),
    "hedgehog_config": Field(any_json, nullable=True),
    "allow_sidebar_suggestions": Field(boolean, nullable=True),
    "shortcut_position": Field(choice(("above", "below", "hidden"), blank=True), nullable=True),
    "role_at_organization": Field(choice(ROLES)),
    "passkeys_enabled_for_2fa": Field(boolean, nullable=True),
    "hide_mcp_hints": Field(boolean),
}
# The operation stores these fields itself; it copies all others into the document of the user.
HANDLED_SEPARATELY: Final = {
    "email", "notification_settings", "set_current_organization", "set_current_team", "password", "current_password",
}  # fmt: skip
