"""Links to recordings: passwords, rotation, and who may have them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core13_mcp import sandbox

from .conftest import Speak
from .sandbox_client import GUARDED, NEVER_SHARED, OPEN, PROJECT, Clock, Reply, Speaker, fault

pytestmark = pytest.mark.anyio
COMPILERS = "/api/projects/4/session_recordings/any/sharing/"
HOBBY = "/api/projects/3/session_recordings/any/sharing/"


def bare(reply: Reply) -> tuple[int, set[str]]:
    return reply.status_code, set(reply.json())


async def guarded_password(ada: Speaker, **body: Any) -> dict[str, Any]:
    reply = await ada.post(GUARDED + "passwords/", json=body)
    assert reply.status_code == 201, reply.text
    created: dict[str, Any] = reply.json()
    return created


async def test_a_new_password_is_answered_once_in_the_clear(ada: Speaker) -> None:
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


@pytest.mark.parametrize("body", [{}, {"raw_password": ""}, {"raw_password": "", "note": ""}])
async def test_without_a_password_one_is_made_up(ada: Speaker, body: dict[str, str]) -> None:
    created = await guarded_password(ada, **body)
    assert len(created["password"]) == 22
    assert created["note"] == ""


async def test_every_call_adds_another_password_and_any_of_them_opens(speak: Speak, ada: Speaker) -> None:
    first = await guarded_password(ada, raw_password="the same one")
    second = await guarded_password(ada, raw_password="the same one")
    assert first["id"] != second["id"]
    link = "/shared/" + (await ada.get(GUARDED)).json()["access_token"]
    for password in ("the same one", sandbox.PASSWORD):
        assert (await speak().post(link, json={"password": password})).status_code == 200
    assert (await speak().post(link, json={"password": "another"})).status_code == 401
    assert (await speak().get(link)).status_code == 401


@pytest.mark.parametrize(
    ("body", "code", "attr"),
    [
        ({"raw_password": "short"}, "invalid_input", "raw_password"),
        ({"raw_password": None}, "null", "raw_password"),
        ({"note": "n" * 101}, "max_length", "note"),
        ({"note": []}, "invalid_input", "note"),
    ],
)
async def test_a_password_and_its_note_are_checked(ada: Speaker, body: Any, code: str, attr: str) -> None:
    assert fault(await ada.post(GUARDED + "passwords/", json=body)) == (400, code, attr)


async def test_the_documented_fields_of_a_password_are_ignored(ada: Speaker) -> None:
    before = (await ada.get(GUARDED)).json()
    await guarded_password(ada, enabled=False, settings={"legend": True}, password_required=False)
    after = (await ada.get(GUARDED)).json()
    assert {**after, "share_passwords": None} == {**before, "share_passwords": None}


@pytest.mark.parametrize("path", [OPEN, NEVER_SHARED, HOBBY])
async def test_without_password_required_there_are_no_passwords_whatever_the_plan(speak: Speak, path: str) -> None:
    key = sandbox.FREE_KEY if path == HOBBY else sandbox.FULL_KEY
    reply = await speak(key).post(path + "passwords/", json={"raw_password": "x"})
    assert bare(reply) == (400, {"error"})


async def test_passwords_are_a_paid_feature(speak: Speak) -> None:
    free = speak(sandbox.FREE_KEY)
    assert bare(await free.patch(HOBBY, json={"password_required": True})) == (403, {"error"})
    assert bare(await free.delete(HOBBY + "passwords/1/")) == (403, {"error"})


async def test_a_downgraded_organization_can_add_no_password(tmp_path: Path) -> None:
    database = str(tmp_path / "sandbox.db")
    app = sandbox.build(database)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("update organization set doc = json_set(doc, '$.features', json('[]'))")
    async with Speaker(app, sandbox.FULL_KEY) as ada:
        assert bare(await ada.post(GUARDED + "passwords/", json={"raw_password": "x"})) == (403, {"error"})


async def test_a_deleted_password_is_gone_and_the_second_time_a_404(speak: Speak, ada: Speaker) -> None:
    created = await guarded_password(ada, raw_password="open sesame")
    reply = await ada.delete(f"{GUARDED}passwords/{created['id']}/")
    assert (reply.status_code, reply.content) == (204, b"")
    assert fault(await ada.delete(f"{GUARDED}passwords/{created['id']}/")) == (404, "not_found", None)
    assert created["id"] not in [row["id"] for row in (await ada.get(GUARDED)).json()["share_passwords"]]
    link = "/shared/" + (await ada.get(GUARDED)).json()["access_token"]
    assert (await speak().post(link, json={"password": "open sesame"})).status_code == 401


async def test_a_password_is_deleted_even_when_none_is_required(ada: Speaker) -> None:
    await ada.patch(GUARDED, json={"password_required": False})
    assert (await ada.delete(GUARDED + "passwords/1/")).status_code == 204


@pytest.mark.parametrize(
    "path", [GUARDED + "passwords/x/", GUARDED + f"passwords/{9**30}/", NEVER_SHARED + "passwords/1/"]
)
async def test_a_password_that_is_not_of_this_recording_is_a_404(ada: Speaker, path: str) -> None:
    assert fault(await ada.delete(path)) == (404, "not_found", None)


async def test_refresh_changes_the_link_and_the_old_one_lives_for_300_seconds(
    speak: Speak, ada: Speaker, clock: Clock
) -> None:
    old = (await ada.get(OPEN)).json()
    clock.advance(1)
    new = (await ada.post(OPEN + "refresh/")).json()
    assert new["access_token"] != old["access_token"]
    assert len(new["access_token"]) == 30
    assert new["created_at"] > old["created_at"]
    assert {name: new[name] for name in ("enabled", "settings", "password_required")} == {
        name: old[name] for name in ("enabled", "settings", "password_required")
    }
    clock.advance(299)
    assert (await speak().get("/shared/" + old["access_token"])).status_code == 200
    clock.advance(1)
    assert (await speak().get("/shared/" + old["access_token"])).status_code == 404
    assert (await speak().get("/shared/" + new["access_token"])).status_code == 200


async def test_refresh_gives_passwords_new_ids_and_forgets_the_old_ones(speak: Speak, ada: Speaker) -> None:
    await guarded_password(ada, raw_password="open sesame", note="mine")
    before = (await ada.get(GUARDED)).json()["share_passwords"]
    refreshed = (await ada.post(GUARDED + "refresh/")).json()
    after = refreshed["share_passwords"]
    assert [row["note"] for row in after] == [row["note"] for row in before] == ["mine", "support team"]
    assert not {row["id"] for row in before} & {row["id"] for row in after}
    assert fault(await ada.delete(f"{GUARDED}passwords/{before[0]['id']}/"))[0] == 404
    opened = await speak().post("/shared/" + refreshed["access_token"], json={"password": "open sesame"})
    assert opened.status_code == 200


async def test_deleted_passwords_are_not_carried_over(ada: Speaker) -> None:
    await ada.delete(GUARDED + "passwords/1/")
    assert (await ada.post(GUARDED + "refresh/")).json()["share_passwords"] == []


async def test_refresh_ignores_its_body_but_rotates_every_time(ada: Speaker) -> None:
    body = {"enabled": "nonsense", "settings": 7, "password_required": True}
    first, second = [(await ada.post(OPEN + "refresh/", json=body)).json() for _ in range(2)]
    assert first["access_token"] != second["access_token"]
    assert (second["enabled"], second["password_required"]) == (True, False)


async def test_refresh_of_a_recording_never_shared_stores_it_switched_off(ada: Speaker) -> None:
    assert (await ada.get(NEVER_SHARED)).json()["created_at"] is None
    made = (await ada.post(NEVER_SHARED + "refresh/")).json()
    assert made["enabled"] is False
    assert made["created_at"] is not None
    assert (await ada.get(NEVER_SHARED)).json() == made


async def test_a_shared_link_that_is_switched_off_is_dead(speak: Speak, ada: Speaker) -> None:
    token = (await ada.patch(OPEN, json={"enabled": False})).json()["access_token"]
    assert (await speak().get(f"/shared/{token}")).status_code == 404


async def test_any_recording_can_be_shared_and_then_asks_for_a_password(ada: Speaker) -> None:
    sent = {"enabled": True, "password_required": True, "settings": {"legend": True, "colour": "red"}}
    shared = (await ada.patch(NEVER_SHARED, json=sent)).json()
    assert shared["settings"] == {"legend": True}
    assert shared["created_at"] is not None
    assert (await ada.post(NEVER_SHARED + "passwords/", json={})).status_code == 201


@pytest.mark.parametrize("body", [{"settings": []}, {"settings": {"legend": "yes"}}, {"enabled": "perhaps"}])
async def test_settings_of_a_wrong_type_are_refused(ada: Speaker, body: dict[str, Any]) -> None:
    assert fault(await ada.patch(OPEN, json=body)) == (400, "invalid_input", next(iter(body)))


@pytest.mark.parametrize(("method", "end"), [("PATCH", ""), ("POST", "refresh/"), ("POST", "passwords/")])
async def test_an_organization_can_forbid_sharing_and_any_write_that_says_enabled(
    speak: Speak, method: str, end: str
) -> None:
    grace = speak(sandbox.ENTERPRISE_KEY)
    reply = await grace.request(method, COMPILERS + end, json={"enabled": True})
    assert fault(reply) == (403, "permission_denied", None)
    reply = await grace.request("DELETE", COMPILERS + "passwords/1/", json={"enabled": True})
    assert fault(reply) == (403, "permission_denied", None)


async def test_what_does_not_say_enabled_passes_the_policy(speak: Speak) -> None:
    reply = await speak(sandbox.ENTERPRISE_KEY).post(COMPILERS + "refresh/", json={"enabled": False})
    assert reply.status_code == 200


async def test_a_recording_id_has_no_dot_and_at_most_200_characters(ada: Speaker) -> None:
    def sharing(recording: str) -> str:
        return f"{PROJECT}session_recordings/{recording}/sharing/"

    assert fault(await ada.post(sharing("a.b") + "refresh/")) == (404, "not_found", None)
    assert fault(await ada.post(sharing("r" * 201) + "refresh/")) == (400, "max_length", "recording_id")
    assert (await ada.post(sharing("r" * 200) + "refresh/")).status_code == 200


async def test_recordings_of_two_projects_are_two_recordings(ada: Speaker) -> None:
    other = GUARDED.replace("projects/1", "projects/2")
    assert (await ada.get(other)).json()["created_at"] is None
