"""The rules for a change of a user: e-mail address, password, current organization and project."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from .. import errors
from ..auth import check_recent_login, hash_password
from ..context import RequestContext
from ..fields import validate
from ..serializers import sso_domains
from ..store import Row
from ..validators import is_valid_key, parse_integer
from .user_fields import FIELDS

# A new e-mail address requires a login within this time.
REAUTHENTICATION: Final = timedelta(minutes=5)


def check(context: RequestContext, row: Row) -> dict[str, Any]:
    """Return the validated body of a request that changes the user in `row`.

    `set_current_team` becomes the row of the project. An unchanged `email` is left out.

    Raises:
        APIError: 403 if the caller may not change a field, else 400 with the first error.
    """
    _check_permissions(context, row)
    sent = validate(FIELDS, context.body, partial=True)
    if "email" in sent and _is_same_email(row, sent["email"]):
        del sent["email"]
    if "email" in sent:
        _check_email(context, row, sent["email"])
    if sent.get("passkeys_enabled_for_2fa") and not row["doc"]["passkeys"]:
        raise errors.invalid("Add a passkey first.", "passkeys_enabled_for_2fa", "no_passkeys")
    _check_password(row, sent)
    return sent | _check_current(context, row, sent)


def _check_permissions(context: RequestContext, row: Row) -> None:
    """Check who may change `is_staff`, `email` and `password`, before the body is validated."""
    principal = context.principal
    if context.has_field("is_staff") and not principal.is_staff:
        raise errors.permission_denied("You are not a staff user, contact your instance admin.")
    new_email = context.has_field("email") and not _is_same_email(row, context.body_field("email"))
    guarded = context.options.token_guard and not principal.by_session
    if guarded and (new_email or context.has_field("password")):
        raise errors.permission_denied("E-mail and password cannot be changed with an API key or OAuth token.")
    if new_email:
        check_recent_login(context, REAUTHENTICATION)


def _is_same_email(row: Row, value: Any) -> bool:
    return isinstance(value, str) and value.strip().lower() == row["email"].lower()


def _check_email(context: RequestContext, row: Row, new: str) -> None:
    enforced = sso_domains(context.store)
    for address, which in ((row["email"], "current"), (new, "new")):
        if address.rpartition("@")[2].lower() in enforced:
            detail = f"The {which} e-mail address belongs to a domain with enforced single sign-on."
            raise errors.invalid(detail, "email", f"sso_enforced_{which}_email")
    for user in context.store.all("select id, email from person"):
        if user["id"] != row["id"] and user["email"].lower() == new.lower():
            raise errors.invalid("There is already an account with this email address.", "email", "unique")
        if _mailbox(user["email"]) == _mailbox(new):
            raise errors.invalid("This address is an alias of an existing account.", "email")


def _mailbox(address: str) -> str:
    """The mailbox of an address: lower case, without a tag such as `+news`."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _check_password(row: Row, sent: Mapping[str, Any]) -> None:
    stored = row["doc"]["password"]
    if "password" not in sent or stored is None:
        return
    if "current_password" not in sent:
        raise errors.invalid("This field is required when updating your password.", "current_password", "required")
    if hash_password(sent["current_password"]) != stored:
        raise errors.invalid("Your current password is incorrect.", "current_password", "incorrect_password")


def _check_current(context: RequestContext, row: Row, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Look up `set_current_organization` and `set_current_team`; return the project if one was sent."""
    organization, project_id = sent.get("set_current_organization"), sent.get("set_current_team")
    if organization is not None and not _is_member(context, row, organization):
        raise _unknown_object("set_current_organization", organization)
    if project_id is None:
        return {}
    project = _find_project(context, row, project_id)
    if project is None:
        raise _unknown_object("set_current_team", project_id)
    if organization is not None and project["organization_id"] != organization.lower():
        detail = "Team must belong to the same organization in set_current_organization."
        raise errors.invalid(detail, "set_current_team")
    return {"set_current_team": project}


def _unknown_object(attr: str, key: str) -> errors.APIError:
    return errors.invalid(f"Object with id={key} does not exist.", attr, "does_not_exist")


def _is_member(context: RequestContext, row: Row, organization: str) -> bool:
    sql = "select 1 from membership where person_id = ? and organization_id = ?"
    return context.store.one(sql, row["id"], organization.lower()) is not None


def _find_project(context: RequestContext, row: Row, project_id: str) -> Row | None:
    number = parse_integer(project_id)
    if number is None or not is_valid_key(number):
        return None
    project = context.store.one("select * from project where id = ?", number)
    return project if project and _is_member(context, row, project["organization_id"]) else None
