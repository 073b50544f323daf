"""The outbox: which requests send a message, and to whom."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette

from core13_mcp import sandbox

from . import sandbox_client as seeded
from .conftest import Connect
from .sandbox_client import SUBSCRIPTIONS, Client, Clock, Response, error, subscription, weekly

pytestmark = pytest.mark.anyio
TEAM = "ada@analytical.example,charles@analytical.example"


def sent(app: Starlette) -> list[tuple[str, str, list[str]]]:
    return [(row["why"], row["channel"], row["recipients"]) for row in app.state.outbox()]


async def deliver(ada: Client, key: int) -> Response:
    return await ada.post(subscription(key) + "test-delivery/")


async def test_the_outbox_is_empty_at_first(app: Starlette) -> None:
    assert app.state.outbox() == []


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


@pytest.mark.parametrize("changes", [{"enabled": False}, {"deleted": True}, {"enabled": False, "deleted": True}])
async def test_creating_a_paused_or_deleted_subscription_sends_nothing(
    app: Starlette, ada: Client, changes: dict[str, bool]
) -> None:
    await ada.create(**changes)
    assert sent(app) == []


async def test_addresses_are_split_at_commas_and_not_trimmed(app: Starlette, ada: Client) -> None:
    await ada.create(target_value="a@x.example, not an address")
    assert sent(app) == [("created", "email", ["a@x.example", " not an address"])]


async def test_slack_is_sent_to_the_channel_before_the_bar(app: Starlette, ada: Client) -> None:
    await ada.create(target_type="slack", target_value="C1234|#general", integration_id=1)
    assert sent(app) == [("created", "slack", ["C1234"])]


async def test_nothing_is_sent_to_a_webhook(app: Starlette, ada: Client) -> None:
    hook = await ada.create(target_type="webhook", target_value="https://hooks.example.com/x")
    assert (await deliver(ada, hook["id"])).status_code == 202
    assert sent(app) == []


@pytest.mark.parametrize(
    ("key", "changes", "expected"),
    [
        (1, {"title": "Another"}, []),
        (1, {"frequency": "daily"}, []),
        (1, {"target_value": TEAM}, []),
        (1, {"target_value": TEAM + ",new@x.example"}, [("target changed", "email", ["new@x.example"])]),
        (1, {"target_value": "ada@analytical.example"}, []),
        (1, {"target_value": "charles@analytical.example,ada@analytical.example"}, []),
        (seeded.SLACK, {"target_value": "C2"}, [("target changed", "slack", ["C2"])]),
        (seeded.SLACK, {"target_value": "C0GROWTH|#renamed"}, [("target changed", "slack", ["C0GROWTH"])]),
        (
            seeded.SLACK,
            {"target_type": "email", "target_value": "a@x.example"},
            [("target changed", "email", ["a@x.example"])],
        ),
        (seeded.SLACK, {"target_type": "email"}, []),
        (seeded.PAUSED, {"enabled": True}, [("re-enabled", "email", ["ada@analytical.example"])]),
        (seeded.PAUSED, {"enabled": True, "target_value": "a@x.example"}, [("re-enabled", "email", ["a@x.example"])]),
        (seeded.PAUSED, {"target_value": "a@x.example"}, []),
        (seeded.PAUSED, {"enabled": True, "deleted": True}, []),
        (1, {"deleted": True, "target_value": "a@x.example"}, []),
        (1, {"enabled": False, "target_value": "a@x.example"}, []),
        (seeded.DELETED, {"deleted": False}, []),
        (seeded.DELETED, {"target_value": "a@x.example"}, []),
        (seeded.BOARD, {"dashboard_export_insights": [3]}, []),
    ],
)
async def test_a_change_sends_to_new_recipients_and_enabling_again_to_all(
    app: Starlette, ada: Client, key: int, changes: dict[str, Any], expected: list[tuple[str, str, list[str]]]
) -> None:
    assert (await ada.change(key, **changes)).status_code == 200
    assert sent(app) == expected


async def test_a_changed_target_receives_the_invite_message(app: Starlette, ada: Client) -> None:
    await ada.change(1, target_value="new@x.example", invite_message="Welcome")
    assert app.state.outbox()[0]["message"] == "Welcome"


async def test_a_test_delivery_sends_to_all_recipients_and_returns_no_body(app: Starlette, ada: Client) -> None:
    response = await deliver(ada, 1)
    assert (response.status_code, response.content) == (202, b"")
    assert sent(app) == [("test", "email", TEAM.split(","))]


async def test_a_test_delivery_does_not_change_the_next_delivery_date(ada: Client) -> None:
    before = (await ada.get(subscription(1))).json()
    await deliver(ada, 1)
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


async def test_a_test_delivery_ignores_its_body(ada: Client) -> None:
    response = await ada.post(
        subscription(1) + "test-delivery/", content=b"{", headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 202


async def test_sessions_and_tokens_send_too(app: Starlette, connect: Connect) -> None:
    for caller in (connect(session=sandbox.SESSION_ID), connect(sandbox.OAUTH_TOKEN)):
        assert (await caller.post(SUBSCRIPTIONS, json=weekly())).status_code == 201
    assert [row["subscription"] for row in app.state.outbox()] == [9, 10]
