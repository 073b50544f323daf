"""Sharing of session recordings: the configuration, its passwords and the rotation of its link."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from starlette.responses import Response

from ..auth import hash_password, is_expired
from ..context import RequestContext
from ..responses import APIError, api_error, json_response, not_found
from ..serializers import pick
from ..store import Doc, Row, Store, format_timestamp
from ..validation import Field, Invalid, boolean, parse_integer, text, validate

# How long the old link of a recording works after a refresh.
GRACE_PERIOD: Final = timedelta(seconds=300)
SETTINGS: Final = ("detailed", "hideExtraDetails", "legend", "noHeader", "showInspector", "whitelabel")
SHOWN_FIELDS: Final = ("created_at", "enabled", "access_token", "settings", "password_required")
NOT_IN_PLAN: Final = "Password protection is part of the advanced permissions feature, which your plan does not have."
CONFIGURATIONS: Final = "select * from sharing where project_id = ? and recording_id = ? order by id desc"
NEVER_SHARED: Final[Doc] = dict.fromkeys(SHOWN_FIELDS) | {"enabled": False, "password_required": False}


def page_settings(value: Any) -> dict[str, bool]:
    """The settings of a shared page; unknown ones are dropped."""
    if not isinstance(value, Mapping):
        raise Invalid("Must be an object.")
    settings = {name: value[name] for name in SETTINGS if name in value}
    for name, setting in settings.items():
        if not isinstance(setting, bool):
            raise Invalid(f"{name} must be a boolean.")
    return settings


def raw_password(value: Any) -> str:
    """A password of at least 8 characters, or an empty string for a generated one."""
    password: str = text(blank=True)(value)
    if password and len(password) < 8:
        raise Invalid("Password must be at least 8 characters long.")
    return password


CONFIGURATION_FIELDS: Final = {
    "enabled": Field(boolean),
    "settings": Field(page_settings, nullable=True),
    "password_required": Field(boolean),
}
PASSWORD_FIELDS: Final = {
    "raw_password": Field(raw_password, default=""),
    "note": Field(text(100, blank=True), default=""),
}


def retrieve(context: RequestContext) -> Response:
    """Return the configuration. One that is not stored has a random link, which does not work."""
    row = _configuration(context)
    if row["id"] is None:
        row = {**row, "doc": row["doc"] | {"access_token": secrets.token_urlsafe(22)}}
    return json_response(200, serialize(context, row))


def update(context: RequestContext) -> Response:
    """Switch sharing on or off, or require a password.

    No tool calls this operation, but without it no recording could require a password.
    """
    _check_policy(context)
    sent = validate(CONFIGURATION_FIELDS, context.body, partial=True)
    if sent.get("password_required"):
        _check_plan(context)
    row = _configuration(context)
    if row["id"] is None:
        row = _insert(context, row["doc"] | sent)
    else:
        row["doc"] |= _renewed_link(context, row, sent) | sent
        context.store.update("sharing", row["id"], row["doc"])
    return json_response(200, serialize(context, row))


def _renewed_link(context: RequestContext, row: Row, sent: Doc) -> Doc:
    """The changes of the link if sharing is switched off or on, in the era that renews links."""
    if not context.era.renews_links or sent.get("enabled", row["doc"]["enabled"]) == row["doc"]["enabled"]:
        return {}
    if sent["enabled"]:
        return {"access_token": secrets.token_urlsafe(22)} if row["doc"].get("was_disabled") else {}
    for old in context.store.all(CONFIGURATIONS, context.project["id"], context.path["recording_id"]):
        if old["id"] != row["id"]:
            context.store.update("sharing", old["id"], old["doc"] | {"expires_at": format_timestamp(context.now)})
    return {"was_disabled": True}


def refresh(context: RequestContext) -> Response:
    """Create a new link. The old one works until the grace period ends.

    Passwords are copied, with new ids, only if the recording requires one. Otherwise they are lost.
    """
    _check_policy(context)
    store, old = context.store, _configuration(context)
    new = _insert(context, old["doc"])
    if old["id"] is not None:
        expires_at = format_timestamp(context.now + GRACE_PERIOD)
        store.update("sharing", old["id"], old["doc"] | {"expires_at": expires_at})
        kept = _active_passwords(store, old["id"]) if old["doc"]["password_required"] else []
        for password in reversed(kept):
            store.insert("share_password", sharing_id=new["id"], doc=password["doc"])
    return json_response(200, serialize(context, new))


def create_password(context: RequestContext) -> Response:
    """Add a password and return it in clear text, this one time."""
    _check_policy(context)
    row = _configuration(context)
    if not row["doc"]["password_required"]:
        return json_response(400, {"error": "Password protection must be enabled before passwords can be added."})
    _check_plan(context)
    sent = validate(PASSWORD_FIELDS, context.body, partial=False)
    password = sent["raw_password"] or secrets.token_urlsafe(16)
    created = {"note": sent["note"], "created_at": format_timestamp(context.now)}
    doc = created | {"created_by": context.principal.id, "is_active": True, "secret": hash_password(password)}
    key = context.store.insert("share_password", sharing_id=row["id"], doc=doc)
    email = context.principal.user["email"]
    return json_response(201, {"id": key, "password": password, **created, "created_by_email": email})


def destroy_password(context: RequestContext) -> Response:
    """Deactivate a password."""
    _check_policy(context)
    _check_plan(context)
    row, number = _configuration(context), parse_integer(context.path["password_id"])
    for password in _active_passwords(context.store, row["id"]):
        if password["id"] == number:
            context.store.update("share_password", password["id"], password["doc"] | {"is_active": False})
            return Response(None, 204)
    raise not_found()


def shared_page(context: RequestContext) -> Response:
    """The public page behind a link: 404 if the link is off or expired, 401 without a required password."""
    sql = "select * from sharing where json_extract(doc, '$.access_token') = ?"
    row = context.store.one(sql, context.path["access_token"])
    if row is None or not row["doc"]["enabled"] or is_expired(row["doc"]["expires_at"], context.now):
        return Response(None, 404)
    secret = hash_password(str(context.fields.get("password")))
    secrets_of_page = [password["doc"]["secret"] for password in _active_passwords(context.store, row["id"])]
    if row["doc"]["password_required"] and secret not in secrets_of_page:
        return json_response(401, {"error": "This page requires a password."})
    return json_response(200, {"recording": row["recording_id"]})


def _check_policy(context: RequestContext) -> None:
    """Check the policy of the organization: if it forbids sharing, no write may contain a true `enabled`."""
    body, organization = context.body, context.organization["doc"]
    enables = isinstance(body, Mapping) and bool(body.get("enabled"))
    forbidden = context.has_feature("organization_security_settings") and not organization["public_sharing"]
    if enables and forbidden:
        raise api_error(403, "Public sharing is disabled for this organization.")


def _check_plan(context: RequestContext) -> None:
    if not context.has_feature("advanced_permissions"):
        raise APIError(json_response(403, {"error": NOT_IN_PLAN}))


def _configuration(context: RequestContext) -> Row:
    """The newest configuration of the recording; with id None if the recording was never shared."""
    recording = context.path["recording_id"]
    if "." in recording:
        raise not_found()
    if len(recording) > 200:
        raise api_error(400, "Ensure this field has no more than 200 characters.", "recording_id", "max_length")
    row = context.store.one(CONFIGURATIONS, context.project["id"], recording)
    return row or {"id": None, "doc": NEVER_SHARED}


def _insert(context: RequestContext, doc: Doc) -> Row:
    """Store a new configuration with a new link."""
    created_at = format_timestamp(context.now)
    doc = doc | {"created_at": created_at, "access_token": secrets.token_urlsafe(22), "expires_at": None}
    recording = {"project_id": context.project["id"], "recording_id": context.path["recording_id"]}
    return {"id": context.store.insert("sharing", **recording, doc=doc), "doc": doc}


def _active_passwords(store: Store, sharing_id: int | None) -> list[Row]:
    rows = store.all("select * from share_password where sharing_id = ? order by id desc", sharing_id)
    return [row for row in rows if row["doc"]["is_active"]]


def serialize(context: RequestContext, row: Row) -> Doc:
    """The JSON representation of a configuration, with its active passwords."""
    passwords = []
    for password in _active_passwords(context.store, row["id"]):
        creator = context.store.value("select email from person where id = ?", password["doc"]["created_by"])
        shown = {"id": password["id"], **pick(password["doc"], ("created_at", "note"))}
        passwords.append(shown | {"created_by_email": creator or "deleted user", "is_active": True})
    return pick(row["doc"], SHOWN_FIELDS) | {"share_passwords": passwords, "user_access_level": None}
