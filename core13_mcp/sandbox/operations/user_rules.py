"""The fields of a user, and the rules for a change of e-mail address, password, organization and project."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from ..auth import check_recent_login, hash_password
from ..context import RequestContext
from ..responses import api_error
from ..serializers import NOTIFICATION_DEFAULTS, sso_domains
from ..store import Doc, Row
from ..validation import Field, Invalid, boolean, choice, email, parse_integer, text, validate

# A new e-mail address requires a login within this time.
REAUTHENTICATION: Final = timedelta(minutes=5)
ROLES: Final = ("engineering", "data", "product", "founder", "leadership", "marketing", "sales", "other")
MAX_PIPELINES: Final = 1000
COMMON_WORDS: Final = ("password", "12345678", "qwerty", "letmein", "posthog", "iloveyou", "admin", "welcome")


def display_name(value: Any) -> str:
    """A first or last name without a URL."""
    name: str = text(150, blank=True)(value)
    if "://" in name:
        raise Invalid("This name is not allowed.")
    return name


def notification_settings(value: Any) -> Doc:
    """An object of known settings, each with a value of its type."""
    if not isinstance(value, Mapping):
        raise Invalid(f'Expected a dictionary of items but got type "{type(value).__name__}".', "not_a_dict")
    for key, setting in value.items():
        if key not in NOTIFICATION_DEFAULTS:
            raise Invalid(f"Key {key} is not valid as a key for notification settings.")
        if not _has_setting_type(key, setting):
            raise Invalid(f"The value of {key} has the wrong type.")
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


def new_password(value: Any) -> str:
    """A password of 8 to 128 characters. The check of its strength approximates a zxcvbn score of 3."""
    password: str = text(128, trim=False)(value)
    if len(password) < 8:
        raise Invalid("This password is too short. It must contain at least 8 characters.")
    kinds = sum(bool(re.search(kind, password)) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]"))
    common = any(word in password.lower() for word in COMMON_WORDS)
    if common or len(set(password.lower())) < 5 or len(password) + 2 * kinds < 14:
        raise Invalid("This password is too weak.")
    return password


FIELDS: Final = {
    "first_name": Field(display_name),
    "last_name": Field(display_name),
    "email": Field(email),
    "notification_settings": Field(notification_settings),
    "anonymize_data": Field(boolean, nullable=True),
    "allow_impersonation": Field(boolean, nullable=True),
    "toolbar_mode": Field(choice(("disabled", "toolbar", "")), nullable=True),
    "is_staff": Field(boolean),
    "set_current_organization": Field(text()),
    "set_current_team": Field(text()),
    "password": Field(new_password),
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
}
# The operation stores these fields itself; it copies all others into the document of the user.
HANDLED_SEPARATELY: Final = {
    "email", "notification_settings", "set_current_organization", "set_current_team", "password", "current_password",
}  # fmt: skip


def check(context: RequestContext, row: Row) -> Doc:
    """Return the validated body of a request that changes the user in `row`, without an unchanged `email`."""
    _check_permissions(context, row)
    sent = validate(FIELDS, context.body, partial=True)
    if "email" in sent and _is_same_email(row, sent["email"]):
        del sent["email"]
    if "email" in sent:
        _check_email(context, row, sent["email"])
    if sent.get("passkeys_enabled_for_2fa") and not row["doc"]["passkeys"]:
        raise api_error(400, "Add a passkey first.", "passkeys_enabled_for_2fa", "no_passkeys")
    stored = row["doc"]["password"]
    if "password" in sent and stored is not None:
        if "current_password" not in sent:
            detail = "This field is required when updating your password."
            raise api_error(400, detail, "current_password", "required")
        if hash_password(sent["current_password"]) != stored:
            raise api_error(400, "Your current password is incorrect.", "current_password", "incorrect_password")
    return sent | _new_project(context, row, sent)


def _check_permissions(context: RequestContext, row: Row) -> None:
    """Check who may change `is_staff`, `email` and `password`, before the body is validated."""
    principal = context.principal
    if "is_staff" in context.fields and not principal.is_staff:
        raise api_error(403, "You are not a staff user, contact your instance admin.")
    new_email = "email" in context.fields and not _is_same_email(row, context.fields["email"])
    guarded = context.options.token_guard and not principal.by_session
    if guarded and (new_email or "password" in context.fields):
        raise api_error(403, "E-mail and password cannot be changed with an API key or OAuth token.")
    if new_email:
        check_recent_login(context, REAUTHENTICATION)


def _is_same_email(row: Row, value: Any) -> bool:
    return isinstance(value, str) and value.strip().lower() == row["email"].lower()


def _check_email(context: RequestContext, row: Row, new: str) -> None:
    enforced = sso_domains(context.store)
    for address, which in ((row["email"], "current"), (new, "new")):
        if address.rpartition("@")[2].lower() in enforced:
            detail = f"The {which} e-mail address belongs to a domain with enforced single sign-on."
            raise api_error(400, detail, "email", f"sso_enforced_{which}_email")
    for user in context.store.all("select id, email from person"):
        if user["id"] != row["id"] and user["email"].lower() == new.lower():
            raise api_error(400, "There is already an account with this email address.", "email", "unique")
        if _mailbox(user["email"]) == _mailbox(new):
            raise api_error(400, "This address is an alias of an existing account.", "email")


def _mailbox(address: str) -> str:
    """The mailbox of an address: lower case, without a tag such as `+news`."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _new_project(context: RequestContext, row: Row, sent: Doc) -> Doc:
    """The new current project and organization. An organization alone selects its first project."""
    sql = "select organization_id from membership where person_id = ?"
    own = {membership["organization_id"] for membership in context.store.all(sql, row["id"])}
    organization, project_id = sent.get("set_current_organization"), sent.get("set_current_team")
    if organization is not None and organization.lower() not in own:
        detail = f"Object with id={organization} does not exist."
        raise api_error(400, detail, "set_current_organization", "does_not_exist")
    if project_id is not None:
        project = context.store.one("select * from project where id = ?", parse_integer(project_id))
        if project is None or project["organization_id"] not in own:
            raise api_error(400, f"Object with id={project_id} does not exist.", "set_current_team", "does_not_exist")
        if organization is not None and project["organization_id"] != organization.lower():
            detail = "Team must belong to the same organization in set_current_organization."
            raise api_error(400, detail, "set_current_team")
        return {"current_project": project["id"], "current_organization": project["organization_id"]}
    if organization is None:
        return {}
    first = context.store.value("select min(id) from project where organization_id = ?", organization.lower())
    return {"current_project": first, "current_organization": organization.lower()}
