"""What only today's version of the API has. The table of differences lists it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.applications import Starlette

from core13_mcp import sandbox

from . import sandbox_client as seeded
from .conftest import Connect
from .sandbox_client import (
    GUARDED,
    ME,
    NEVER_SHARED,
    SUBSCRIPTIONS,
    Client,
    Clock,
    edited_sandbox,
    error,
    subscription,
    weekly,
)

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("era", ["today"])]
KERNEL = "/api/projects/3/subscriptions/"
PROMPT = "Which pages lost visitors this week?"
LOCK = {"setting": "plugin_disabled", "scope_id": "", "locked_value": True}
SCOPED_LOCK = {"setting": "project_weekly_digest_disabled", "scope_id": "1", "locked_value": False}


def hobby(**fields: Any) -> dict[str, Any]:
    return weekly(insight=None, prompt=PROMPT) | {"target_value": "linus@hobby.example"} | fields


async def test_the_free_plan_limits_the_number_of_subscriptions(database: str, clock: Clock, era: str) -> None:
    insight = 'insert into insight values (20, 3, \'{"short_id": "a", "name": "Boots", "deleted": false}\')'
    async with Client(edited_sandbox(database, clock, era, insight), sandbox.FREE_KEY) as linus:
        made = [(await linus.post(KERNEL, json=weekly(insight=20))).json()["id"] for _ in range(2)]
        limit = (400, "invalid_input", "subscription")
        response = await linus.post(KERNEL, json=weekly(insight=20))
        assert error(response) == limit
        assert response.json()["detail"] == "Your plan is limited to 2 subscriptions."
        assert (await linus.patch(f"{KERNEL}{made[0]}/", json={"deleted": True})).status_code == 200
        assert (await linus.post(KERNEL, json=weekly(insight=20))).status_code == 201
        assert error(await linus.patch(f"{KERNEL}{made[0]}/", json={"deleted": False})) == limit
        assert (await linus.patch(f"{KERNEL}{made[1]}/", json={"title": "Kept"})).status_code == 200


async def test_used_up_ai_credits_refuse_a_new_summary(database: str, clock: Clock, era: str) -> None:
    used_up = "update organization set doc = json_set(doc, '$.ai_credits_used_up', json('true'))"
    async with Client(edited_sandbox(database, clock, era, used_up), sandbox.FULL_KEY) as ada:
        rejected = await ada.change(1, summary_enabled=True)
        assert error(rejected) == (402, "quota_limit_exceeded", None)
        assert "AI credit" in rejected.json()["detail"]
        assert (await ada.change(seeded.WITH_SUMMARY, title="Had one before")).status_code == 200


async def test_a_prompt_is_a_third_kind_of_subscription(app: Starlette, ada: Client, era: str) -> None:
    created = await ada.create(insight=None, prompt=f" {PROMPT} ")
    shown = (created["resource_type"], created["prompt"], created["resource_name"], created["insight"])
    assert shown == ("ai_prompt", PROMPT, PROMPT, None)
    rows = (await ada.get(SUBSCRIPTIONS, params={"resource_type": "ai_prompt"})).json()["results"]
    assert [row["id"] for row in rows] == [created["id"]]
    assert (await ada.get(subscription(1))).json()["resource_type"] == "insight"
    assert (await ada.get(subscription(seeded.BOARD))).json()["resource_type"] == "dashboard"
    await ada.change(created["id"], prompt="Another question")
    assert [row["why"] for row in app.state.outbox()] == ["created", "content changed"]


@pytest.mark.parametrize(
    ("fields", "attr"),
    [
        ({"prompt": PROMPT, "insight": 1}, "insight"),
        ({"prompt": PROMPT, "insight": None, "dashboard": 1}, "dashboard"),
        ({"prompt": " ", "insight": None}, None),
        ({"prompt": PROMPT, "insight": None, "target_type": "teams"}, "target_type"),
    ],
)
async def test_an_invalid_prompt_subscription_is_rejected(
    ada: Client, era: str, fields: dict[str, Any], attr: str | None
) -> None:
    assert await ada.rejection(weekly(**fields)) == (400, "invalid_input", attr)
    long = await ada.rejection(weekly(insight=None, prompt="p" * 4001))
    assert long == (400, "max_length", "prompt")


async def test_a_prompt_requires_the_approval_of_the_organization(connect: Connect, era: str) -> None:
    response = await connect(sandbox.FREE_KEY).post(KERNEL, json=hobby())
    assert error(response) == (400, "invalid_input", None)
    assert "approve" in response.json()["detail"]


async def test_writes_to_a_prompt_subscription_require_a_second_scope(connect: Connect, ada: Client, era: str) -> None:
    key = (await ada.create(insight=None, prompt=PROMPT))["id"]
    narrow = connect(sandbox.LEGACY_KEY)
    responses = [
        await narrow.post(SUBSCRIPTIONS, json=weekly(insight=None, prompt=PROMPT)),
        await narrow.change(key, title="T"),
        await narrow.post(subscription(key) + "test-delivery/"),
    ]
    for response in responses:
        assert error(response) == (403, "permission_denied", None)
        assert response.json()["detail"] == "API key missing required scope 'query:read'"
    assert (await narrow.get(subscription(key))).status_code == 200
    assert (await narrow.change(1, title="T")).status_code == 200


async def test_a_user_has_newer_fields(connect: Connect, ada: Client, era: str) -> None:
    user = (await ada.get(ME)).json()
    newer = ("fresh_reauth_expires_at", "notification_locks", "ui_configuration", "is_impersonated_reason")
    assert [user[name] for name in newer] == [None, [], None, None]
    assert (await ada.patch(ME, json={"ui_configuration": {"a": 1}})).json()["ui_configuration"] == {"a": 1}
    assert error(await ada.patch(ME, json={"ui_configuration": []})) == (400, "invalid_input", "ui_configuration")
    session = (await connect(session=sandbox.SESSION_ID).get(ME)).json()
    assert session["fresh_reauth_expires_at"] == "2026-01-01T12:05:00Z"


async def test_a_locked_notification_setting_cannot_change(database: str, clock: Clock, era: str) -> None:
    locks = f"update organization set doc = json_set(doc, '$.notification_locks', json('{json.dumps([LOCK, SCOPED_LOCK])}'))"
    async with Client(edited_sandbox(database, clock, era, locks), sandbox.FULL_KEY) as ada:
        assert (await ada.get(ME)).json()["notification_locks"] == [LOCK, SCOPED_LOCK]
        for settings in ({"plugin_disabled": False}, {"project_weekly_digest_disabled": {"1": True}}):
            rejected = await ada.patch(ME, json={"notification_settings": settings})
            assert error(rejected) == (400, "permission_denied", "notification_settings")
        for settings in ({"plugin_disabled": True}, {"project_weekly_digest_disabled": {"2": True}}):
            assert (await ada.patch(ME, json={"notification_settings": settings})).status_code == 200


async def test_an_organization_can_require_a_verified_domain(database: str, clock: Clock, era: str) -> None:
    strict = "update organization set doc = json_set(doc, '$.verified_domains', json('[\"analytical.example\"]'))"
    async with Client(edited_sandbox(database, clock, era, strict), sandbox.FREE_KEY) as linus:
        own = (await linus.get(ME)).json()["organization"]["id"]
        rejected = await linus.patch(ME, json={"set_current_organization": own})
        assert error(rejected) == (400, "verified_domain_required", "set_current_organization")
    async with Client(sandbox.build(database, clock=clock, era=era), sandbox.FULL_KEY) as ada:
        own = (await ada.get(ME)).json()["organization"]["id"]
        assert (await ada.patch(ME, json={"set_current_organization": own})).status_code == 200


async def test_switching_sharing_off_ends_old_links_and_on_again_creates_a_new_one(
    connect: Connect, ada: Client, era: str
) -> None:
    await ada.patch(GUARDED, json={"password_required": False})
    old = (await ada.get(GUARDED)).json()["access_token"]
    current = (await ada.post(GUARDED + "refresh/")).json()["access_token"]
    assert (await connect().get(f"/shared/{old}")).status_code == 200
    assert (await ada.patch(GUARDED, json={"enabled": False})).json()["access_token"] == current
    assert (await connect().get(f"/shared/{old}")).status_code == 404
    renewed = (await ada.patch(GUARDED, json={"enabled": True})).json()["access_token"]
    assert renewed not in (old, current)
    assert [(await connect().get(f"/shared/{token}")).status_code for token in (old, current, renewed)] == [
        404,
        404,
        200,
    ]
    first = (await ada.post(NEVER_SHARED + "refresh/")).json()["access_token"]
    assert (await ada.patch(NEVER_SHARED, json={"enabled": True})).json()["access_token"] == first
