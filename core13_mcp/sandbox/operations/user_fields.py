"""The fields of a user, and the validators that only users need."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from ..eras import Era
from ..serializers import NOTIFICATION_DEFAULTS
from ..store import Doc
from ..validation import Field, Invalid, boolean, choice, email, text

ROLES: Final = ("engineering", "data", "product", "founder", "leadership", "marketing", "sales", "other")
MAX_PIPELINES: Final = 1000
PIPELINE: Final = re.compile("(hog_function|batch_export|plugin_config):[0-9a-zA-Z-]{1,128}")
NOTIFICATION_TYPES: Final = {
    "comment_mention", "alert_firing", "approval_requested", "approval_resolved", "pipeline_failure", "issue_assigned",
}  # fmt: skip
SCHEME: Final = r"[a-z][a-z0-9+.-]*://|www\.|\b(javascript|data|vbscript|file|ftp|mailto|tel|sms):"
DOMAIN: Final = r"\b([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}\b"
# What a name must not contain: the code of the error, and the pattern, in the order of the server's checks.
FORBIDDEN_IN_NAMES: Final = (
    ("invalid_control_char", re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")),
    ("invalid_invisible_char", re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")),
    ("invalid_bracket", re.compile("[<>]")),
    ("invalid_url", re.compile(f"{SCHEME}|{DOMAIN}", re.IGNORECASE)),
)


def display_name(value: Any) -> str:
    """A first or last name without URL, angle bracket, control character or invisible character."""
    name: str = text(150, blank=True)(value)
    # Compatibility forms such as full-width letters count as the letters that they stand for.
    for code, pattern in FORBIDDEN_IN_NAMES:
        if pattern.search(name) or pattern.search(unicodedata.normalize("NFKC", name)):
            raise Invalid("This name is not allowed.", code)
    return name


def notification_settings(value: Any) -> Doc:
    """An object of known settings, each with a value of its type."""
    if not isinstance(value, Mapping):
        raise Invalid(f'Expected a dictionary of items but got type "{type(value).__name__}".', "not_a_dict")
    for key, setting in value.items():
        if key not in NOTIFICATION_DEFAULTS:
            raise Invalid(f"Key {key} is not valid as a key for notification settings.")
        if not _has_setting_type(key, setting):
            raise Invalid(f"The value of {key} is not valid.")
    return {
        key: float(setting) if key == "data_pipeline_error_threshold" else setting for key, setting in value.items()
    }


def _has_setting_type(key: str, value: Any) -> bool:
    default = NOTIFICATION_DEFAULTS[key]
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, float):
        # A boolean is a number in Python, so the server accepts it.
        return isinstance(value, int | float) and 0 <= value <= 1
    if key == "realtime_notifications_disabled":
        known = isinstance(value, dict) and value.keys() <= NOTIFICATION_TYPES
        return known and all(_is_switches(switches) for switches in value.values())
    if key == "pipeline_notifications_disabled":
        return _is_switches(value) and len(value) <= MAX_PIPELINES and all(map(PIPELINE.fullmatch, value))
    return _is_switches(value)


def _is_switches(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(switch, bool) for switch in value.values())


def organization_id(value: Any) -> str:
    """The UUID of an organization."""
    try:
        return str(uuid.UUID(text()(value)))
    except ValueError:
        raise Invalid(f"\u201c{value}\u201d is not a valid UUID.") from None


def json_object(value: Any) -> Doc:
    if not isinstance(value, dict):
        raise Invalid("Does not match the schema: must be an object.")
    return value


@cache
def fields_of(era: Era) -> dict[str, Field]:
    """The fields of a request body, in the order in which the server validates them."""
    interface = {"ui_configuration": Field(json_object, nullable=True)} if "ui_configuration" in era.user_fields else {}
    return {
        "first_name": Field(display_name),
        "last_name": Field(display_name),
        "email": Field(email),
        "notification_settings": Field(notification_settings),
        "anonymize_data": Field(boolean, nullable=True),
        "allow_impersonation": Field(boolean, nullable=True),
        "toolbar_mode": Field(choice(("disabled", "toolbar", "")), nullable=True),
        "is_staff": Field(boolean),
        "set_current_organization": Field(organization_id),
        "set_current_team": Field(text()),
        "password": Field(text(128, trim=False)),
        "current_password": Field(text(trim=False)),
        "events_column_config": Field(),
        "has_seen_product_intro_for": Field(nullable=True),
        "theme_mode": Field(choice(("light", "dark", "system", "")), nullable=True),
        "hedgehog_config": Field(nullable=True),
        "allow_sidebar_suggestions": Field(boolean, nullable=True),
        "shortcut_position": Field(choice(("above", "below", "hidden", "")), nullable=True),
        "role_at_organization": Field(choice(ROLES)),
        "passkeys_enabled_for_2fa": Field(boolean, nullable=True),
        "hide_mcp_hints": Field(boolean),
        **interface,
    }
