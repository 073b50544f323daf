"""Users: visibility, changes, and operations for login sessions only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette

from core13_mcp import sandbox

from .conftest import Connect
from .sandbox_client import CURRENT, GUARDED, ME, USERS, Client, Clock, Response, edited_sandbox, error, subscription

pytestmark = pytest.mark.anyio
BETTER = "a much Better one 77"
HEDGEHOG, REVIEW = ME + "hedgehog_config/", ME + "credentials_review_complete/"
UNKNOWN_UUID = "00000000-0000-4000-8000-000000000000"


async def me(client: Client) -> dict[str, Any]:
    user: dict[str, Any] = (await client.get(ME)).json()
    return user


async def change(client: Client, **fields: Any) -> Response:
    return await client.patch(ME, json=fields)


async def path_of(connect: Connect, email: str) -> str:
    response = await connect(sandbox.STAFF_KEY).get(USERS, params={"email": email})
    return f"{USERS}{response.json()['results'][0]['uuid']}/"


@pytest.fixture
def session(connect: Connect) -> Client:
    """Ada with a login session, which may change e-mail address and password."""
    return connect(session=sandbox.SESSION_ID)


@pytest.fixture
async def unguarded(clock: Clock, era: str) -> AsyncIterator[Connect]:
    """Connects to an instance without token guard and without mail."""
    app = sandbox.build(clock=clock, era=era, token_guard=False, mail=False)
    yield lambda key: Client(app, key)
    app.state.close()


async def test_a_profile_contains_no_secrets(ada: Client) -> None:
    response = await ada.get(ME)
    user = response.json()
    assert (user["team"]["id"], user["team"]["name"]) == (1, "Engine")
    assert user["organization"]["name"] == "Analytical Engines"
    assert [organization["membership_level"] for organization in user["organizations"]] == [15]
    assert user["has_password"] is True
    assert not user.keys() & {"password", "current_password", "set_current_organization", "set_current_team"}
    assert sandbox.PASSWORD not in response.text


@pytest.mark.parametrize(
    ("key", "query", "ids"),
    [
        (sandbox.FULL_KEY, {}, [1]),
        (sandbox.FULL_KEY, {"is_staff": "true"}, []),
        (sandbox.STAFF_KEY, {}, [1, 2, 3, 4, 5, 6, 7]),
        (sandbox.STAFF_KEY, {"email": "grace@compilers.example"}, [5]),
        (sandbox.STAFF_KEY, {"email": "Grace@compilers.example"}, []),
        (sandbox.STAFF_KEY, {"is_staff": "true"}, [3]),
        (sandbox.STAFF_KEY, {"is_staff": "0", "limit": "2"}, [1, 2]),
        (sandbox.STAFF_KEY, {"is_staff": "perhaps", "limit": "1", "offset": "1"}, [2]),
    ],
)
async def test_staff_list_all_active_users_and_others_only_themselves(
    connect: Connect, key: str, query: dict[str, str], ids: list[int]
) -> None:
    rows = (await connect(key).get(USERS, params=query)).json()["results"]
    assert [row["id"] for row in rows] == ids


@pytest.mark.parametrize(
    ("method", "end"),
    [("GET", ""), ("PATCH", ""), ("GET", "github_login/"), ("GET", "hedgehog_config/"), ("PATCH", "hedgehog_config/")],
)
async def test_only_staff_can_use_a_uuid_in_the_path(connect: Connect, method: str, end: str) -> None:
    own = await path_of(connect, "ada@analytical.example")
    for path in (own, f"{USERS}{UNKNOWN_UUID}/", f"{USERS}nonsense/"):
        response = await connect(sandbox.FULL_KEY).request(method, path + end, json={})
        assert error(response) == (403, "permission_denied", None)
    hedy = connect(sandbox.STAFF_KEY)
    assert (await hedy.request(method, own + end, json={})).status_code == 200
    for uuid in (UNKNOWN_UUID, "nonsense"):
        assert error(await hedy.request(method, f"{USERS}{uuid}/{end}", json={})) == (404, "not_found", None)


async def test_fields_of_a_user_can_be_changed(ada: Client) -> None:
    fields = {
        "first_name": "", "last_name": "L" * 150, "anonymize_data": None, "allow_impersonation": False,
        "toolbar_mode": "disabled", "theme_mode": "dark", "hedgehog_config": {"color": "red"},
        "has_seen_product_intro_for": {"surveys": True}, "events_column_config": {"active": ["a"]},
        "allow_sidebar_suggestions": None, "shortcut_position": "hidden", "role_at_organization": "founder",
        "passkeys_enabled_for_2fa": False, "hide_mcp_hints": True,
    }  # fmt: skip
    assert (await change(ada, **fields)).json().items() >= fields.items()
    assert (await me(ada)).items() >= fields.items()
    assert (await change(ada, shortcut_position=None)).json()["shortcut_position"] == "above"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"first_name": "F" * 151}, "max_length"),
        ({"first_name": None}, "null"),
        ({"last_name": "https://spam.example"}, "invalid_url"),
        ({"anonymize_data": "perhaps"}, "invalid_input"),
        ({"theme_mode": "pink"}, "invalid_choice"),
        ({"passkeys_enabled_for_2fa": True}, "no_passkeys"),
        ({"set_current_team": "3"}, "does_not_exist"),
        ({"set_current_team": "first"}, "does_not_exist"),
        ({"set_current_team": "9" * 40}, "does_not_exist"),
        ({"set_current_organization": UNKNOWN_UUID}, "does_not_exist"),
    ],
)
async def test_an_invalid_field_of_a_user_is_rejected(ada: Client, fields: dict[str, Any], code: str) -> None:
    assert error(await change(ada, **fields)) == (400, code, next(iter(fields)))


async def test_read_only_unknown_and_unused_fields_are_ignored(ada: Client) -> None:
    before = await me(ada)
    sent = {"id": 9, "date_joined": "2000-01-01", "has_password": False, "colour": "red", "current_password": "wrong"}
    assert (await change(ada, **sent)).json() == before


async def test_notification_settings_are_merged_with_the_stored_ones_and_the_defaults(ada: Client) -> None:
    defaults = (await me(ada))["notification_settings"]
    assert (defaults["plugin_disabled"], defaults["data_pipeline_error_threshold"]) == (True, 0.01)
    assert (await change(ada, notification_settings={})).json()["notification_settings"] == defaults
    for settings in (
        {"plugin_disabled": False, "project_weekly_digest_disabled": {"1": True}},
        {"project_weekly_digest_disabled": {"2": True}},
        {"realtime_notifications_disabled": {"comment_mention": {"1": True}}},
        {"realtime_notifications_disabled": {"comment_mention": {"2": False}}},
    ):
        await change(ada, notification_settings=settings)
    assert (await me(ada))["notification_settings"] == defaults | {
        "plugin_disabled": False,
        "project_weekly_digest_disabled": {"1": True, "2": True},
        "realtime_notifications_disabled": {"comment_mention": {"1": True, "2": False}},
    }


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ([], "not_a_dict"),
        ({"all_weekly_report_disabled": True}, "invalid_input"),
        ({"plugin_disabled": "yes"}, "invalid_input"),
        ({"data_pipeline_error_threshold": 1.5}, "invalid_input"),
        ({"project_weekly_digest_disabled": {"1": "yes"}}, "invalid_input"),
        ({"realtime_notifications_disabled": {"comment_mention": True}}, "invalid_input"),
        ({"pipeline_notifications_disabled": {f"hog_function:{n}": True for n in range(1001)}}, "invalid_input"),
    ],
)
async def test_invalid_notification_settings_are_rejected(ada: Client, settings: Any, code: str) -> None:
    assert error(await change(ada, notification_settings=settings)) == (400, code, "notification_settings")


async def test_keys_and_tokens_cannot_change_email_or_password(connect: Connect) -> None:
    for key in (sandbox.FULL_KEY, sandbox.OAUTH_TOKEN, sandbox.STAFF_KEY):
        for fields in ({"email": "new@x.example"}, {"email": "nonsense"}, {"password": ""}, {"password": BETTER}):
            response = await change(connect(key), **fields, theme_mode="pink")
            assert error(response) == (403, "permission_denied", None)
    unchanged = (await change(connect(sandbox.FULL_KEY), email="ADA@analytical.example")).json()
    assert (unchanged["email"], unchanged["pending_email"]) == ("ada@analytical.example", None)


async def test_a_new_email_is_pending_until_it_is_verified_if_the_instance_sends_mail(
    app: Starlette, session: Client, unguarded: Connect
) -> None:
    user = (await change(session, email="ada@new.example")).json()
    assert (user["email"], user["pending_email"]) == ("ada@analytical.example", "ada@new.example")
    await change(session, email="ada@new.example")
    mails = [(row["why"], row["recipients"], row["subscription"]) for row in app.state.outbox()]
    assert mails == [("e-mail verification", ["ada@new.example"], None)] * 2
    without_mail = (await change(unguarded(sandbox.FULL_KEY), email="ada@new.example")).json()
    assert (without_mail["email"], without_mail["pending_email"]) == ("ada@new.example", None)


@pytest.mark.parametrize(
    ("email", "code"),
    [
        ("nonsense", "invalid_input"),
        ("a" * 250 + "@x.example", "max_length"),
        ("linus@hobby.example", "unique"),
        ("CHARLES@analytical.example", "unique"),
        ("ada+mcp@analytical.example", "invalid_input"),
    ],
)
async def test_an_invalid_new_email_is_rejected(session: Client, email: str | None, code: str) -> None:
    assert error(await change(session, email=email)) == (400, code, "email")


async def test_an_email_with_enforced_single_sign_on_changes_only_within_its_organization(
    database: str, clock: Clock, era: str
) -> None:
    more_domains = "update organization set doc = json_set(doc, '$.sso_domains[#]', 'cobol.example')"
    graces_login = "insert into credential values ('grace', 'session', 5, '{}')"
    app = edited_sandbox(database, clock, era, f"{more_domains} where doc ->> 'name' = 'Compilers'", graces_login)
    async with Client(app, session="grace") as grace, Client(app, session=sandbox.SESSION_ID) as ada:
        assert (await me(grace))["has_sso_enforcement"] is True
        rejected = await change(grace, email="grace@new.example")
        assert error(rejected) == (400, "sso_enforced_current_email", None)
        moved = await change(grace, email="grace@cobol.example")
        assert moved.json()["pending_email"] == "grace@cobol.example"
        assert error(await change(ada, email="ada@cobol.example")) == (400, "sso_enforced_new_email", None)


async def test_a_password_change_requires_the_current_password_and_ends_other_sessions(
    app: Starlette, session: Client, connect: Connect
) -> None:
    assert error(await change(session, password=BETTER)) == (400, "required", "current_password")
    wrong = await change(session, password=BETTER, current_password="wrong")
    assert error(wrong) == (400, "incorrect_password", "current_password")
    assert (await change(session, password=BETTER, current_password=sandbox.PASSWORD)).status_code == 200
    assert [row["why"] for row in app.state.outbox()] == ["password changed"]
    assert (await session.get(ME)).status_code == 200
    assert (await connect(session=sandbox.STALE_SESSION_ID).get(ME)).status_code == 401
    assert (await change(session, password=sandbox.PASSWORD, current_password=BETTER)).status_code == 200


@pytest.mark.parametrize("password", ["short1!", "password1234", "aaaaaaaaaaaaaaaa", "lkjhgfds"])
async def test_a_short_or_weak_password_is_rejected(session: Client, password: str) -> None:
    response = await change(session, password=password, current_password=sandbox.PASSWORD)
    assert error(response) == (400, "invalid_input", "password")


async def test_a_first_password_requires_no_current_password(unguarded: Connect) -> None:
    linus = unguarded(sandbox.FREE_KEY)
    assert (await me(linus))["has_password"] is False
    assert (await change(linus, password=BETTER)).json()["has_password"] is True


async def test_only_staff_can_send_is_staff(connect: Connect, ada: Client) -> None:
    charles = await path_of(connect, "charles@analytical.example")
    for value in (True, False):
        assert error(await change(ada, is_staff=value)) == (403, "permission_denied", None)
        response = await connect(sandbox.STAFF_KEY).patch(charles, json={"is_staff": value})
        assert response.json()["is_staff"] is value


async def test_the_current_project_can_change(connect: Connect, ada: Client) -> None:
    assert (await change(ada, set_current_team=2)).json()["team"]["name"] == "Mill"
    for client in (ada, connect(sandbox.OAUTH_TOKEN)):
        assert (await client.get(CURRENT)).json()["count"] == 1
    assert (await change(ada, set_current_team="1")).json()["team"]["name"] == "Engine"


async def test_a_new_current_organization_selects_its_first_project(connect: Connect) -> None:
    hedy = connect(sandbox.STAFF_KEY)
    analytical, hobby = [organization["id"] for organization in (await me(hedy))["organizations"]]
    moved = (await change(hedy, set_current_organization=hobby)).json()
    assert (moved["organization"]["name"], moved["team"]["id"]) == ("Hobby Kernel", 3)
    back = (await change(hedy, set_current_team=2)).json()
    assert (back["organization"]["id"], back["team"]["id"]) == (analytical, 2)
    both = (await change(hedy, set_current_organization=hobby, set_current_team=3)).json()
    assert both["team"]["id"] == 3
    mismatch = await change(hedy, set_current_organization=hobby, set_current_team=1)
    assert error(mismatch) == (400, "invalid_input", "set_current_team")


async def test_a_stale_session_can_change_only_harmless_fields(connect: Connect, session: Client) -> None:
    stale = connect(session=sandbox.STALE_SESSION_ID)
    assert (await me(session))["sensitive_session_expires_at"] == "2026-01-01T14:00:00Z"
    assert (await me(stale))["sensitive_session_expires_at"] < "2026-01-01T12:00:00Z"
    assert (await change(stale, theme_mode="dark", set_current_team=2)).status_code == 200
    assert (await stale.patch(HEDGEHOG, json={})).status_code == 200
    for response in (
        await change(stale, first_name="Augusta"),
        await change(stale, theme_mode="dark", first_name="Augusta"),
        await stale.delete(ME),
        await stale.post(REVIEW),
    ):
        assert error(response) == (403, "sensitive_action_required_reauth", None)


async def test_only_the_own_account_without_an_organization_can_be_deleted(connect: Connect, session: Client) -> None:
    assert error(await session.delete(await path_of(connect, "noor@alone.example")))[0] == 403
    rejected = await session.delete(ME)
    assert (error(rejected), rejected.json()["type"]) == ((409, "conflict", None), "server_error")
    noor = connect(session=sandbox.NO_ORGANIZATION_SESSION_ID)
    response = await noor.delete(ME)
    assert (response.status_code, response.content) == (204, b"")
    assert error(await noor.delete(ME)) == (401, "not_authenticated", None)
    assert (await connect(sandbox.NO_ORGANIZATION_KEY).get(ME)).status_code == 401
    assert (await connect(sandbox.STAFF_KEY).get(USERS)).json()["count"] == 6


async def test_the_content_of_a_deleted_user_stays_without_its_creator(database: str, clock: Clock, era: str) -> None:
    app = edited_sandbox(
        database,
        clock,
        era,
        "delete from membership where person_id = 3",
        "insert into credential values ('hedy', 'session', 3, '{}')",
        "update subscription set doc = json_set(doc, '$.created_by', 3) where id = 1",
        "update share_password set doc = json_set(doc, '$.created_by', 3)",
    )
    async with Client(app, session="hedy") as hedy, Client(app, sandbox.FULL_KEY) as ada:
        assert (await hedy.delete(ME)).status_code == 204
        assert (await ada.get(subscription(1))).json()["created_by"] is None
        assert (await ada.get(GUARDED)).json()["share_passwords"][0]["created_by_email"] == "deleted user"


async def test_a_credential_review_is_idempotent(session: Client, ada: Client) -> None:
    assert (await me(ada))["requires_credential_review"] is True
    for _ in range(2):
        response = await session.post(REVIEW)
        assert (response.status_code, response.content) == (204, b"")
    assert (await me(ada))["requires_credential_review"] is False


async def test_unset_values_are_null_or_an_empty_object(connect: Connect, ada: Client) -> None:
    linus = connect(sandbox.FREE_KEY)
    assert (await ada.get(ME + "github_login/")).json() == {"github_login": "ada-lovelace"}
    assert (await linus.get(ME + "github_login/")).json() == {"github_login": None}
    assert (await linus.get(HEDGEHOG)).json() == {}


async def test_a_hedgehog_is_replaced_by_the_body(ada: Client) -> None:
    for config in ({"version": 2, "actor_options": {"color": "red"}}, {"first_name": "x"}, {}):
        assert (await ada.patch(HEDGEHOG, json=config)).json() == config
        assert (await ada.get(HEDGEHOG)).json() == config
    assert (await me(ada))["first_name"] == "Ada"


async def test_a_user_summary_has_nine_fields_and_four_fields_of_the_hedgehog(ada: Client) -> None:
    options = {"color": "red", "skin": "robot", "hat": 1}
    await ada.patch(HEDGEHOG, json={"version": 2, "use_as_profile": True, "actor_options": options})
    shown = (await ada.create())["created_by"]
    assert shown.keys() == {
        "id", "uuid", "distinct_id", "first_name", "last_name", "email", "is_email_verified", "hedgehog_config",
        "role_at_organization",
    }  # fmt: skip
    assert shown["hedgehog_config"] == {"use_as_profile": True, "color": "red", "skin": "robot"}
