"""How the results of writes describe their effects."""

from __future__ import annotations

from typing import Any

import pytest

from core13_mcp.declarations.catalog import load
from core13_mcp.pipeline.projection import project_response
from core13_mcp.pipeline.tolerance import Reply

CATALOG = load()


def done(tool: str, arguments: dict[str, Any], **fields: Any) -> str:
    response = {"id": 7, "enabled": True, "deleted": False, **fields}
    return str(project_response(CATALOG[tool], Reply(200, "PATCH", response), arguments, 40_000).value["done"])


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
