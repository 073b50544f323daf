"""The eight user endpoints."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from . import errors, outbox
from .auth import check_fresh
from .call import Call
from .fields import FALSE, TRUE
from .pages import page
from .people import NOTIFICATIONS, profile
from .sharing import sealed
from .store import Row
from .times import stamp
from .user_rules import APART, changes, merged

HARMLESS: Final = {
    "theme_mode", "set_current_organization", "set_current_team", "allow_sidebar_suggestions", "shortcut_position",
    "has_seen_product_intro_for", "events_column_config", "role_at_organization",
}  # fmt: skip


def listing(call: Call) -> Response:
    """Everybody for staff, else the caller alone."""
    rows = [row for row in call.store.all("select * from person order by id") if row["doc"]["is_active"]]
    if not call.caller.staff:
        rows = [row for row in rows if row["id"] == call.caller.id]
    if call.query.get("email"):
        rows = [row for row in rows if row["email"] == call.query["email"]]
    staff = call.query.get("is_staff", "").lower()
    if staff in TRUE | FALSE:
        rows = [row for row in rows if row["doc"]["is_staff"] == (staff in TRUE)]
    return page(call, rows, lambda row: profile(call, row))


def retrieve(call: Call) -> Response:
    return errors.answer(200, profile(call, _found(call)))


def update(call: Call) -> Response:
    body = call.body
    if not (isinstance(body, dict) and body.keys() <= HARMLESS):
        check_fresh(call)
    row = _found(call)
    sent = changes(call, row)
    doc = row["doc"] | {name: value for name, value in sent.items() if name not in APART}
    doc["notification_settings"] = _notifications(doc["notification_settings"], sent)
    row = {**row, "doc": doc | _current(call, sent)}
    _change_password(call, row, sent)
    _change_email(call, row, sent)
    call.store.write("person", row["id"], row["doc"])
    return errors.answer(200, profile(call, row))


def _notifications(old: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    return merged(NOTIFICATIONS | old, sent.get("notification_settings", {}))


def _current(call: Call, sent: dict[str, Any]) -> dict[str, Any]:
    """A project brings its organization; an organization alone brings its first project."""
    team: Row | None = sent.get("set_current_team")
    organization = sent.get("set_current_organization")
    if team is not None:
        return {"current_project": team["id"], "current_organization": team["organization_id"]}
    if organization is None:
        return {}
    first = call.store.value("select min(id) from project where organization_id = ?", organization.lower())
    return {"current_project": first, "current_organization": organization.lower()}


def _change_password(call: Call, row: Row, sent: dict[str, Any]) -> None:
    if "password" not in sent:
        return
    row["doc"]["password"] = sealed(sent["password"])
    sql = "delete from credential where kind = 'session' and person_id = ? and secret != ?"
    call.store.execute(sql, row["id"], call.caller.secret)
    outbox.put(call.store, call.now, "password changed", "email", [row["email"]])


def _change_email(call: Call, row: Row, sent: dict[str, Any]) -> None:
    """Where mail can be sent the new address waits until it is verified; elsewhere it holds at once."""
    if "email" not in sent:
        return
    if call.switches.mail:
        row["doc"]["pending_email"] = sent["email"]
        outbox.put(call.store, call.now, "e-mail verification", "email", [sent["email"]])
    else:
        row["email"] = sent["email"]
        call.store.execute("update person set email = ? where id = ?", row["email"], row["id"])


def destroy(call: Call) -> Response:
    """For good, with all credentials; what the user made stays, without its creator."""
    check_fresh(call)
    row = _found(call)
    if call.store.one("select 1 from membership where person_id = ?", row["id"]):
        raise errors.conflict("You must leave or delete all organizations before deleting your account.")
    call.store.execute("delete from credential where person_id = ?", row["id"])
    call.store.execute("delete from person where id = ?", row["id"])
    return errors.empty(204)


def review_credentials(call: Call) -> Response:
    check_fresh(call)
    row = _found(call)
    if row["doc"]["credentials_reviewed_at"] is None:
        call.store.write("person", row["id"], row["doc"] | {"credentials_reviewed_at": stamp(call.now)})
    return errors.empty(204)


def github_login(call: Call) -> Response:
    return errors.answer(200, {"github_login": _found(call)["doc"]["github_login"]})


def hedgehog(call: Call) -> Response:
    config = _found(call)["doc"]["hedgehog_config"]
    return errors.answer(200, {} if config is None else config)


def replace_hedgehog(call: Call) -> Response:
    """The whole body becomes the configuration: nothing is merged, nothing checked."""
    row = _found(call)
    call.store.write("person", row["id"], row["doc"] | {"hedgehog_config": call.body})
    return errors.answer(200, call.body)


def _found(call: Call) -> Row:
    """The user a path names: ``@me`` for everybody, any active user's UUID for staff."""
    spelled = call.path["uuid"]
    if spelled == "@me":
        return call.caller.person
    if not call.caller.staff:
        raise errors.denied("You do not have permission to perform this action.")
    row = call.store.one("select * from person where uuid = ?", spelled.lower())
    if row is None or not row["doc"]["is_active"]:
        raise errors.not_found()
    return row
