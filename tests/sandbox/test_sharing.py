"""Sharing of recordings: passwords, links and permissions."""

from __future__ import annotations

from typing import Any

import pytest

from core13_mcp import sandbox

from .conftest import Connect
from .sandbox_client import GUARDED, NEVER_SHARED, OPEN, PROJECT, Client, Clock, Response, edited_sandbox, error

pytestmark = pytest.mark.anyio
COMPILERS = "/api/projects/4/session_recordings/any/sharing/"
HOBBY = "/api/projects/3/session_recordings/any/sharing/"


def shape(response: Response) -> tuple[int, set[str]]:
    return response.status_code, set(response.json())


async def guarded_password(ada: Client, **body: Any) -> dict[str, Any]:
    response = await ada.post(GUARDED + "passwords/", json=body)
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()
    return created


async def test_a_new_password_is_returned_in_clear_text_only_once(ada: Client) -> None:
    created = await guarded_password(ada, raw_password="open sesame", note="for support")
    assert created.keys() == {"id", "password", "note", "created_at", "created_by_email"}
    assert (created["password"], created["note"]) == ("open sesame", "for support")
    assert created["created_by_email"] == "ada@analytical.example"
    shown = (await ada.get(GUARDED)).json()["share_passwords"][0]
    assert shown == {
        "id": created["id"],
        "created_at": created["created_at"],
        "note": "for support",
        "created_by_email": "ada@analytical.example",
        "is_active": True,
    }


async def test_a_password_is_generated_if_none_is_sent(ada: Client) -> None:
    for body in ({}, {"raw_password": "", "note": ""}):
        created = await guarded_password(ada, **body)
        assert (len(created["password"]), created["note"]) == (22, "")


async def test_each_request_adds_a_password_and_every_password_opens_the_page(connect: Connect, ada: Client) -> None:
    first = await guarded_password(ada, raw_password="the same one")
    second = await guarded_password(ada, raw_password="the same one")
    assert first["id"] != second["id"]
    link = "/shared/" + (await ada.get(GUARDED)).json()["access_token"]
    for password in ("the same one", sandbox.PASSWORD):
        assert (await connect().post(link, json={"password": password})).status_code == 200
    assert (await connect().post(link, json={"password": "another"})).status_code == 401
    assert (await connect().get(link)).status_code == 401


@pytest.mark.parametrize(
    ("body", "code", "attr"),
    [
        ({"raw_password": "short"}, "invalid_input", "raw_password"),
        ({"raw_password": None}, "null", "raw_password"),
        ({"note": "n" * 101}, "max_length", "note"),
        ({"note": []}, "invalid_input", "note"),
    ],
)
async def test_an_invalid_password_or_note_is_rejected(ada: Client, body: Any, code: str, attr: str) -> None:
    assert error(await ada.post(GUARDED + "passwords/", json=body)) == (400, code, attr)


@pytest.mark.parametrize("path", [OPEN, NEVER_SHARED, HOBBY])
async def test_a_password_requires_password_protection_before_the_plan_is_checked(connect: Connect, path: str) -> None:
    key = sandbox.FREE_KEY if path == HOBBY else sandbox.FULL_KEY
    response = await connect(key).post(path + "passwords/", json={"raw_password": "x"})
    assert shape(response) == (400, {"error"})


async def test_passwords_return_403_on_a_free_plan(connect: Connect) -> None:
    free = connect(sandbox.FREE_KEY)
    assert shape(await free.patch(HOBBY, json={"password_required": True})) == (403, {"error"})
    assert shape(await free.delete(HOBBY + "passwords/1/")) == (403, {"error"})


async def test_a_deleted_password_stops_working_and_a_second_delete_returns_404(connect: Connect, ada: Client) -> None:
    created = await guarded_password(ada, raw_password="open sesame")
    response = await ada.delete(f"{GUARDED}passwords/{created['id']}/")
    assert (response.status_code, response.content) == (204, b"")
    assert error(await ada.delete(f"{GUARDED}passwords/{created['id']}/")) == (404, "not_found", None)
    assert created["id"] not in [row["id"] for row in (await ada.get(GUARDED)).json()["share_passwords"]]
    link = "/shared/" + (await ada.get(GUARDED)).json()["access_token"]
    assert (await connect().post(link, json={"password": "open sesame"})).status_code == 401


@pytest.mark.parametrize(
    "path", [GUARDED + "passwords/x/", GUARDED + f"passwords/{9**30}/", NEVER_SHARED + "passwords/1/"]
)
async def test_deleting_an_unknown_password_returns_404(ada: Client, path: str) -> None:
    assert error(await ada.delete(path)) == (404, "not_found", None)


async def test_after_a_refresh_the_old_link_works_for_300_seconds(connect: Connect, ada: Client, clock: Clock) -> None:
    old = (await ada.get(OPEN)).json()
    clock.advance(1)
    # The operation does not read its body.
    new = (await ada.post(OPEN + "refresh/", json={"enabled": "nonsense", "password_required": True})).json()
    assert new["access_token"] != old["access_token"]
    assert len(new["access_token"]) == 30
    assert new["created_at"] > old["created_at"]
    assert all(new[name] == old[name] for name in ("enabled", "settings", "password_required"))
    clock.advance(299)
    assert (await connect().get("/shared/" + old["access_token"])).status_code == 200
    clock.advance(1)
    assert (await connect().get("/shared/" + old["access_token"])).status_code == 404
    assert (await connect().get("/shared/" + new["access_token"])).status_code == 200


async def test_a_refresh_keeps_passwords_under_new_ids(connect: Connect, ada: Client) -> None:
    await guarded_password(ada, raw_password="open sesame", note="mine")
    before = (await ada.get(GUARDED)).json()["share_passwords"]
    refreshed = (await ada.post(GUARDED + "refresh/")).json()
    after = refreshed["share_passwords"]
    assert [row["note"] for row in after] == [row["note"] for row in before] == ["mine", "support team"]
    assert not {row["id"] for row in before} & {row["id"] for row in after}
    assert error(await ada.delete(f"{GUARDED}passwords/{before[0]['id']}/"))[0] == 404
    opened = await connect().post("/shared/" + refreshed["access_token"], json={"password": "open sesame"})
    assert opened.status_code == 200


async def test_a_refresh_of_a_recording_that_was_never_shared_stores_it_disabled(ada: Client) -> None:
    assert (await ada.get(NEVER_SHARED)).json()["created_at"] is None
    made = (await ada.post(NEVER_SHARED + "refresh/")).json()
    assert made["enabled"] is False
    assert made["created_at"] is not None
    assert (await ada.get(NEVER_SHARED)).json() == made
    other_project = NEVER_SHARED.replace("projects/1", "projects/2")
    assert (await ada.get(other_project)).json()["created_at"] is None


async def test_any_recording_can_be_shared_with_a_password(connect: Connect, ada: Client) -> None:
    sent = {"enabled": True, "password_required": True, "settings": {"legend": True, "colour": "red"}}
    shared = (await ada.patch(NEVER_SHARED, json=sent)).json()
    assert shared["settings"] == {"legend": True}
    assert shared["created_at"] is not None
    assert (await ada.post(NEVER_SHARED + "passwords/", json={})).status_code == 201
    assert (await ada.patch(NEVER_SHARED, json={"enabled": False})).json()["enabled"] is False
    assert (await connect().get(f"/shared/{shared['access_token']}")).status_code == 404


async def test_settings_of_a_wrong_type_are_rejected(ada: Client) -> None:
    wrong: tuple[Any, ...] = ([], {"legend": "yes"})
    for settings in wrong:
        assert error(await ada.patch(OPEN, json={"settings": settings})) == (400, "invalid_input", "settings")


@pytest.mark.parametrize(("method", "end"), [("PATCH", ""), ("POST", "refresh/"), ("POST", "passwords/")])
async def test_an_organization_policy_rejects_every_write_with_enabled(connect: Connect, method: str, end: str) -> None:
    grace = connect(sandbox.ENTERPRISE_KEY)
    response = await grace.request(method, COMPILERS + end, json={"enabled": True})
    assert error(response) == (403, "permission_denied", None)
    assert (await grace.post(COMPILERS + "refresh/", json={"enabled": False})).status_code == 200


async def test_a_recording_id_has_no_dot_and_at_most_200_characters(ada: Client) -> None:
    recordings = ("a.b", "r" * 201, "r" * 200)
    paths = [f"{PROJECT}session_recordings/{recording}/sharing/refresh/" for recording in recordings]
    dotted, long, longest = [await ada.post(path) for path in paths]
    assert error(dotted) == (404, "not_found", None)
    assert error(long) == (400, "max_length", "recording_id")
    assert longest.status_code == 200


async def test_the_fields_of_a_configuration_are_ignored_in_a_password_request(ada: Client) -> None:
    before = (await ada.get(GUARDED)).json()
    await guarded_password(ada, enabled=False, password_required=False, settings={"legend": True})
    after = (await ada.get(GUARDED)).json()
    assert len(after.pop("share_passwords")) == len(before.pop("share_passwords")) + 1
    assert after == before


async def test_after_a_downgrade_the_protection_stays_and_passwords_cannot_change(
    database: str, clock: Clock, era: str
) -> None:
    downgrade = "update organization set doc = json_set(doc, '$.features', json('[\"subscriptions\"]'))"
    app = edited_sandbox(database, clock, era, downgrade)
    async with Client(app, sandbox.FULL_KEY) as ada, Client(app) as visitor:
        shared = (await ada.get(GUARDED)).json()
        assert shared["password_required"] is True
        key = shared["share_passwords"][0]["id"]
        assert shape(await ada.post(GUARDED + "passwords/", json={})) == (403, {"error"})
        assert shape(await ada.delete(f"{GUARDED}passwords/{key}/")) == (403, {"error"})
        assert shape(await ada.patch(GUARDED, json={"password_required": True})) == (403, {"error"})
        link = "/shared/" + (await ada.post(GUARDED + "refresh/")).json()["access_token"]
        assert (await visitor.post(link, json={"password": sandbox.PASSWORD})).status_code == 200
        assert (await visitor.get(link)).status_code == 401
        assert (await ada.patch(GUARDED, json={"password_required": False})).status_code == 200
        assert (await visitor.get(link)).status_code == 200
        assert shape(await ada.post(GUARDED + "passwords/", json={})) == (400, {"error"})
