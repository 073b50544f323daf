"""The rules for a change of a user: permissions, e-mail address, password, organization and project."""

from __future__ import annotations

import re
from typing import Any, Final

from ..auth import check_recent_login, hash_password
from ..context import RequestContext
from ..responses import api_error
from ..serializers import NOTIFICATION_DEFAULTS, REAUTHENTICATION_PERIOD, notification_locks, sso_domains
from ..store import Doc, Row
from ..validation import Invalid, boolean, parse_integer, validate
from .user_fields import fields_of

COMMON_WORDS: Final = ("password", "12345678", "qwerty", "letmein", "posthog", "iloveyou", "admin", "welcome")
GMAIL: Final = ("gmail.com", "googlemail.com")
# The operation stores these fields itself; it copies all others into the document of the user.
HANDLED_SEPARATELY: Final = {
    "email", "notification_settings", "set_current_organization", "set_current_team", "password", "current_password",
}  # fmt: skip


def check(context: RequestContext, row: Row) -> Doc:
    """Return the validated body of a request that changes the user in `row`, without an unchanged `email`."""
    _check_permissions(context, row)
    sent = validate(fields_of(context.era), context.body, partial=True)
    if "email" in sent and _is_same_email(row, sent["email"]):
        del sent["email"]
    if "email" in sent:
        _check_email(context, row, sent["email"])
    _check_locks(context, row, sent.get("notification_settings", {}))
    if sent.get("passkeys_enabled_for_2fa") and not row["doc"]["passkeys"]:
        raise api_error(400, "Add a passkey first.", "passkeys_enabled_for_2fa", "no_passkeys")
    project = _new_project(context, row, sent)
    if "email" in sent and context.options.mail:
        _check_single_sign_on(context, row, sent["email"])
    if "password" in sent:
        _check_password(sent, row["doc"]["password"])
    return sent | project


def _check_permissions(context: RequestContext, row: Row) -> None:
    """Check who may change `email`, `password` and `is_staff`. An `is_staff` that is not a boolean is a later 400."""
    principal = context.principal
    new_email = "email" in context.fields and not _is_same_email(row, context.fields["email"])
    guarded = context.options.token_guard and not principal.by_session
    if guarded and (new_email or "password" in context.fields):
        raise api_error(403, "E-mail and password cannot be changed with an API key or OAuth token.")
    if new_email:
        check_recent_login(context, REAUTHENTICATION_PERIOD)
    if _is_boolean(context.fields.get("is_staff")) and not principal.is_staff:
        raise api_error(403, "You are not a staff user, contact your instance admin.")


def _is_boolean(value: Any) -> bool:
    try:
        boolean(value)
    except Invalid:
        return False
    return True


def _check_password(sent: Doc, stored: str | None) -> None:
    """Check the current password, then the new one. The strength approximates a zxcvbn score of 3."""
    password: str = sent["password"]
    if stored is not None and not sent.get("current_password"):
        detail = "This field is required when updating your password."
        raise api_error(400, detail, "current_password", "required")
    if stored is not None and hash_password(sent["current_password"]) != stored:
        raise api_error(400, "Your current password is incorrect.", "current_password", "incorrect_password")
    if len(password) < 8:
        raise api_error(400, "This password is too short. It must contain at least 8 characters.", "password")
    kinds = sum(bool(re.search(kind, password)) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]"))
    common = any(word in password.lower() for word in COMMON_WORDS)
    if common or len(set(password.lower())) < 5 or len(password) + 2 * kinds < 14:
        raise api_error(400, "This password is too weak.", "password")


def _check_locks(context: RequestContext, row: Row, settings: Doc) -> None:
    """Check that no setting changes that an organization of the user has locked."""
    if not context.era.organization_rules:
        return
    current = NOTIFICATION_DEFAULTS | row["doc"]["notification_settings"]
    for lock in notification_locks(context.store, row):
        name, scope = lock["setting"], lock["scope_id"]
        old, new = current.get(name), settings.get(name)
        if isinstance(new, dict):
            old, new = (old or {}).get(scope), new.get(scope)
        if new is not None and new != old:
            detail = f"{name} is set by your organization and cannot be changed here."
            raise api_error(400, detail, "notification_settings", "permission_denied")


def _is_same_email(row: Row, value: Any) -> bool:
    return isinstance(value, str) and value.strip().lower() == row["email"].lower()


def _check_email(context: RequestContext, row: Row, new: str) -> None:
    """Check that no other account has the mailbox of a new address, and that the address has no tag."""
    for user in context.store.all("select id, email from person"):
        if user["id"] != row["id"] and _mailbox(user["email"]) == _mailbox(new):
            raise api_error(400, "There is already an account with this email address.", "email", "unique")
    if "+" in new.partition("@")[0]:
        raise api_error(400, "An address with a plus sign is not allowed.", "email")


def _mailbox(address: str) -> str:
    """The mailbox of an address: lower case, without a tag such as `+news`, and without dots at Gmail."""
    local, _, domain = address.lower().rpartition("@")
    local = local.partition("+")[0]
    return f"{local.replace('.', '')}@gmail.com" if domain in GMAIL else f"{local}@{domain}"


def _check_single_sign_on(context: RequestContext, row: Row, new: str) -> None:
    """Check that neither address has a domain with enforced single sign-on, unless one organization has both."""
    current, other = (address.rpartition("@")[2].lower() for address in (row["email"], new))
    domains = sso_domains(context.store)
    if current in domains and domains.get(other) == domains[current]:
        return
    for domain, which in ((current, "current"), (other, "new")):
        if domain in domains:
            detail = f"The {which} e-mail address belongs to a domain with enforced single sign-on."
            raise api_error(400, detail, code=f"sso_enforced_{which}_email")


def _new_project(context: RequestContext, row: Row, sent: Doc) -> Doc:
    """The new current project and organization. An organization alone selects its first project."""
    sql = "select organization_id from membership where person_id = ?"
    own = {membership["organization_id"] for membership in context.store.all(sql, row["id"])}
    organization, project_id = sent.get("set_current_organization"), sent.get("set_current_team")
    if organization is not None:
        _check_organization(context, row, organization, own)
    if project_id is not None:
        project = context.store.one("select * from project where id = ?", parse_integer(project_id))
        if project is None or project["organization_id"] not in own:
            raise api_error(400, f"Object with id={project_id} does not exist.", "set_current_team", "does_not_exist")
        if organization is not None and project["organization_id"] != organization:
            detail = "Team must belong to the same organization in set_current_organization."
            raise api_error(400, detail, "set_current_team")
        return {"current_project": project["id"], "current_organization": project["organization_id"]}
    if organization is None:
        return {}
    first = context.store.value("select min(id) from project where organization_id = ?", organization)
    return {"current_project": first, "current_organization": organization}


def _check_organization(context: RequestContext, row: Row, organization: str, own: set[str]) -> None:
    """Check that the user is a member of an organization that admits the domain of the user's e-mail address."""
    if organization not in own:
        detail = f"Object with id={organization} does not exist."
        raise api_error(400, detail, "set_current_organization", "does_not_exist")
    doc = context.store.value("select doc from organization where id = ?", organization)
    domains = doc["verified_domains"] if context.era.organization_rules else []
    if domains and row["email"].rpartition("@")[2].lower() not in domains:
        detail = "This organization requires an e-mail address with a verified domain."
        raise api_error(400, detail, "set_current_organization", "verified_domain_required")
