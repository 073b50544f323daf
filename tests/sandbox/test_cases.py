"""Cases from PostHog's source in which the sandbox once differed. The id of a parameter is the id of the case."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette

from core13_mcp import sandbox
from core13_mcp.sandbox.eras import Era

from .conftest import Connect
from .sandbox_client import (
    GUARDED,
    ME,
    NEVER_SHARED,
    OPEN,
    PAUSED,
    SUBSCRIPTIONS,
    Client,
    dashboard,
    error,
    subscription,
    weekly,
)

pytestmark = pytest.mark.anyio
WORKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday"]
SETTINGS = "notification_settings"


def case(name: str, *values: Any) -> Any:
    return pytest.param(*values, id=name)


@pytest.mark.parametrize(
    ("fields", "code", "attr"),
    [
        case("U01", {"first_name": "https://evil.example"}, "invalid_url", "first_name"),
        case("U02", {"first_name": "evil.com"}, "invalid_url", "first_name"),
        case("U03", {"first_name": "Ada <b>"}, "invalid_bracket", "first_name"),
        case("U04", {"first_name": "Ada\nB"}, "invalid_control_char", "first_name"),
        case("U05", {"first_name": "Ada\u200bB"}, "invalid_invisible_char", "first_name"),
        case("U06", {"first_name": "mailto:a"}, "invalid_url", "first_name"),
        case("U02-wide", {"last_name": "\uff45vil\uff0ecom"}, "invalid_url", "last_name"),
        case("U13", {"is_staff": "banana"}, "invalid_input", "is_staff"),
        case("U24", {SETTINGS: {"pipeline_notifications_disabled": {"foo": True}}}, "invalid_input", SETTINGS),
        case("U25", {SETTINGS: {"realtime_notifications_disabled": {"bogus": {}}}}, "invalid_input", SETTINGS),
        case("U55", {"set_current_organization": "not-a-uuid"}, "invalid_input", "set_current_organization"),
    ],
)
async def test_a_key_gets_the_error_of_the_source(ada: Client, fields: dict[str, Any], code: str, attr: str) -> None:
    assert error(await ada.patch(ME, json=fields)) == (400, code, attr)


@pytest.mark.parametrize(
    ("fields", "code", "attr"),
    [
        case("U28", {"password": "short"}, "required", "current_password"),
        # The code of the refusal of a plus sign is not confirmed.
        case("U31", {"email": "charles+x@analytical.example"}, "unique", "email"),
        case("U32", {"email": "nobody+x@new.example"}, "invalid_input", "email"),
        case("U33", {"email": "ada@compilers.example"}, "sso_enforced_new_email", None),
    ],
)
async def test_a_session_gets_the_error_of_the_source(
    connect: Connect, fields: dict[str, Any], code: str, attr: str | None
) -> None:
    assert error(await connect(session=sandbox.SESSION_ID).patch(ME, json=fields)) == (400, code, attr)


@pytest.mark.parametrize("threshold", [case("U26", True), 1])
async def test_true_is_a_number(ada: Client, threshold: Any) -> None:
    response = await ada.patch(ME, json={SETTINGS: {"data_pipeline_error_threshold": threshold}})
    assert response.status_code == 200
    assert response.json()[SETTINGS]["data_pipeline_error_threshold"] == 1.0


@pytest.mark.parametrize("chosen", [case("C28", [True])])
async def test_true_is_the_insight_1(ada: Client, chosen: Any) -> None:
    response = await ada.post(SUBSCRIPTIONS, json=dashboard(dashboard_export_insights=chosen))
    assert (response.status_code, response.json()["dashboard_export_insights"]) == (201, [1])


@pytest.mark.parametrize("target", [case("C30", "https://hooks.example.com/x")])
async def test_no_webhook_stays_enabled(ada: Client, rules: Era, target: str) -> None:
    response = await ada.post(SUBSCRIPTIONS, json=weekly(target_type="webhook", target_value=target))
    if "webhook" in rules.target_types:
        assert (await ada.get(subscription(response.json()["id"]))).json()["enabled"] is False
    else:
        assert error(response) == (400, "invalid_choice", "target_type")


@pytest.mark.parametrize("days", [case("S33", WORKDAYS)])
async def test_monday_to_friday_are_weekdays(ada: Client, days: list[str]) -> None:
    created = await ada.create(frequency="monthly", byweekday=days, bysetpos=1)
    assert created["summary"] == "sent every month on the first weekday"


@pytest.mark.parametrize(
    ("changes", "recipients"),
    [
        case("P04", {"enabled": True}, None),
        case("P05", {"enabled": True, "target_value": "ada@analytical.example,d@x.example"}, ["d@x.example"]),
    ],
)
async def test_enabling_again_sends_to_whom_the_worker_of_the_era_sends(
    app: Starlette, ada: Client, rules: Era, changes: dict[str, Any], recipients: list[str] | None
) -> None:
    assert (await ada.change(PAUSED, **changes)).status_code == 200
    everybody = ["ada@analytical.example"] if rules.sends_when_resumed else None
    expected = recipients or everybody
    assert [row["recipients"] for row in app.state.outbox()] == ([expected] if expected else [])


@pytest.mark.parametrize("value", [case("L01", "fax")])
async def test_an_unknown_channel_is_an_invalid_filter(ada: Client, value: str) -> None:
    rejected = await ada.get(SUBSCRIPTIONS, params={"target_type": value})
    assert error(rejected) == (400, "invalid_input", "target_type")


@pytest.mark.parametrize("search", [case("L07", '"weekly growth"')])
async def test_a_phrase_in_quotes_is_one_term(ada: Client, search: str) -> None:
    assert [row["id"] for row in (await ada.get(SUBSCRIPTIONS, params={"search": search})).json()["results"]] == [1]


@pytest.mark.parametrize("path", [case("H01", NEVER_SHARED)])
async def test_a_recording_that_was_never_shared_shows_a_random_link(connect: Connect, ada: Client, path: str) -> None:
    shown, again = (await ada.get(path)).json(), (await ada.get(path)).json()
    assert (shown["enabled"], shown["created_at"], shown["settings"], shown["share_passwords"]) == (
        False,
        None,
        None,
        [],
    )
    assert len(shown["access_token"]) == 30
    assert shown["access_token"] != again["access_token"]
    assert (await connect().get(f"/shared/{shown['access_token']}")).status_code == 404


@pytest.mark.parametrize("path", [case("H13", GUARDED)])
async def test_a_refresh_without_protection_loses_the_passwords(ada: Client, path: str) -> None:
    await ada.patch(path, json={"password_required": False})
    assert len((await ada.get(path)).json()["share_passwords"]) == 1
    refreshed = await ada.post(path + "refresh/")
    assert (refreshed.status_code, refreshed.json()["share_passwords"]) == (200, [])


@pytest.mark.parametrize("path", [case("W19", ME + "hedgehog_config/")])
async def test_the_first_authenticator_is_in_the_401(connect: Connect, path: str) -> None:
    response = await connect().get(path)
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Session")


@pytest.mark.parametrize("project", [case("W23", 999)])
@pytest.mark.xfail(reason="inferred from one function of the source; the sandbox checks the scope first", strict=True)
async def test_an_unknown_project_returns_404_before_the_scope(connect: Connect, project: int) -> None:
    path = OPEN.replace("projects/1/", f"projects/{project}/")
    assert error(await connect(sandbox.READ_ONLY_KEY).post(path + "refresh/")) == (404, "not_found", None)
