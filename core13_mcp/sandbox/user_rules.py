"""What a user may become: profile fields, notification settings, e-mail, password, current project."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from . import errors
from .auth import check_fresh
from .call import Call
from .fields import Field, Invalid, anything, boolean, choice, clean, email, fits, free, optional, text, whole
from .people import NOTIFICATIONS, sso_domains
from .sharing import sealed
from .store import Row

ROLES: Final = ("engineering", "data", "product", "founder", "leadership", "marketing", "sales", "other")
MOST_PIPELINES: Final = 1000
REAUTHENTICATION: Final = timedelta(minutes=5)
COMMON: Final = ("password", "12345678", "qwerty", "letmein", "posthog", "iloveyou", "admin", "welcome")


def name(value: Any) -> str:
    found: str = text(blank=True, longest=150)(value)
    if "://" in found:
        raise Invalid("invalid_input", "This name is not allowed.")
    return found


def notifications(value: Any) -> dict[str, Any]:
    if value is None:
        raise Invalid("null", "This field may not be null.")
    if not isinstance(value, Mapping):
        raise Invalid("not_a_dict", f'Expected a dictionary of items but got type "{type(value).__name__}".')
    for key, found in value.items():
        if key not in NOTIFICATIONS:
            raise Invalid("invalid_input", f"Key {key} is not valid as a key for notification settings.")
        if not _fitting(key, found):
            raise Invalid("invalid_input", f"The value of {key} has the wrong type.")
    return dict(value)


def _fitting(key: str, value: Any) -> bool:
    if isinstance(NOTIFICATIONS[key], bool):
        return isinstance(value, bool)
    if isinstance(NOTIFICATIONS[key], float):
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    if key == "realtime_notifications_disabled":
        return isinstance(value, dict) and all(_switches(found) for found in value.values())
    return _switches(value) and (key != "pipeline_notifications_disabled" or len(value) <= MOST_PIPELINES)


def _switches(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(found, bool) for found in value.values())


def merged(old: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Only the sent keys change, and in a map only its sent entries."""
    result = dict(old)
    for key, value in sent.items():
        known = result.get(key)
        result[key] = merged(known, value) if isinstance(value, dict) and isinstance(known, dict) else value
    return result


def set_current(value: Any) -> str:
    found: str = text()(value)
    return found


def password(value: Any) -> str:
    found: str = text(longest=128, trim=False)(value)
    if len(found) < 8:
        raise Invalid("invalid_input", "This password is too short. It must contain at least 8 characters.")
    if weak(found):
        raise Invalid("invalid_input", "This password is too weak.")
    return found


def weak(found: str) -> bool:
    """A stand-in for a zxcvbn score below 3: common words, few different characters, or short and of one kind."""
    lowered = found.lower()
    kinds = sum(bool(re.search(kind, found)) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]"))
    return any(word in lowered for word in COMMON) or len(set(lowered)) < 5 or len(found) + 2 * kinds < 14


FIELDS: Final = {
    "first_name": Field(name),
    "last_name": Field(name),
    "email": Field(email),
    "notification_settings": Field(notifications),
    "anonymize_data": Field(optional(boolean)),
    "allow_impersonation": Field(optional(boolean)),
    "toolbar_mode": Field(optional(choice(("disabled", "toolbar"), blank=True))),
    "is_staff": Field(boolean),
    "set_current_organization": Field(set_current),
    "set_current_team": Field(set_current),
    "password": Field(password),
    "current_password": Field(text(trim=False)),
    "events_column_config": Field(anything),
    "has_seen_product_intro_for": Field(free),
    "theme_mode": Field(optional(choice(("light", "dark", "system"), blank=True))),
    "hedgehog_config": Field(free),
    "allow_sidebar_suggestions": Field(optional(boolean)),
    "shortcut_position": Field(optional(choice(("above", "below", "hidden"), blank=True))),
    "role_at_organization": Field(choice(ROLES)),
    "passkeys_enabled_for_2fa": Field(optional(boolean)),
    "hide_mcp_hints": Field(boolean),
}
APART: Final = (
    "email", "notification_settings", "set_current_organization", "set_current_team", "password", "current_password",
)  # fmt: skip


def changes(call: Call, row: Row) -> dict[str, Any]:
    """The checked body of a PATCH. Raises Refusal: the guards first, then the first fault."""
    _guard(call, row)
    sent = clean(FIELDS, call.body, partial=True)
    if "email" in sent:
        _check_email(call, row, sent)
    if sent.get("passkeys_enabled_for_2fa") and not row["doc"]["passkeys"]:
        raise errors.invalid("Add a passkey first.", "passkeys_enabled_for_2fa", "no_passkeys")
    _check_password(row, sent)
    _check_current(call, row, sent)
    return sent


def _guard(call: Call, row: Row) -> None:
    """What is refused before anything is validated: 403 for tokens that would change who the account is."""
    if call.sends("is_staff") and not call.caller.staff:
        raise errors.denied("You are not a staff user, contact your instance admin.")
    moves = call.sends("email") and not same_email(row, call.mentions("email"))
    if call.switches.token_guard and not call.caller.by_session and (moves or call.sends("password")):
        raise errors.denied("E-mail and password cannot be changed with an API key or OAuth token.")
    if moves:
        check_fresh(call, REAUTHENTICATION)


def same_email(row: Row, sent: Any) -> bool:
    return isinstance(sent, str) and sent.strip().lower() == row["email"].lower()


def _check_email(call: Call, row: Row, sent: dict[str, Any]) -> None:
    if same_email(row, sent["email"]):
        del sent["email"]
        return
    enforced = sso_domains(call.store)
    for address, which in ((row["email"], "current"), (sent["email"], "new")):
        if address.rpartition("@")[2].lower() in enforced:
            detail = f"The {which} e-mail address belongs to a domain with enforced single sign-on."
            raise errors.invalid(detail, "email", f"sso_enforced_{which}_email")
    for known in call.store.all("select id, email from person"):
        _check_taken(known, row, sent["email"])


def _check_taken(known: Row, row: Row, new: str) -> None:
    if known["id"] != row["id"] and known["email"].lower() == new.lower():
        raise errors.invalid("There is already an account with this email address.", "email", "unique")
    if canonical(known["email"]) == canonical(new):
        raise errors.invalid("This address is an alias of an existing account.", "email")


def canonical(address: str) -> str:
    """The mailbox behind an address: no tag, no capitals."""
    mailbox, _, domain = address.lower().rpartition("@")
    return f"{mailbox.partition('+')[0]}@{domain}"


def _check_password(row: Row, sent: Mapping[str, Any]) -> None:
    stored = row["doc"]["password"]
    if "password" not in sent or stored is None:
        return
    if "current_password" not in sent:
        raise errors.invalid("This field is required when updating your password.", "current_password", "required")
    if sealed(sent["current_password"]) != stored:
        detail = "Your current password is incorrect."
        raise errors.invalid(detail, "current_password", "incorrect_password")


def _check_current(call: Call, row: Row, sent: dict[str, Any]) -> None:
    """Replaces what ``set_current_*`` spell by what they name, an organization id and a project."""
    organization, project = sent.get("set_current_organization"), sent.get("set_current_team")
    if organization is not None and not _member(call, row, organization):
        raise _nonexistent("set_current_organization", organization)
    if project is None:
        return
    sent["set_current_team"] = found = _project(call, row, project)
    if found is None:
        raise _nonexistent("set_current_team", project)
    if organization is not None and found["organization_id"] != organization.lower():
        raise errors.invalid(
            "Team must belong to the same organization in set_current_organization.", "set_current_team"
        )


def _nonexistent(attr: str, spelled: str) -> errors.Refusal:
    return errors.invalid(f"Object with id={spelled} does not exist.", attr, "does_not_exist")


def _member(call: Call, row: Row, organization: str) -> bool:
    sql = "select 1 from membership where person_id = ? and organization_id = ?"
    return call.store.one(sql, row["id"], organization.lower()) is not None


def _project(call: Call, row: Row, spelled: str) -> Row | None:
    number = whole(spelled)
    found = number is not None and fits(number)
    project = call.store.one("select * from project where id = ?", number) if found else None
    return project if project and _member(call, row, project["organization_id"]) else None
