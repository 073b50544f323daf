"""The outbox: which requests send a message, and to whom."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette

from core13_mcp.sandbox.eras import Era

from . import sandbox_client as seeded
from .sandbox_client import Client, Clock, Response, error, subscription

pytestmark = pytest.mark.anyio
TEAM = "ada@analytical.example,charles@analytical.example"


def sent(app: Starlette) -> list[tuple[str, str, list[str]]]:
    return [(row["why"], row["channel"], row["recipients"]) for row in app.state.outbox()]


async def deliver(ada: Client, key: int) -> Response:
    return await ada.post(subscription(key) + "test-delivery/")


async def test_creating_a_subscription_sends_it_with_the_invite_message(app: Starlette, ada: Client) -> None:
    created = await ada.create(target_value=TEAM, invite_message="Have a look", title="Growth")
    assert app.state.outbox() == [
        {
            "id": 1,
            "at": "2026-01-01T12:00:00Z",
            "why": "created",
            "channel": "email",
            "recipients": TEAM.split(","),
            "subscription": created["id"],
            "subject": "Growth",
            "message": "Have a look",
        }
    ]
    assert (await ada.get("/_sandbox/outbox")).json() == app.state.outbox()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"enabled": False}, []),
        ({"deleted": True}, []),
        ({"target_type": "slack", "target_value": "C1|#a", "integration_id": 1}, [("created", "slack", ["C1"])]),
    ],
)
async def test_creating_an_active_subscription_sends_it_to_all_recipients(
    app: Starlette, ada: Client, fields: dict[str, Any], expected: list[tuple[str, str, list[str]]]
) -> None:
    await ada.create(**fields)
    assert sent(app) == expected


@pytest.mark.parametrize(
    ("key", "changes", "expected"),
    [
        (1, {"title": "Another"}, []),
        (1, {"target_value": TEAM + ",new@x.example"}, [("target changed", "email", ["new@x.example"])]),
        (1, {"target_value": "charles@analytical.example,ada@analytical.example"}, []),
        (seeded.SLACK, {"target_value": "C0GROWTH|#renamed"}, [("target changed", "slack", ["C0GROWTH"])]),
        (
            seeded.SLACK,
            {"target_type": "email", "target_value": "a@x.example"},
            [("target changed", "email", ["a@x.example"])],
        ),
        (1, {"target_value": "ada@analytical.example"}, []),
        (seeded.PAUSED, {"enabled": True, "target_value": "ada@analytical.example,a@x.example"},
         [("target changed", "email", ["a@x.example"])]),
        (seeded.PAUSED, {"target_value": "a@x.example"}, []),
        (seeded.PAUSED, {"enabled": True, "deleted": True}, []),
        (1, {"deleted": True, "target_value": "a@x.example"}, []),
        (1, {"enabled": False, "target_value": "a@x.example"}, []),
        (seeded.DELETED, {"target_value": "a@x.example"}, []),
    ],
)  # fmt: skip
async def test_a_new_target_sends_to_new_recipients_only(
    app: Starlette, ada: Client, key: int, changes: dict[str, Any], expected: list[tuple[str, str, list[str]]]
) -> None:
    assert (await ada.change(key, **changes)).status_code == 200
    assert sent(app) == expected


async def test_enabling_again_sends_to_all_recipients_or_to_nobody(app: Starlette, ada: Client, rules: Era) -> None:
    await ada.change(seeded.PAUSED, enabled=True)
    expected = [("re-enabled", "email", ["ada@analytical.example"])] if rules.sends_when_resumed else []
    assert sent(app) == expected


@pytest.mark.parametrize(
    ("key", "changes", "channel", "recipients"),
    [
        (1, {"insight": 2}, "email", TEAM.split(",")),
        (seeded.BOARD, {"dashboard": 2, "dashboard_export_insights": [1]}, "email", ["ada@analytical.example"]),
        (seeded.BOARD, {"dashboard_export_insights": [1]}, "email", ["ada@analytical.example"]),
        (seeded.SLACK, {"target_type": "email"}, "email", ["C0GROWTH|#growth"]),
    ],
)
async def test_new_content_sends_to_all_recipients_or_to_nobody(
    app: Starlette, ada: Client, rules: Era, key: int, changes: dict[str, Any], channel: str, recipients: list[str]
) -> None:
    assert (await ada.change(key, **changes)).status_code == 200
    assert sent(app) == ([("content changed", channel, recipients)] if rules.sends_new_content else [])


async def test_addresses_are_split_at_commas_and_trimmed_if_the_era_does_it(
    app: Starlette, ada: Client, rules: Era
) -> None:
    await ada.create(target_value="a@x.example, b@x.example,a@x.example")
    trimmed, untrimmed = ["a@x.example", "b@x.example"], ["a@x.example", " b@x.example", "a@x.example"]
    assert sent(app) == [("created", "email", trimmed if rules.trims_recipients else untrimmed)]


@pytest.mark.parametrize("era", ["today"])
async def test_a_delivery_to_teams_does_not_show_the_url(app: Starlette, ada: Client, era: str) -> None:
    await ada.create(target_type="teams", target_value="https://a.webhook.office.com/secret")
    assert sent(app) == [("created", "teams", ["a.webhook.office.com"])]
    assert "secret" not in str(app.state.outbox())


@pytest.mark.parametrize("era", ["page"])
async def test_the_first_delivery_of_a_webhook_disables_it(app: Starlette, ada: Client, era: str) -> None:
    created = await ada.create(target_type="webhook", target_value="https://hooks.example.com/x")
    assert created["enabled"] is True
    assert (await ada.get(subscription(created["id"]))).json()["enabled"] is False
    assert sent(app) == [("disabled", "email", ["ada@analytical.example"])]
    assert error(await ada.change(created["id"], enabled=True)) == (400, "invalid_input", "enabled")
    assert (await deliver(ada, created["id"])).status_code == 409


async def test_a_test_delivery_sends_to_all_recipients_and_changes_nothing(app: Starlette, ada: Client) -> None:
    before = (await ada.get(subscription(1))).json()
    # The operation does not read its body.
    malformed: dict[str, Any] = {"content": b"{", "headers": {"Content-Type": "application/json"}}
    response = await ada.post(subscription(1) + "test-delivery/", **malformed)
    assert (response.status_code, response.content) == (202, b"")
    assert sent(app) == [("test", "email", TEAM.split(","))]
    assert (await ada.get(subscription(1))).json() == before


async def test_a_second_test_delivery_within_5_seconds_returns_409(app: Starlette, ada: Client, clock: Clock) -> None:
    await deliver(ada, 1)
    clock.advance(4.9)
    response = await deliver(ada, 1)
    assert (response.status_code, set(response.json())) == (409, {"detail"})
    assert (await deliver(ada, seeded.SLACK)).status_code == 202
    clock.advance(0.1)
    assert (await deliver(ada, 1)).status_code == 202
    assert len(sent(app)) == 3


async def test_a_test_delivery_of_a_paused_deleted_or_unknown_subscription_is_rejected(
    app: Starlette, ada: Client
) -> None:
    paused = await deliver(ada, seeded.PAUSED)
    assert (paused.status_code, set(paused.json())) == (409, {"detail"})
    deleted = await deliver(ada, seeded.DELETED)
    assert (deleted.status_code, deleted.content) == (404, b"")
    assert error(await deliver(ada, 999)) == (404, "not_found", None)
    assert sent(app) == []
