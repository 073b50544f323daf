"""Users: who sees whom, what may change, and what only a login session may do."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from core13_mcp import sandbox

from .conftest import Speak
from .sandbox_client import GUARDED, ME, Clock, Reply, Speaker, fault, subscription

pytestmark = pytest.mark.anyio
BETTER = "a much Better one 77"


async def me(speaker: Speaker) -> dict[str, Any]:
    found: dict[str, Any] = (await speaker.get(ME)).json()
    return found


async def change(speaker: Speaker, **fields: Any) -> Reply:
    return await speaker.patch(ME, json=fields)


async def uuid_of(speak: Speak, email: str) -> str:
    reply = await speak(sandbox.STAFF_KEY).get("/api/users/", params={"email": email})
    found: str = reply.json()["results"][0]["uuid"]
    return found


@pytest.fixture
def session(speak: Speak) -> Speaker:
    """Ada in a browser: what may change an e-mail address and a password."""
    return speak(session=sandbox.SESSION_ID)


@pytest.fixture
async def unguarded(clock: Clock) -> AsyncIterator[Speaker]:
    """Ada by key, on a server from before tokens were kept from the identity, which cannot send mail."""
    app = sandbox.build(clock=clock, token_guard=False, mail=False)
    async with Speaker(app, sandbox.FULL_KEY) as speaker:
        yield speaker


async def test_a_user_is_shown_whole_and_without_secrets(ada: Speaker) -> None:
    user = await me(ada)
    assert user["team"]["id"] == 1
    assert user["team"]["name"] == "Engine"
    assert user["organization"]["name"] == "Analytical Engines"
    assert [found["membership_level"] for found in user["organizations"]] == [15]
    assert user["has_password"] is True
    assert not user.keys() & {"password", "current_password", "set_current_organization", "set_current_team"}
    assert sandbox.PASSWORD not in (await ada.get(ME)).text


async def test_who_has_no_organization_has_no_team_either(speak: Speak) -> None:
    user = await me(speak(sandbox.NO_ORGANIZATION_KEY))
    assert (user["team"], user["organization"], user["organizations"]) == (None, None, [])


async def test_only_staff_list_everybody_and_nobody_lists_the_inactive(speak: Speak) -> None:
    assert [row["first_name"] for row in (await speak(sandbox.FULL_KEY).get("/api/users/")).json()["results"]] == [
        "Ada"
    ]
    everybody = (await speak(sandbox.STAFF_KEY).get("/api/users/")).json()
    assert everybody["count"] == 7
    assert [row["id"] for row in everybody["results"]] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"email": "grace@compilers.example"}, [5]),
        ({"email": "Grace@compilers.example"}, []),
        ({"is_staff": "true"}, [3]),
        ({"is_staff": "1"}, [3]),
        ({"is_staff": "0", "limit": "2"}, [1, 2]),
        ({"is_staff": "perhaps", "limit": "1", "offset": "1"}, [2]),
    ],
)
async def test_users_are_filtered(speak: Speak, query: dict[str, str], ids: list[int]) -> None:
    rows = (await speak(sandbox.STAFF_KEY).get("/api/users/", params=query)).json()["results"]
    assert [row["id"] for row in rows] == ids


async def test_a_filter_can_exclude_even_oneself(ada: Speaker) -> None:
    assert (await ada.get("/api/users/", params={"is_staff": "true"})).json()["count"] == 0


@pytest.mark.parametrize(
    ("method", "end"),
    [("GET", ""), ("PATCH", ""), ("GET", "github_login/"), ("GET", "hedgehog_config/"), ("PATCH", "hedgehog_config/")],
)
async def test_others_may_only_say_me_not_even_their_own_uuid(speak: Speak, method: str, end: str) -> None:
    own = await uuid_of(speak, "ada@analytical.example")
    for uuid in (own, "00000000-0000-4000-8000-000000000000", "nonsense"):
        reply = await speak(sandbox.FULL_KEY).request(method, f"/api/users/{uuid}/{end}", json={})
        assert fault(reply) == (403, "permission_denied", None)
    assert (await speak(sandbox.STAFF_KEY).request(method, f"/api/users/{own}/{end}", json={})).status_code == 200


async def test_staff_get_a_404_for_who_does_not_exist_or_is_inactive(speak: Speak) -> None:
    for uuid in ("00000000-0000-4000-8000-000000000000", "nonsense"):
        reply = await speak(sandbox.STAFF_KEY).get(f"/api/users/{uuid}/")
        assert fault(reply) == (404, "not_found", None)


async def test_staff_do_not_learn_who_came_first(speak: Speak) -> None:
    hedy, uuid = speak(sandbox.STAFF_KEY), await uuid_of(speak, "ada@analytical.example")
    assert (await hedy.get(f"/api/users/{uuid}/")).json()["is_organization_first_user"] is None
    assert (await me(hedy))["is_organization_first_user"] is False


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first_name", ""),
        ("last_name", "L" * 150),
        ("anonymize_data", None),
        ("allow_impersonation", False),
        ("toolbar_mode", ""),
        ("toolbar_mode", "disabled"),
        ("theme_mode", "dark"),
        ("theme_mode", None),
        ("hedgehog_config", {"color": "red"}),
        ("has_seen_product_intro_for", {"surveys": True}),
        ("events_column_config", {"active": ["a"]}),
        ("allow_sidebar_suggestions", None),
        ("shortcut_position", "hidden"),
        ("role_at_organization", "founder"),
        ("passkeys_enabled_for_2fa", False),
        ("hide_mcp_hints", True),
    ],
)
async def test_a_field_can_be_changed(ada: Speaker, name: str, value: Any) -> None:
    assert (await change(ada, **{name: value})).json()[name] == value
    assert (await me(ada))[name] == value


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"first_name": "F" * 151}, "max_length"),
        ({"first_name": None}, "null"),
        ({"last_name": "https://spam.example"}, "invalid_input"),
        ({"anonymize_data": "perhaps"}, "invalid_input"),
        ({"toolbar_mode": "sideways"}, "invalid_choice"),
        ({"theme_mode": "pink"}, "invalid_choice"),
        ({"shortcut_position": "left"}, "invalid_choice"),
        ({"role_at_organization": None}, "null"),
        ({"role_at_organization": ""}, "invalid_choice"),
        ({"events_column_config": None}, "null"),
        ({"hide_mcp_hints": None}, "null"),
        ({"passkeys_enabled_for_2fa": True}, "no_passkeys"),
    ],
)
async def test_a_field_of_a_user_is_checked(ada: Speaker, fields: dict[str, Any], code: str) -> None:
    assert fault(await change(ada, **fields)) == (400, code, next(iter(fields)))


async def test_whoever_has_a_passkey_may_use_it(speak: Speak) -> None:
    assert (await change(speak(sandbox.STAFF_KEY), passkeys_enabled_for_2fa=True)).status_code == 200


async def test_no_shortcut_position_is_shown_as_above(ada: Speaker) -> None:
    await change(ada, shortcut_position="below")
    assert (await change(ada, shortcut_position=None)).json()["shortcut_position"] == "above"


async def test_read_only_and_unknown_fields_are_ignored(ada: Speaker) -> None:
    before = await me(ada)
    assert (await change(ada, id=9, date_joined="2000-01-01", has_password=False, colour="red")).json() == before


async def test_maps_of_free_json_are_replaced_whole(ada: Speaker) -> None:
    await change(ada, has_seen_product_intro_for={"surveys": True})
    await change(ada, has_seen_product_intro_for={"toolbar": True})
    assert (await me(ada))["has_seen_product_intro_for"] == {"toolbar": True}


async def test_notification_settings_always_show_all_defaults(ada: Speaker) -> None:
    shown = (await me(ada))["notification_settings"]
    assert shown["plugin_disabled"] is True
    assert shown["all_weekly_digest_disabled"] is False
    assert shown["data_pipeline_error_threshold"] == 0.01
    assert shown["project_weekly_digest_disabled"] == {}
    assert (await change(ada, notification_settings={})).json()["notification_settings"] == shown


async def test_notification_settings_are_merged_by_key_and_maps_by_entry(ada: Speaker) -> None:
    before = (await me(ada))["notification_settings"]
    await change(ada, notification_settings={"plugin_disabled": False, "project_weekly_digest_disabled": {"1": True}})
    await change(ada, notification_settings={"project_weekly_digest_disabled": {"2": True}})
    realtime = {"comments": {"1": True}}
    await change(ada, notification_settings={"realtime_notifications_disabled": realtime})
    await change(ada, notification_settings={"realtime_notifications_disabled": {"comments": {"2": False}}})
    assert (await me(ada))["notification_settings"] == before | {
        "plugin_disabled": False,
        "project_weekly_digest_disabled": {"1": True, "2": True},
        "realtime_notifications_disabled": {"comments": {"1": True, "2": False}},
    }


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ([], "not_a_dict"),
        ("all", "not_a_dict"),
        (None, "null"),
        ({"all_weekly_report_disabled": True}, "invalid_input"),
        ({"plugin_disabled": "yes"}, "invalid_input"),
        ({"data_pipeline_error_threshold": 1.5}, "invalid_input"),
        ({"data_pipeline_error_threshold": True}, "invalid_input"),
        ({"project_weekly_digest_disabled": {"1": "yes"}}, "invalid_input"),
        ({"project_weekly_digest_disabled": True}, "invalid_input"),
        ({"realtime_notifications_disabled": {"comments": True}}, "invalid_input"),
        ({"pipeline_notifications_disabled": {str(n): True for n in range(1001)}}, "invalid_input"),
    ],
)
async def test_notification_settings_are_checked(ada: Speaker, sent: Any, code: str) -> None:
    assert fault(await change(ada, notification_settings=sent)) == (400, code, "notification_settings")


async def test_a_token_may_not_touch_the_identity_whatever_else_is_wrong(speak: Speak) -> None:
    for key in (sandbox.FULL_KEY, sandbox.OAUTH_TOKEN, sandbox.STAFF_KEY):
        for fields in ({"email": "new@x.example"}, {"email": "nonsense"}, {"password": ""}, {"password": BETTER}):
            reply = await change(speak(key), **fields, theme_mode="pink")
            assert fault(reply) == (403, "permission_denied", None)


async def test_the_same_address_is_no_change_even_for_a_token(app: Starlette, ada: Speaker) -> None:
    reply = await change(ada, email="ADA@analytical.example")
    assert (reply.json()["email"], reply.json()["pending_email"]) == ("ada@analytical.example", None)
    assert app.state.outbox() == []


async def test_a_new_address_waits_for_its_verification(app: Starlette, session: Speaker) -> None:
    changed = (await change(session, email="ada@new.example")).json()
    assert (changed["email"], changed["pending_email"]) == ("ada@analytical.example", "ada@new.example")
    mails = [(row["why"], row["recipients"], row["subscription"]) for row in app.state.outbox()]
    assert mails == [("e-mail verification", ["ada@new.example"], None)]
    await change(session, email="ada@new.example")
    assert len(app.state.outbox()) == 2


async def test_without_mail_or_guard_a_new_address_holds_at_once(unguarded: Speaker) -> None:
    changed = (await change(unguarded, email="ada@new.example")).json()
    assert (changed["email"], changed["pending_email"]) == ("ada@new.example", None)


@pytest.mark.parametrize(
    ("email", "code"),
    [
        ("nonsense", "invalid_input"),
        ("a@b", "invalid_input"),
        ("", "blank"),
        (None, "null"),
        ("a" * 250 + "@x.example", "max_length"),
        ("linus@hobby.example", "unique"),
        ("CHARLES@analytical.example", "unique"),
        ("charles+2@analytical.example", "invalid_input"),
        ("ada+mcp@analytical.example", "invalid_input"),
        ("new@compilers.example", "sso_enforced_new_email"),
    ],
)
async def test_a_new_address_is_checked(session: Speaker, email: str | None, code: str) -> None:
    assert fault(await change(session, email=email)) == (400, code, "email")


async def test_an_address_under_single_sign_on_stays(clock: Clock) -> None:
    app = sandbox.build(clock=clock, token_guard=False)
    async with Speaker(app, sandbox.ENTERPRISE_KEY) as grace:
        assert fault(await change(grace, email="grace@new.example")) == (400, "sso_enforced_current_email", "email")
        assert (await me(grace))["has_sso_enforcement"] is True


async def test_a_password_is_changed_with_the_current_one(app: Starlette, session: Speaker, speak: Speak) -> None:
    assert fault(await change(session, password=BETTER)) == (400, "required", "current_password")
    wrong = await change(session, password=BETTER, current_password="wrong")
    assert fault(wrong) == (400, "incorrect_password", "current_password")
    right = await change(session, password=BETTER, current_password=sandbox.PASSWORD)
    assert right.status_code == 200
    assert [row["why"] for row in app.state.outbox()] == ["password changed"]
    assert (await session.get(ME)).status_code == 200
    assert (await speak(session=sandbox.STALE_SESSION_ID).get(ME)).status_code == 401
    again = await change(session, password=sandbox.PASSWORD, current_password=BETTER)
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short1!", "invalid_input"),
        ("password1234", "invalid_input"),
        ("aaaaaaaaaaaaaaaa", "invalid_input"),
        ("lkjhgfds", "invalid_input"),
        ("p" * 129, "max_length"),
        ("", "blank"),
        (None, "null"),
    ],
)
async def test_a_password_is_long_and_strong_enough(session: Speaker, password: Any, code: str) -> None:
    reply = await change(session, password=password, current_password=sandbox.PASSWORD)
    assert fault(reply) == (400, code, "password")


async def test_who_has_no_password_needs_none_to_set_one(clock: Clock) -> None:
    app = sandbox.build(clock=clock, token_guard=False)
    async with Speaker(app, sandbox.FREE_KEY) as linus:
        assert (await me(linus))["has_password"] is False
        assert (await change(linus, password=BETTER)).json()["has_password"] is True


async def test_the_current_password_alone_changes_nothing(ada: Speaker) -> None:
    before = await me(ada)
    assert (await change(ada, current_password="wrong")).json() == before


@pytest.mark.parametrize("value", [True, False, "nonsense"])
async def test_only_staff_may_even_mention_is_staff(speak: Speak, ada: Speaker, value: Any) -> None:
    assert fault(await change(ada, is_staff=value)) == (403, "permission_denied", None)
    charles = "/api/users/" + await uuid_of(speak, "charles@analytical.example") + "/"
    hedy = speak(sandbox.STAFF_KEY)
    if isinstance(value, bool):
        assert (await hedy.patch(charles, json={"is_staff": value})).json()["is_staff"] is value


async def test_another_current_project_changes_what_current_means(speak: Speak, ada: Speaker) -> None:
    assert (await change(ada, set_current_team=2)).json()["team"]["name"] == "Mill"
    assert (await ada.get("/api/projects/@current/subscriptions/")).json()["count"] == 1
    assert (await speak(sandbox.OAUTH_TOKEN).get("/api/projects/@current/subscriptions/")).json()["count"] == 1
    assert (await change(ada, set_current_team="1")).json()["team"]["name"] == "Engine"


async def test_another_organization_brings_its_first_project_and_a_project_its_organization(speak: Speak) -> None:
    hedy = speak(sandbox.STAFF_KEY)
    analytical, hobby = [found["id"] for found in (await me(hedy))["organizations"]]
    moved = (await change(hedy, set_current_organization=hobby)).json()
    assert (moved["organization"]["name"], moved["team"]["id"]) == ("Hobby Kernel", 3)
    back = (await change(hedy, set_current_team=2)).json()
    assert (back["organization"]["id"], back["team"]["id"]) == (analytical, 2)
    both = (await change(hedy, set_current_organization=hobby, set_current_team=3)).json()
    assert both["team"]["id"] == 3
    mismatch = await change(hedy, set_current_organization=hobby, set_current_team=1)
    assert fault(mismatch) == (400, "invalid_input", "set_current_team")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("set_current_team", 3),
        ("set_current_team", 999),
        ("set_current_team", "first"),
        ("set_current_team", "9" * 40),
        ("set_current_organization", "00000000-0000-4000-8000-000000000000"),
        ("set_current_organization", "mine"),
    ],
)
async def test_what_is_not_ones_own_does_not_exist(ada: Speaker, name: str, value: Any) -> None:
    assert fault(await change(ada, **{name: value})) == (400, "does_not_exist", name)


async def test_a_stale_session_may_only_change_what_is_harmless(speak: Speak) -> None:
    stale = speak(session=sandbox.STALE_SESSION_ID)
    assert (await change(stale, theme_mode="dark", set_current_team=2)).status_code == 200
    assert (await stale.patch(ME + "hedgehog_config/", json={})).status_code == 200
    for reply in (
        await change(stale, first_name="Augusta"),
        await change(stale, theme_mode="dark", first_name="Augusta"),
        await stale.delete(ME),
        await stale.post(ME + "credentials_review_complete/"),
    ):
        assert fault(reply) == (403, "sensitive_action_required_reauth", None)


async def test_a_session_tells_until_when_it_is_sensitive_and_a_key_does_not(session: Speaker, ada: Speaker) -> None:
    assert (await me(session))["sensitive_session_expires_at"] == "2026-01-01T14:00:00Z"
    assert (await me(ada))["sensitive_session_expires_at"] is None


async def test_an_account_with_an_organization_cannot_be_deleted(session: Speaker) -> None:
    reply = await session.delete(ME)
    assert fault(reply) == (409, "conflict", None)
    assert reply.json()["type"] == "server_error"


async def test_an_account_without_one_is_deleted_for_good(speak: Speak) -> None:
    noor = speak(session=sandbox.NO_ORGANIZATION_SESSION_ID)
    reply = await noor.delete(ME)
    assert (reply.status_code, reply.content) == (204, b"")
    assert fault(await noor.delete(ME)) == (401, "not_authenticated", None)
    assert (await speak(sandbox.NO_ORGANIZATION_KEY).get(ME)).status_code == 401
    assert (await speak(sandbox.STAFF_KEY).get("/api/users/")).json()["count"] == 6


async def test_what_a_deleted_user_made_stays_without_its_creator(tmp_path: Path) -> None:
    database = str(tmp_path / "sandbox.db")
    app = sandbox.build(database)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("delete from membership where person_id = 3")
        connection.execute("insert into credential values ('hedy', 'session', 3, '{}')")
        connection.execute("update subscription set doc = json_set(doc, '$.created_by', 3) where id = 1")
        connection.execute("update share_password set doc = json_set(doc, '$.created_by', 3)")
    async with Speaker(app, session="hedy") as hedy, Speaker(app, sandbox.FULL_KEY) as ada:
        assert (await hedy.delete(ME)).status_code == 204
        assert (await ada.get(subscription(1))).json()["created_by"] is None
        assert (await ada.get(GUARDED)).json()["share_passwords"][0]["created_by_email"] == "deleted user"


async def test_a_session_only_endpoint_wants_csrf_and_oneself(speak: Speak, session: Speaker) -> None:
    own = await uuid_of(speak, "ada@analytical.example")
    for method, end in (("DELETE", ""), ("POST", "credentials_review_complete/")):
        assert fault(await session.request(method, f"/api/users/{own}/{end}"))[0] == 403
    del session.headers["X-CSRFToken"]
    assert fault(await session.delete(ME)) == (403, "permission_denied", None)


async def test_a_credential_review_is_done_once_and_for_good(session: Speaker, ada: Speaker) -> None:
    assert (await me(ada))["requires_credential_review"] is True
    for _ in range(2):
        reply = await session.post(ME + "credentials_review_complete/")
        assert (reply.status_code, reply.content) == (204, b"")
    assert (await me(ada))["requires_credential_review"] is False


async def test_the_github_login_is_null_without_one(speak: Speak, ada: Speaker) -> None:
    assert (await ada.get(ME + "github_login/")).json() == {"github_login": "ada-lovelace"}
    assert (await speak(sandbox.FREE_KEY).get(ME + "github_login/")).json() == {"github_login": None}


async def test_no_hedgehog_is_an_empty_object(speak: Speak) -> None:
    assert (await speak(sandbox.FREE_KEY).get(ME + "hedgehog_config/")).json() == {}


@pytest.mark.parametrize("config", [{"first_name": "x"}, {"version": 2, "actor_options": {"color": "red"}}, {}, [1]])
async def test_a_hedgehog_is_the_whole_body_and_nothing_is_merged(ada: Speaker, config: Any) -> None:
    assert (await ada.patch(ME + "hedgehog_config/", json=config)).json() == config
    assert (await ada.get(ME + "hedgehog_config/")).json() == config
    assert (await me(ada))["first_name"] == "Ada"


async def test_a_second_generation_hedgehog_is_reduced_where_people_are_shown_in_short(ada: Speaker) -> None:
    options = {"color": "red", "skin": "robot", "hat": 1}
    await ada.patch(ME + "hedgehog_config/", json={"version": 2, "use_as_profile": True, "actor_options": options})
    shown = (await ada.create())["created_by"]["hedgehog_config"]
    assert shown == {"use_as_profile": True, "color": "red", "skin": "robot"}
