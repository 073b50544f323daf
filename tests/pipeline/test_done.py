"""How the results of writes describe their effects."""

from __future__ import annotations

from typing import Any

import pytest

from core13_mcp.declarations.catalog import load
from core13_mcp.pipeline.confirm import Answer
from core13_mcp.pipeline.projection import project_response
from core13_mcp.pipeline.tolerance import Reply

from ..fake_api import ORIGIN, FakeAPI, call_value, reply

CATALOG = load()


async def agree(_: Any) -> Answer:
    return Answer("accept", confirmed=True)


def done(tool: str, arguments: dict[str, Any], *, before: Any = None, **fields: Any) -> str:
    response = {"id": 7, "enabled": True, "deleted": False, **fields}
    return str(
        project_response(CATALOG[tool], Reply(200, "PATCH", response, before, ORIGIN), arguments, 40_000).value["done"]
    )


@pytest.mark.parametrize(
    ("value", "recipients"),
    [
        ("a@x.example", "1 recipient"),
        ("a@x.example,", "1 recipient"),
        (",a@x.example", "1 recipient"),
        ("a@x.example, ,", "1 recipient"),
        ("a@x.example,b@x.example", "2 recipients"),
        ("a@x.example,b@x.example,", "2 recipients"),
        ("a@x.example,b@x.example,c@x.example", "3 recipients"),
    ],
)
def test_the_effect_has_the_number_of_recipients(value: str, recipients: str) -> None:
    email = {"target_type": "email", "target_value": value}
    for effect in (
        done("subscriptions-create", email, **email),
        done("subscriptions-partial-update", {"id": 7, **email}, **email),
    ):
        assert f" {recipients}" in effect and "1 recipients" not in effect
        assert value not in effect


@pytest.mark.parametrize(
    ("arguments", "fields", "effect"),
    [
        ({"enabled": False}, {"enabled": False}, "It is paused: nothing was sent"),
        ({"enabled": True}, {}, "one may go out now"),
        ({"deleted": True}, {"deleted": True}, "Deleted"),
        ({"deleted": False}, {}, "Restored"),
        ({"title": "x"}, {"deleted": True}, "is deleted and sends nothing"),
        ({"title": "x"}, {}, "Nothing was sent now"),
        ({"target_value": "https://x.example"}, {"target_type": "webhook"}, "delivers nothing to webhooks"),
        ({"target_value": "C1"}, {"target_type": "slack", "target_value": "C1"}, "to the new slack target"),
        ({"insight": 2}, {"target_type": "email"}, "The new content goes out on schedule"),
    ],
)
def test_an_update_describes_its_effect(arguments: dict[str, Any], fields: dict[str, Any], effect: str) -> None:
    assert effect in done("subscriptions-partial-update", {"id": 7, **arguments}, **fields)


@pytest.mark.parametrize(("arguments", "mentioned"), [({}, True), ({"raw_password": "x" * 20}, False)])
def test_only_a_generated_password_is_to_be_handed_on(arguments: dict[str, Any], mentioned: bool) -> None:
    effect = done("session-recordings-sharing-passwords-create", arguments, id=3, password="x" * 20)
    assert ("pass it on now" in effect) is mentioned


@pytest.mark.parametrize("enabled", [True, False])
def test_a_new_link_says_whether_it_can_be_opened(enabled: bool) -> None:
    effect = done("session-recordings-sharing-refresh-create", {}, enabled=enabled)
    assert ("nobody can open it" in effect) is not enabled


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        ("a@x.example, b@x.example", "a@x.example", "Saved: removed 1 recipient, added none. Nothing was sent."),
        ("a@x.example", "a@x.example", "Saved: removed none, added none. Nothing was sent."),
        (
            "a@x.example,b@x.example",
            "c@x.example,d@x.example",
            "Saved: removed 2 recipients, added 2 recipients. Those added get a message now.",
        ),
        (None, "a@x.example", "Saved. It now goes to 1 recipient, who gets a message now if just added."),
    ],
)
@pytest.mark.anyio
async def test_an_update_counts_the_recipients_that_it_changed(before: str | None, after: str, effect: str) -> None:
    stored = {"id": 7, "enabled": True, "deleted": False, "target_type": "email"}
    old = reply(200, {**stored, "target_value": before})
    api = FakeAPI(old, old, reply(200, {**stored, "target_value": after}))
    tool = CATALOG["subscriptions-partial-update"]
    value = await call_value(tool, api, ask=agree, project_id=1, id=7, target_value=after)
    assert value["done"] == effect


@pytest.mark.parametrize(
    "arguments",
    [{"enabled": True}, {"insight": 2}, {"deleted": False}, {"integration_id": 2}, {"target_type": "email"}],
)
def test_an_update_that_can_send_for_another_reason_does_not_say_that_nothing_was_sent(
    arguments: dict[str, Any],
) -> None:
    email = {"target_type": "email", "target_value": "a@x.example"}
    arguments = {"id": 7, "target_value": "a@x.example", **arguments}
    effect = done("subscriptions-partial-update", arguments, before=email, **email)
    assert "othing was sent" not in effect


@pytest.mark.parametrize(("passwords", "mentioned"), [([{"id": 4}], True), ([], False)])
def test_a_new_link_has_its_host_and_mentions_passwords_only_if_there_are_any(
    passwords: list[dict[str, Any]], mentioned: bool
) -> None:
    fields = {"enabled": True, "access_token": "abc-1_2", "share_passwords": passwords}
    effect = done("session-recordings-sharing-refresh-create", {}, **fields)
    assert "https://api.example/shared/abc-1_2. " in effect
    assert ("asswords" in effect) is mentioned


@pytest.mark.anyio
async def test_an_empty_list_of_users_says_nothing_about_another_account() -> None:
    empty = FakeAPI(reply(200, {"count": 0, "results": []}))
    value = await call_value(CATALOG["users-list"], empty, email="c@x.example")
    assert "an empty list says nothing about the account" in value["note"]
    assert "note" not in await call_value(CATALOG["users-list"], FakeAPI(reply(200, {"count": 0, "results": []})))
