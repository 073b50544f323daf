"""The question to a person names everything that a call does, and its effect everything that decides about it."""

from __future__ import annotations

from typing import Any

import pytest

from core13_mcp.declarations.catalog import load
from core13_mcp.pipeline.question import Question, find_confirmation, render_question

from ..factories import make_tool

CATALOG = load()
TOOL = make_tool(
    "PATCH",
    properties={
        "id": {},
        "loud": {},
        "to": {},
        "at": {"type": "string", "format": "date-time"},
        "fast": {"default": True},
        "password": {},
        "detail": {},
    },
    secrets=["password"],
    confirm=[
        {"level": "ask", "title": "Go on", "say": "Go on with {answer.name}?"},
        {
            "level": "require",
            "when": {"required": ["loud"]},
            "title": "Shout {arguments.loud} times",
            "say": "Shout {arguments.loud} times.",
        },
        {
            "level": "ask",
            "when": {"required": ["to"]},
            "title": "Send it",
            "say": "Send to {arguments.to:recipients since answer.to}.",
        },
    ],
)


def ask(arguments: dict[str, Any], answer: Any = None, tool: Any = TOOL) -> Question | None:
    confirmation = find_confirmation(tool, arguments)
    confirmation = confirmation and confirmation.applying_to(answer or {})
    return render_question(confirmation, arguments, answer) if confirmation else None


def question(arguments: dict[str, Any], answer: Any = None, tool: Any = TOOL) -> Question:
    asked = ask(arguments, answer, tool)
    assert asked is not None
    return asked


@pytest.mark.parametrize(("arguments", "level"), [({"loud": 1}, "require"), ({}, "ask")])
def test_the_strictest_level_of_all_confirmations_that_apply_is_used(arguments: dict[str, Any], level: str) -> None:
    confirmation = find_confirmation(TOOL, arguments)
    assert confirmation is not None and confirmation.level == level


def test_a_call_without_a_confirmation_that_applies_has_no_question() -> None:
    assert find_confirmation(CATALOG["subscriptions-create"], {"enabled": False}) is None


def test_the_question_names_every_effect_of_the_call() -> None:
    assert question({}, {"name": "Ada"}).text == "Go on with “Ada”?"
    assert question({"loud": 2, "to": "a@x"}, {"name": "Ada", "to": "b@x"}).text == (
        "Go on with “Ada”? Shout 2 times. Send to a@x (added: a@x; removed: b@x)."
    )
    assert question({}).text == "Go on with unknown?"


def test_the_question_names_every_argument_that_no_effect_mentions() -> None:
    arguments = {"id": 3, "at": "2026-01-05T09:00:00+02:00", "fast": True, "password": "x", "detail": "full"}
    assert question(arguments).text == (
        "Go on with unknown? Also in this call: id 3, at 2026-01-05 07:00 UTC, password (not shown)."
    )
    assert question({"fast": False}).text.endswith(" Also in this call: fast false.")


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        ({}, "Go on"),
        ({"to": "a@x"}, "Go on, and 1 more change"),
        ({"to": "a@x", "loud": 3}, "Shout 3 times, and 2 more changes"),
        ({"loud": "x" * 100}, f"Shout “{'x' * 52}…, and 1 more change"),
    ],
)
def test_the_title_names_the_strictest_change_and_the_number_of_others(arguments: dict[str, Any], title: str) -> None:
    assert question(arguments).title == title


def test_a_question_without_a_title_has_that_of_the_tool() -> None:
    tool = make_tool("POST", confirm=[{"level": "ask", "say": "Really?"}])
    assert question({}, tool=tool).title == "Do a thing"


MANY = ",".join(f"a{number}@x.example" for number in range(300))


@pytest.mark.parametrize(
    ("arguments", "answer", "is_same"),
    [
        ({}, {}, True),
        ({}, {"next_delivery_date": "2030-01-01"}, True),
        ({"detail": "full"}, {}, True),
        ({"id": 4}, {}, False),
        ({"at": "2026-01-05T09:00:01Z"}, {}, False),
        ({"loud": 1}, {}, False),
        ({"to": f"{MANY},thief@x.example"}, {}, False),
        ({}, {"to": f"{MANY},thief@x.example"}, False),
        ({}, {"name": "A" * 400 + "B"}, False),
    ],
)
def test_an_effect_has_all_values_that_decide_about_it_uncut(
    arguments: dict[str, Any], answer: dict[str, Any], is_same: bool
) -> None:
    before = question({"id": 3, "to": MANY}, {"name": "A" * 400 + "C", "to": MANY})
    after = question({"id": 3, "to": MANY, **arguments}, {"name": "A" * 400 + "C", "to": MANY, **answer})
    assert (after.effect == before.effect) is is_same


def test_an_entry_with_an_empty_title_only_adds_to_the_text_of_others() -> None:
    entries = [
        {"level": "ask", "title": "", "say": "More."},
        {"level": "ask", "when": {"required": ["id"]}, "say": "A?"},
    ]
    tool = make_tool("POST", confirm=entries)
    assert ask({}, tool=tool) is None
    asked = question({"id": 1}, tool=tool)
    assert asked.text == "More. A? Also in this call: id 1." and asked.title == "Do a thing"


def test_an_argument_whose_schema_is_true_is_named() -> None:
    tool = make_tool(
        "POST",
        properties={"id": True, "list": {"type": "array", "items": True}, "to": {}},
        confirm=[{"level": "ask", "say": "Send to {arguments.to:count}?"}],
    )
    text = question({"id": "x", "list": ["y"], "to": "a@x"}, tool=tool).text
    assert text == "Send to 1? Also in this call: id “x”, list “y”, to “a@x”."


def test_an_effect_has_no_secret() -> None:
    assert "tiger" not in question({"password": "tiger"}).effect


SUBSCRIPTION = {"title": "Weekly", "target_type": "email", "target_value": "ada@x.example", "enabled": False}


@pytest.mark.parametrize(
    ("arguments", "title", "texts"),
    [
        (
            {"target_value": "bob@x.example", "insight": 99, "enabled": True},
            "Send it to 1 recipient from now on, and 2 more changes",
            ["added: bob@x.example; removed: ada@x.example", "insight 99", "It is switched on"],
        ),
        (
            {"dashboard": 2, "dashboard_export_insights": [3, 4]},
            "Change what it delivers, and 1 more change",
            ["dashboard 2", "3, 4", "goes to ada@x.example"],
        ),
        (
            {"target_type": "slack", "target_value": "C1|#x", "integration_id": 5},
            "Send it to 1 recipient from now on, and 2 more changes",
            ["C1 (label “#x”)", "by slack (until now: email)", "integration 5"],
        ),
        ({"deleted": False, "title": "New"}, "Restore it", ["It is restored", "title “New”", "goes to ada@x.example"]),
        ({"enabled": True, "frequency": "daily"}, "Switch it on", ["paused", "goes to ada@x.example", "frequency daily"]),
    ],
)  # fmt: skip
def test_a_change_of_a_subscription_has_one_question_about_all_effects(
    arguments: dict[str, Any], title: str, texts: list[str]
) -> None:
    asked = question({"id": 1, **arguments}, SUBSCRIPTION, CATALOG["subscriptions-partial-update"])
    assert asked.title == title
    assert asked.text.startswith("Change subscription 1 (title: “Weekly”; paused; by email)? It goes to ")
    assert [text for text in texts if text not in asked.text] == []


@pytest.mark.parametrize(
    "arguments",
    [{"title": "x"}, {"enabled": False, "target_value": "b@x"}, {"deleted": True, "insight": 2}, {"clear": ["title"]}],
)
def test_a_change_that_delivers_nothing_has_no_question(arguments: dict[str, Any]) -> None:
    assert find_confirmation(CATALOG["subscriptions-partial-update"], {"id": 1, **arguments}) is None


ON = {**SUBSCRIPTION, "enabled": True, "deleted": False, "next_delivery_date": "2030-01-01T09:00:00Z"}


@pytest.mark.parametrize(
    ("arguments", "answer", "title"),
    [
        ({"enabled": True}, ON, None),
        ({"enabled": True}, ON | {"enabled": False}, "Switch it on"),
        ({"deleted": False}, ON, None),
        ({"deleted": False}, ON | {"deleted": True}, "Restore it"),
        ({"until_date": "2030-01-01T09:00:00Z"}, ON, None),
        ({"until_date": "2030-01-01T09:00:00Z"}, ON | {"next_delivery_date": None}, "Start its deliveries again"),
        ({"clear": ["count"]}, ON | {"next_delivery_date": None}, "Start its deliveries again"),
        ({"clear": ["count"]}, ON | {"next_delivery_date": None, "enabled": False}, None),
        ({"clear": ["title"]}, ON | {"next_delivery_date": None}, None),
    ],
)
def test_whether_a_question_is_asked_depends_on_the_present_state(
    arguments: dict[str, Any], answer: dict[str, Any], title: str | None
) -> None:
    asked = ask({"id": 1, **arguments}, answer, CATALOG["subscriptions-partial-update"])
    assert (asked and asked.title) == title


@pytest.mark.parametrize(
    ("tool", "arguments", "answer", "warning"),
    [
        ("subscriptions-test-delivery-create", {}, ON, None),
        ("subscriptions-test-delivery-create", {}, ON | {"enabled": False}, "It is paused, so PostHog refuses this."),
        ("subscriptions-test-delivery-create", {}, ON | {"deleted": True}, "It is deleted, so PostHog refuses this."),
        ("subscriptions-create", {"target_type": "email"}, None, None),
        ("subscriptions-create", {"target_type": "webhook"}, None, "PostHog delivers nothing to webhooks."),
        ("subscriptions-partial-update", {"target_type": "email"}, ON, None),
        ("subscriptions-partial-update", {"target_type": "webhook"}, ON, "PostHog delivers nothing to webhooks."),
    ],
)
def test_the_question_states_that_a_delivery_cannot_happen(
    tool: str, arguments: dict[str, Any], answer: Any, warning: str | None
) -> None:
    text = question({"id": 1, "target_value": "https://x.example", **arguments}, answer, CATALOG[tool]).text
    warnings = ["so PostHog refuses this.", "PostHog delivers nothing to webhooks."]
    assert (warning in text) if warning else not any(part in text for part in warnings)
