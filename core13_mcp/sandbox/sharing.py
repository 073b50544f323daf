"""Sharing of session recordings: its configuration, passwords, and the rotation of its link."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from starlette.responses import Response

from . import errors
from .auth import expired
from .call import Call
from .fields import Field, Invalid, boolean, clean, fits, optional, text, whole
from .store import Row, Store
from .times import stamp

GRACE: Final = timedelta(seconds=300)
SETTINGS: Final = ("detailed", "hideExtraDetails", "legend", "noHeader", "showInspector", "whitelabel")
GONE: Final = "deleted user"
PAID: Final = "Password protection is part of the advanced permissions feature, which your plan does not have."


def settings(value: Any) -> dict[str, bool]:
    """The known switches of a shared page; others are dropped."""
    if not isinstance(value, Mapping):
        raise Invalid("invalid_input", "Must be an object.")
    known = {name: value[name] for name in SETTINGS if name in value}
    wrong = next((name for name, found in known.items() if not isinstance(found, bool)), None)
    if wrong:
        raise Invalid("invalid_input", f"{wrong} must be a boolean.")
    return known


def raw_password(value: Any) -> str:
    found: str = text(blank=True)(value)
    if found and len(found) < 8:
        raise Invalid("invalid_input", "Password must be at least 8 characters long.")
    return found


CONFIGURATION: Final = {
    "enabled": Field(boolean),
    "settings": Field(optional(settings)),
    "password_required": Field(boolean),
}
PASSWORD: Final = {
    "raw_password": Field(raw_password, default=""),
    "note": Field(text(blank=True, longest=100), default=""),
}


def retrieve(call: Call) -> Response:
    return errors.answer(200, render(call, _current(call)))


def update(call: Call) -> Response:
    """Turns sharing on or off, or asks for a password: not among the 18, but nothing could have a password without."""
    _check_policy(call)
    sent = clean(CONFIGURATION, call.body, partial=True)
    if sent.get("password_required") and not call.has("advanced_permissions"):
        raise errors.bare(403, {"error": PAID})
    row = _current(call)
    doc = row["doc"] | sent
    if row["id"] is None:
        return errors.answer(200, render(call, _store(call, doc)))
    call.store.write("sharing", row["id"], doc)
    return errors.answer(200, render(call, {**row, "doc": doc}))


def refresh(call: Call) -> Response:
    """A new link now; the old one lives on for the grace period, and passwords move to new ids."""
    _check_policy(call)
    old = _current(call)
    new = _store(call, old["doc"])
    if old["id"] is not None:
        call.store.write("sharing", old["id"], old["doc"] | {"expires_at": stamp(call.now + GRACE)})
        for password in reversed(_passwords(call.store, old["id"])):
            call.store.insert("share_password", sharing_id=new["id"], doc=password["doc"])
    return errors.answer(200, render(call, new))


def create_password(call: Call) -> Response:
    _check_policy(call)
    row = _current(call)
    if not row["doc"]["password_required"]:
        raise errors.bare(400, {"error": "Password protection must be enabled before passwords can be added."})
    if not call.has("advanced_permissions"):
        raise errors.bare(403, {"error": PAID})
    sent = clean(PASSWORD, call.body, partial=False)
    password = sent["raw_password"] or secrets.token_urlsafe(16)
    stored = {"created_at": stamp(call.now), "created_by": call.caller.id, "note": sent["note"], "is_active": True}
    key = call.store.insert("share_password", sharing_id=row["id"], doc=stored | {"secret": sealed(password)})
    shown = {"id": key, "password": password, "note": sent["note"], "created_at": stored["created_at"]}
    return errors.answer(201, shown | {"created_by_email": call.caller.person["email"]})


def destroy_password(call: Call) -> Response:
    _check_policy(call)
    if not call.has("advanced_permissions"):
        raise errors.bare(403, {"error": PAID})
    row, number = _current(call), whole(call.path["password_id"])
    active = _passwords(call.store, row["id"]) if number is not None and fits(number) else []
    password = next((found for found in active if found["id"] == number), None)
    if password is None:
        raise errors.not_found()
    call.store.write("share_password", password["id"], password["doc"] | {"is_active": False})
    return errors.empty(204)


def _check_policy(call: Call) -> None:
    """An organization can forbid public sharing; then no write may say ``enabled``, whatever it is about."""
    body = call.body
    asked = isinstance(body, Mapping) and bool(body.get("enabled"))
    if asked and call.has("organization_security_settings") and not call.organization["doc"]["public_sharing"]:
        raise errors.denied("Public sharing is disabled for this organization.")


def _current(call: Call) -> Row:
    """The newest configuration of the recording, one that is not stored yet (id None) when there is none."""
    recording = call.path["recording_id"]
    if "." in recording:
        raise errors.not_found()
    if len(recording) > 200:
        raise errors.invalid("Ensure this field has no more than 200 characters.", "recording_id", "max_length")
    sql = "select * from sharing where project_id = ? and recording_id = ? order by id desc limit 1"
    fresh = {"created_at": None, "enabled": False, "access_token": None, "settings": None}
    found = call.store.one(sql, call.project["id"], recording)
    return found or {"id": None, "doc": fresh | {"password_required": False, "expires_at": None}}


def _store(call: Call, doc: dict[str, Any]) -> Row:
    new = doc | {"created_at": stamp(call.now), "access_token": secrets.token_urlsafe(22), "expires_at": None}
    place = {"project_id": call.project["id"], "recording_id": call.path["recording_id"]}
    return {"id": call.store.insert("sharing", **place, doc=new), "doc": new}


def _passwords(store: Store, sharing: int | None) -> list[Row]:
    rows = store.all("select * from share_password where sharing_id = ? order by id desc", sharing)
    return [row for row in rows if row["doc"]["is_active"]]


def render(call: Call, row: Row) -> dict[str, Any]:
    shown = ("created_at", "enabled", "access_token", "settings", "password_required")
    passwords = [_shown(call.store, password) for password in _passwords(call.store, row["id"])]
    return {name: row["doc"][name] for name in shown} | {"share_passwords": passwords, "user_access_level": None}


def _shown(store: Store, row: Row) -> dict[str, Any]:
    doc = row["doc"]
    creator = store.value("select email from person where id = ?", doc["created_by"]) or GONE
    return {
        "id": row["id"],
        "created_at": doc["created_at"],
        "note": doc["note"],
        "created_by_email": creator,
        "is_active": True,
    }


def sealed(password: str) -> str:
    """A password as it is kept. Cheap on purpose: what is kept here protects nothing."""
    return hashlib.sha256(password.encode(errors="surrogatepass")).hexdigest()


def shared_page(call: Call) -> Response:
    """The public page behind a link: dead when sharing is off or the grace is over, closed until a password opens it."""
    sql = "select * from sharing where json_extract(doc, '$.access_token') = ?"
    row = call.store.one(sql, call.path["access_token"])
    if row is None or not row["doc"]["enabled"] or expired(row["doc"]["expires_at"], call.now):
        return errors.empty(404)
    if row["doc"]["password_required"] and not _opens(call, row["id"]):
        return errors.answer(401, {"error": "This page asks for a password."})
    return errors.answer(200, {"recording": row["recording_id"]})


def _opens(call: Call, sharing: int) -> bool:
    tried = sealed(str(call.mentions("password")))
    return any(password["doc"]["secret"] == tried for password in _passwords(call.store, sharing))
