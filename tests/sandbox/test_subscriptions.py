"""Subscriptions: fields, rules across fields, lists, limits and soft deletion."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core13_mcp import sandbox
from core13_mcp.sandbox.eras import Era

from . import sandbox_client as seeded
from .conftest import Connect
from .sandbox_client import SUBSCRIPTIONS, Client, Clock, dashboard, edited_sandbox, error, subscription, weekly

pytestmark = pytest.mark.anyio
SHAPE = {
    "id", "dashboard", "insight", "insight_short_id", "resource_name", "dashboard_export_insights", "target_type",
    "target_value", "frequency", "interval", "byweekday", "bysetpos", "count", "start_date", "until_date", "created_at",
    "created_by", "deleted", "enabled", "title", "summary", "next_delivery_date", "integration_id", "invite_message",
    "summary_enabled", "summary_prompt_guide",
}  # fmt: skip
TEAMS_URL = "https://prod-01.westeurope.logic.azure.com/workflows/1/triggers/manual/paths/invoke?sig=secret"
TO_SLACK = {"target_type": "slack", "target_value": "C1234|#general"}


async def test_a_created_subscription_is_returned_with_its_defaults(ada: Client, rules: Era) -> None:
    created = await ada.create()
    assert created.keys() == SHAPE | set(rules.subscription_fields)
    defaults = {"interval": 1, "enabled": True, "deleted": False, "summary_enabled": False, "summary_prompt_guide": ""}
    nothing = dict.fromkeys(("dashboard", "byweekday", "bysetpos", "count", "until_date", "title", "integration_id"))
    assert created.items() >= (defaults | nothing).items()
    assert created["dashboard_export_insights"] == []
    assert (created["insight_short_id"], created["resource_name"]) == ("aB3dE5fG", "Weekly active users")
    assert created["created_at"] == "2026-01-01T12:00:00Z"
    assert (await ada.get(subscription(created["id"]))).json() == created


@pytest.mark.parametrize(
    ("body", "short_id", "name"),
    [
        (weekly(insight=2), "hJ7kL9mN", "Sign-up funnel"),
        (weekly(insight=4), "vW6xY8zA", "Pageview count"),
        (dashboard(), None, "Product growth"),
    ],
)
async def test_a_subscription_shows_the_name_of_its_resource(
    ada: Client, body: dict[str, Any], short_id: str | None, name: str
) -> None:
    created = (await ada.post(SUBSCRIPTIONS, json=body)).json()
    assert (created["insight_short_id"], created["resource_name"]) == (short_id, name)


async def test_an_interval_is_required_or_defaults_to_1(ada: Client, rules: Era) -> None:
    response = await ada.post(SUBSCRIPTIONS, json=weekly(interval=None))
    if rules.interval_required:
        assert error(response) == (400, "required", "interval")
    else:
        assert response.json()["interval"] == 1


async def test_strings_are_trimmed_and_converted_to_numbers_and_booleans(ada: Client) -> None:
    created = await ada.create(title="  Mine ", interval="2", insight="1", enabled="no")
    assert (created["title"], created["interval"], created["insight"], created["enabled"]) == ("Mine", 2, 1, False)


@pytest.mark.parametrize(
    ("changes", "code", "attr"),
    [
        ({"target_type": None}, "required", "target_type"),
        ({"start_date": None}, "required", "start_date"),
        ({"target_type": "fax"}, "invalid_choice", "target_type"),
        ({"target_value": "  "}, "blank", "target_value"),
        ({"target_value": True}, "invalid_input", "target_value"),
        ({"target_value": "a\0b"}, "null_characters_not_allowed", "target_value"),
        ({"target_value": "\ud800"}, "surrogate_characters_not_allowed", "target_value"),
        ({"interval": "often"}, "invalid_input", "interval"),
        ({"interval": 1.5}, "invalid_input", "interval"),
        ({"interval": 0}, "min_value", "interval"),
        ({"count": 2**31}, "max_value", "count"),
        ({"bysetpos": 0, "byweekday": ["monday"]}, "invalid_input", "bysetpos"),
        ({"byweekday": "monday"}, "not_a_list", "byweekday"),
        ({"byweekday": ["monday", "someday"]}, "invalid_choice", "byweekday__1"),
        ({"until_date": "never"}, "invalid_input", "until_date"),
        ({"enabled": "maybe"}, "invalid_input", "enabled"),
        ({"title": "t" * 101}, "max_length", "title"),
        ({"insight": True}, "incorrect_type", "insight"),
    ],
)
async def test_an_invalid_field_is_rejected(ada: Client, changes: dict[str, Any], code: str, attr: str) -> None:
    body = json.dumps(weekly(**changes))
    response = await ada.post(SUBSCRIPTIONS, content=body, headers={"Content-Type": "application/json"})
    assert error(response) == (400, code, attr)


async def test_null_is_accepted_for_nullable_fields_only(ada: Client) -> None:
    for name in ("target_value", "interval", "start_date", "enabled", "dashboard_export_insights"):
        assert await ada.rejection(weekly() | {name: None}) == (400, "null", name)
    nullable = dict.fromkeys(("byweekday", "bysetpos", "until_date", "title", "invite_message", "dashboard"))
    assert (await ada.post(SUBSCRIPTIONS, json=weekly() | nullable)).json().items() >= nullable.items()


@pytest.mark.parametrize(
    ("body", "code", "attr"),
    [
        (weekly(insight=999), "does_not_exist", "insight"),
        (weekly(insight=9**30), "does_not_exist", "insight"),
        (weekly(insight=8), "does_not_exist", "insight"),
        (weekly(insight=9), "invalid_input", "insight"),
        (dashboard(dashboard=999), "does_not_exist", "dashboard"),
        (dashboard(dashboard=3), "invalid_input", "dashboard"),
    ],
)
async def test_a_subscription_requires_one_existing_resource_of_its_project(
    ada: Client, body: dict[str, Any], code: str, attr: str | None
) -> None:
    assert await ada.rejection(body) == (400, code, attr)


async def test_a_subscription_without_a_resource_or_with_two_is_rejected(ada: Client, rules: Era) -> None:
    nothing, both = weekly(insight=None), dashboard(insight=1)
    assert await ada.rejection(nothing) == (400, "invalid_input", rules.missing_resource_attr)
    assert await ada.rejection(both) == (400, "invalid_input", "insight" if rules.names_current_kind else None)


@pytest.mark.parametrize(
    ("key", "changes", "current", "new"),
    [
        (1, {"dashboard": 1}, "insight", "dashboard"),
        (1, {"dashboard": 1, "insight": None}, "insight", "dashboard"),
        (seeded.BOARD, {"insight": 1}, "dashboard", "insight"),
    ],
)
async def test_the_kind_of_a_subscription_cannot_change(
    ada: Client, rules: Era, key: int, changes: dict[str, Any], current: str, new: str
) -> None:
    attr = current if rules.names_current_kind else new
    assert error(await ada.change(key, **changes)) == (400, "invalid_input", attr)


@pytest.mark.parametrize(("key", "field"), [(1, "insight"), (seeded.BOARD, "dashboard")])
async def test_the_resource_of_a_subscription_cannot_be_removed(ada: Client, rules: Era, key: int, field: str) -> None:
    assert error(await ada.change(key, **{field: None})) == (400, "invalid_input", rules.missing_resource_attr)


async def test_the_number_of_exports_is_limited(ada: Client, rules: Era) -> None:
    too_many = list(range(1, rules.max_exports + 2))
    response = await ada.post(SUBSCRIPTIONS, json=dashboard(dashboard_export_insights=too_many))
    assert error(response) == (400, "invalid_input", "dashboard_export_insights")
    assert f"at most {rules.max_exports} insights" in response.json()["detail"]
    six = [1, 2, 3, 4, 5, 6]
    response = await ada.post(SUBSCRIPTIONS, json=dashboard(dashboard_export_insights=[*six, 6, 1]))
    assert response.json()["dashboard_export_insights"] == six


@pytest.mark.parametrize("chosen", [[], "1", ["1"], [1.5], [9], [8], [999]])
async def test_only_insights_of_the_dashboard_can_be_exported(ada: Client, chosen: Any) -> None:
    rejected = (400, "invalid_input", "dashboard_export_insights")
    assert await ada.rejection(dashboard(dashboard_export_insights=chosen)) == rejected
    assert error(await ada.change(seeded.BOARD, dashboard_export_insights=chosen)) == rejected


async def test_exports_belong_to_the_dashboard(ada: Client) -> None:
    rejected = (400, "invalid_input", "dashboard_export_insights")
    assert await ada.rejection(dashboard(dashboard_export_insights=None)) == rejected
    assert await ada.rejection(weekly(dashboard_export_insights=[1])) == rejected
    response = await ada.post(SUBSCRIPTIONS, json=dashboard(dashboard=2, dashboard_export_insights=[1, 4, 5]))
    assert "2 of the insights" in response.json()["detail"]


@pytest.mark.parametrize("integration", [None, 2, 3, 999, 9**30])
async def test_slack_requires_a_slack_integration_of_the_project(ada: Client, integration: int | None) -> None:
    body = weekly(**TO_SLACK) | {"integration_id": integration}
    assert await ada.rejection(body) == (400, "invalid_input", "integration_id")
    rejected = await ada.change(seeded.SLACK, integration_id=integration)
    assert error(rejected) == (400, "invalid_input", "integration_id")


async def test_a_subscription_can_be_enabled_again_only_with_a_working_channel(ada: Client) -> None:
    slack = await ada.create(**TO_SLACK, integration_id=1, enabled=False)
    rejected = await ada.change(slack["id"], enabled=True, integration_id=None)
    assert error(rejected) == (400, "invalid_input", "enabled")
    assert "Reconnect Slack" in rejected.json()["detail"]


@pytest.mark.parametrize("target_type", ["email", "slack", "webhook", "teams"])
async def test_only_the_channels_of_the_era_are_accepted(ada: Client, rules: Era, target_type: str) -> None:
    url = TEAMS_URL if target_type == "teams" else "https://hooks.example.com/x"
    fields = {"target_type": target_type, "target_value": url, "integration_id": 1}
    response = await ada.post(SUBSCRIPTIONS, json=weekly(**fields))
    if target_type in rules.target_types:
        assert response.status_code == 201
        assert await listed(ada, target_type=target_type)
    else:
        assert error(response) == (400, "invalid_choice", "target_type")
        rejected = await ada.get(SUBSCRIPTIONS, params={"target_type": target_type})
        assert error(rejected) == (400, "invalid_input", "target_type")


@pytest.mark.parametrize("era", ["today"])
@pytest.mark.parametrize(
    "url",
    [
        "http://prod-01.westeurope.logic.azure.com/workflows/1", "https://hooks.example.com/x", "not a url",
        "https://user:secret@prod.logic.azure.com/workflows/1", "https://prod.logic.azure.com:8443/workflows/1",
        "https://logic.azure.com/workflows/1", "https://evilpowerautomate.com/x", "https://prod.logic.azure.com:x/",
        "https://prod.logic.azure.com/", "C1234|#general",
    ],
)  # fmt: skip
async def test_a_teams_subscription_requires_a_url_of_a_microsoft_webhook(ada: Client, era: str, url: str) -> None:
    body = weekly(target_type="teams", target_value=url)
    assert await ada.rejection(body) == (400, "invalid_input", "target_value")
    for host in ("a.logic.azure.com:443", "a.webhook.office.com", "a.powerautomate.com", "a.flow.microsoft.com"):
        await ada.create(target_type="teams", target_value=f"https://{host}/workflows/1")


@pytest.mark.parametrize("era", ["page"])
@pytest.mark.parametrize(
    "url",
    [
        "ftp://hooks.example.com/", "hooks.example.com", "https://", "http://127.0.0.1/", "http://[::1]/",
        "http://[::ffff:10.0.0.1]/", "http://metadata.google.internal/", "http://printer.local/", "http://224.0.0.1/",
        "http://host:99999/", "http://[bad/", "http://LOCALHOST./",
    ],
)  # fmt: skip
async def test_a_webhook_requires_a_public_http_address(ada: Client, era: str, url: str) -> None:
    body = weekly(target_type="webhook", target_value=url)
    assert await ada.rejection(body) == (400, "invalid_input", "target_value")
    assert (await ada.create(target_type="webhook", target_value="http://93.184.216.34:8080/"))["enabled"] is True


async def test_a_prompt_guide_requires_the_feature_but_an_empty_one_does_not(connect: Connect) -> None:
    grace, compilers = connect(sandbox.ENTERPRISE_KEY), "/api/projects/4/subscriptions/"
    rejected = await grace.post(compilers, json=weekly(insight=10, summary_prompt_guide="Short."))
    assert error(rejected)[:2] == (403, "permission_denied")
    assert (await grace.post(compilers, json=weekly(insight=10, summary_prompt_guide=""))).status_code == 201


async def test_ai_summaries_require_approval_by_the_organization(database: str, clock: Clock, era: str) -> None:
    disapprove = "update organization set doc = json_set(doc, '$.is_ai_data_processing_approved', json('false'))"
    app = edited_sandbox(database, clock, era, disapprove)
    async with Client(app, sandbox.FULL_KEY) as ada:
        rejected = await ada.post(SUBSCRIPTIONS, json=weekly(summary_enabled=True))
        assert error(rejected) == (403, "permission_denied", None)
        assert (await ada.change(seeded.WITH_SUMMARY, summary_enabled=False)).status_code == 200


async def test_the_limit_of_ai_summaries_applies_to_the_whole_organization(connect: Connect, ada: Client) -> None:
    quota = SUBSCRIPTIONS + "summary_quota/"
    assert (await ada.get(quota)).json() == {"active_count": 1, "limit": 20, "at_limit": False}
    for number in range(19):
        project, insight = ((1, 1), (2, 9))[number % 2]
        body = weekly(insight=insight, summary_enabled=True, enabled=False)
        assert (await ada.post(f"/api/projects/{project}/subscriptions/", json=body)).status_code == 201
    assert (await ada.get(quota)).json() == {"active_count": 20, "limit": 20, "at_limit": True}
    rejected = await ada.post(SUBSCRIPTIONS, json=weekly(summary_enabled=True))
    assert error(rejected) == (402, "quota_limit_exceeded", None)
    assert rejected.json()["type"] == "server_error"
    assert error(await ada.change(1, summary_enabled=True)) == (402, "quota_limit_exceeded", None)
    assert (await ada.change(seeded.WITH_SUMMARY, title="Had one before")).status_code == 200
    await ada.change(seeded.WITH_SUMMARY, deleted=True)
    assert (await ada.change(1, summary_enabled=True)).status_code == 200
    assert error(await ada.change(seeded.WITH_SUMMARY, deleted=False)) == (402, "quota_limit_exceeded", None)
    grace = connect(sandbox.ENTERPRISE_KEY)
    assert (await grace.get("/api/projects/4/subscriptions/summary_quota/")).json()["limit"] == 100


async def test_a_project_can_have_200_subscriptions(ada: Client) -> None:
    for _ in range(195):
        await ada.create(enabled=False)
    rejected = await ada.post(SUBSCRIPTIONS, json=weekly())
    assert error(rejected) == (402, "limit_exceeded", None)
    assert rejected.json()["type"] == "limit_exceeded"
    key = "analytics.max_subscriptions_per_team"
    assert rejected.json()["extra"] == {"limit_key": key, "limit": 200, "current": 200, "request": None}
    await ada.change(1, deleted=True)
    assert (await ada.post(SUBSCRIPTIONS, json=weekly())).status_code == 201


async def test_rules_across_fields_are_checked_in_the_order_of_the_server(ada: Client, rules: Era) -> None:
    body: dict[str, Any] = weekly(**TO_SLACK) | {"summary_enabled": True}
    for _ in range(19):
        await ada.create(summary_enabled=True, enabled=False)
    corrections: list[tuple[dict[str, Any], str | None]] = [
        ({"insight": 9}, "insight"),
        ({"insight": 1, "dashboard_export_insights": [1]}, "dashboard_export_insights"),
        ({"dashboard_export_insights": [], "until_date": "2020-01-01"}, "start_date"),
        ({"until_date": None}, "integration_id"),
        ({"target_type": rules.target_types[2], "target_value": "ftp://x", "integration_id": None}, "target_value"),
        ({"target_value": TEAMS_URL}, None),
    ]
    for correction, attr in corrections:
        body |= correction
        status = 402 if attr is None else 400
        response = await ada.rejection(body)
        assert (response[0], response[2]) == (status, attr)


async def test_a_deleted_subscription_is_not_listed_but_can_be_restored(ada: Client) -> None:
    assert (await ada.change(1, deleted=True)).json()["deleted"] is True
    assert (await ada.get(subscription(1))).json()["deleted"] is True
    assert 1 not in await listed(ada)
    assert await listed(ada, deleted="true") == [seeded.DELETED, 1]
    assert await listed(ada, deleted="false") == await listed(ada)
    assert (await ada.change(1, deleted=False)).status_code == 200
    assert 1 in await listed(ada)


async def test_delete_returns_405_without_a_body_for_any_id(ada: Client) -> None:
    for key in ("1", "999", "abc"):
        response = await ada.delete(f"{SUBSCRIPTIONS}{key}/")
        assert (response.status_code, response.content) == (405, b"")
        assert "DELETE" in response.headers["allow"]
    assert (await ada.get(subscription(1))).json()["deleted"] is False
    assert error(await ada.delete(SUBSCRIPTIONS + "summary_quota/")) == (405, "method_not_allowed", None)


@pytest.mark.parametrize("key", ["999", "abc", str(9**30), "7"])
async def test_an_id_outside_the_project_returns_404(ada: Client, key: str) -> None:
    for method, end in (("GET", ""), ("PATCH", ""), ("POST", "test-delivery/")):
        response = await ada.request(method, f"{SUBSCRIPTIONS}{key}/{end}")
        assert error(response) == (404, "not_found", None)


@pytest.mark.parametrize(
    ("query", "status"),
    [("insight=1", 200), ("insight=2", 404), ("dashboard=1", 404), ("deleted=false", 200), ("deleted=true", 404)],
)
async def test_list_filters_apply_to_a_single_subscription_too(ada: Client, query: str, status: int) -> None:
    assert (await ada.get(f"{subscription(1)}?{query}")).status_code == status
    assert (await ada.patch(f"{subscription(1)}?{query}", json={})).status_code == status
    delivered = await ada.post(f"{subscription(1)}test-delivery/?{query}")
    assert delivered.status_code == (202 if status == 200 else 404)


async def listed(ada: Client, **query: Any) -> list[int]:
    response = await ada.get(SUBSCRIPTIONS, params=query)
    assert response.status_code == 200, response.text
    return [row["id"] for row in response.json()["results"]]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"insight": 2}, [seeded.PAUSED]),
        ({"dashboard": 1}, [seeded.BOARD]),
        ({"resource_type": "dashboard"}, [seeded.BOARD]),
        ({"resource_type": "insight"}, [seeded.SLACK, seeded.WITH_SUMMARY, seeded.PAUSED, 1]),
        ({"target_type": "slack"}, [seeded.SLACK]),
        ({"search": "FUNNEL"}, [seeded.PAUSED]),
        ({"search": "product board"}, [seeded.BOARD]),
        ({"search": "product funnel"}, []),
        ({"search": '"weekly growth"'}, [1]),
        ({"search": "'growth weekly'"}, []),
        ({"search": " , "}, [seeded.SLACK, seeded.BOARD, seeded.WITH_SUMMARY, seeded.PAUSED, 1]),
        ({"ordering": "created_at"}, [1, seeded.PAUSED, seeded.WITH_SUMMARY, seeded.BOARD, seeded.SLACK]),
        ({"ordering": "title"}, [seeded.BOARD, seeded.PAUSED, seeded.WITH_SUMMARY, 1, seeded.SLACK]),
        ({"ordering": "-title"}, [seeded.SLACK, 1, seeded.WITH_SUMMARY, seeded.PAUSED, seeded.BOARD]),
        ({"ordering": "next_delivery_date"}, [seeded.PAUSED, seeded.SLACK, 1, seeded.WITH_SUMMARY, seeded.BOARD]),
        (
            {"ordering": "created_by__email,-created_at"},
            [seeded.SLACK, seeded.BOARD, seeded.WITH_SUMMARY, seeded.PAUSED, 1],
        ),
        ({"ordering": "colour,title"}, [seeded.BOARD, seeded.PAUSED, seeded.WITH_SUMMARY, 1, seeded.SLACK]),
    ],
)
async def test_a_list_can_be_filtered_searched_and_ordered(ada: Client, query: dict[str, Any], ids: list[int]) -> None:
    assert await listed(ada, **query) == ids


async def test_a_list_can_be_filtered_by_creator(connect: Connect, ada: Client) -> None:
    hedy = connect(sandbox.STAFF_KEY)
    made = (await hedy.create())["id"]
    uuid = (await hedy.get("/api/users/@me/")).json()["uuid"]
    assert await listed(ada, created_by=uuid) == [made]
    assert await listed(ada, created_by="00000000-0000-4000-8000-000000000000") == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"created_by": "ada"}, "invalid_input"),
        ({"target_type": "fax"}, "invalid_input"),
        ({"insight": "abc"}, "invalid_input"),
        ({"dashboard": ""}, "invalid_input"),
    ],
)
async def test_an_invalid_filter_is_rejected(ada: Client, query: dict[str, str], code: str) -> None:
    assert error(await ada.get(SUBSCRIPTIONS, params=query)) == (400, code, next(iter(query)))
