"""The eight operations on users."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from ..auth import check_recent_login, hash_password
from ..context import RequestContext
from ..responses import api_error, json_response, not_found, page_response
from ..serializers import NOTIFICATION_DEFAULTS, user_profile
from ..store import Doc, Row, format_timestamp
from ..validation import FALSE, TRUE
from .user_rules import HANDLED_SEPARATELY, check

# Fields that a session may change without a recent login.
ALLOWED_WHEN_STALE: Final = {
    "theme_mode", "set_current_organization", "set_current_team", "allow_sidebar_suggestions", "shortcut_position",
    "has_seen_product_intro_for", "events_column_config", "role_at_organization", "ui_configuration",
}  # fmt: skip


def list_all(context: RequestContext) -> Response:
    """Return all users to staff, and only the caller to anybody else."""
    query = context.query
    rows = [row for row in context.store.all("select * from person order by id") if row["doc"]["is_active"]]
    if not context.principal.is_staff:
        rows = [row for row in rows if row["id"] == context.principal.id]
    if query.get("email"):
        rows = [row for row in rows if row["email"] == query["email"]]
    is_staff = query.get("is_staff", "").lower()
    if is_staff in TRUE | FALSE:
        rows = [row for row in rows if row["doc"]["is_staff"] == (is_staff in TRUE)]
    return page_response(context.request, rows, lambda row: user_profile(context, row))


def retrieve(context: RequestContext) -> Response:
    return json_response(200, user_profile(context, _find(context)))


def update(context: RequestContext) -> Response:
    """Change fields of a user. A password change ends the user's other sessions."""
    body = context.body
    if not (isinstance(body, dict) and body.keys() <= ALLOWED_WHEN_STALE):
        check_recent_login(context)
    row = _find(context)
    sent = check(context, row)
    settings = NOTIFICATION_DEFAULTS | row["doc"]["notification_settings"]
    doc = row["doc"] | {name: value for name, value in sent.items() if name not in HANDLED_SEPARATELY}
    doc |= {"notification_settings": merge(settings, sent.get("notification_settings", {}))}
    if "password" in sent:
        doc["password"] = hash_password(sent["password"])
        sql = "delete from credential where kind = 'session' and person_id = ? and secret != ?"
        context.store.execute(sql, row["id"], context.principal.secret)
        _notify(context, "password changed", row["email"])
    email = row["email"]
    if "email" in sent and context.options.mail:
        doc["pending_email"] = sent["email"]
        _notify(context, "e-mail verification", sent["email"])
    elif "email" in sent:
        email = sent["email"]
        context.store.execute("update person set email = ? where id = ?", email, row["id"])
    context.store.update("person", row["id"], doc)
    return json_response(200, user_profile(context, {**row, "email": email, "doc": doc}))


def merge(old: Doc, new: Doc) -> Doc:
    """Merge two objects; an object within an object is merged too."""
    result = dict(old)
    for key, value in new.items():
        previous = result.get(key)
        result[key] = merge(previous, value) if isinstance(previous, dict) and isinstance(value, dict) else value
    return result


def _notify(context: RequestContext, why: str, address: str) -> None:
    context.store.add_message(context.now, {"why": why, "channel": "email", "recipients": [address]})


def destroy(context: RequestContext) -> Response:
    """Delete a user and all credentials. What the user created stays, without its creator."""
    check_recent_login(context)
    row = _find(context)
    if context.store.one("select 1 from membership where person_id = ?", row["id"]):
        raise api_error(409, "You must leave or delete all organizations before deleting your account.")
    context.store.execute("delete from credential where person_id = ?", row["id"])
    context.store.execute("delete from person where id = ?", row["id"])
    return Response(None, 204)


def review_credentials(context: RequestContext) -> Response:
    """Record that the user has reviewed the credentials."""
    check_recent_login(context)
    row = _find(context)
    if row["doc"]["credentials_reviewed_at"] is None:
        reviewed = {"credentials_reviewed_at": format_timestamp(context.now)}
        context.store.update("person", row["id"], row["doc"] | reviewed)
    return Response(None, 204)


def github_login(context: RequestContext) -> Response:
    return json_response(200, {"github_login": _find(context)["doc"]["github_login"]})


def hedgehog(context: RequestContext) -> Response:
    config = _find(context)["doc"]["hedgehog_config"]
    return json_response(200, {} if config is None else config)


def replace_hedgehog(context: RequestContext) -> Response:
    """Store the whole body as the hedgehog configuration, without validation."""
    row = _find(context)
    context.store.update("person", row["id"], row["doc"] | {"hedgehog_config": context.body})
    return json_response(200, context.body)


def _find(context: RequestContext) -> Row:
    """The user of the path: `@me` for anybody, the UUID of any active user for staff."""
    uuid = context.path["uuid"]
    if uuid == "@me":
        return context.principal.user
    if not context.principal.is_staff:
        raise api_error(403, "You do not have permission to perform this action.")
    row = context.store.one("select * from person where uuid = ?", uuid.lower())
    if row is None or not row["doc"]["is_active"]:
        raise not_found()
    return row
