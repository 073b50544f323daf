"""Titles, names, notes and messages are text of other people: everywhere they stay data."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from core13_mcp.declarations.catalog import load
from core13_mcp.pipeline.confirm import Answer, refusal
from core13_mcp.pipeline.masking import mask_urls
from core13_mcp.pipeline.projection import project_response
from core13_mcp.pipeline.question import find_confirmation, render_question
from core13_mcp.pipeline.tolerance import Reply
from core13_mcp.text import quote, strip_invisible

from ..clients import result_text
from ..fake_api import FakeAPI, call_error, reply

pytestmark = pytest.mark.anyio

CATALOG = load()
HARMLESS = "Weekly growth"
INJECTIONS: list[str] = json.loads((Path(__file__).parent / "poisoned.json").read_text("utf-8"))

# Format characters that are visible, because they enclose the digits behind them.
VISIBLE_FORMAT_CHARACTERS = set(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
)

each_injection = pytest.mark.parametrize("injection", INJECTIONS, ids=lambda text: ascii(text)[:40])


def strings(value: Any) -> Iterator[str]:
    """Return every string in a JSON value, including property names."""
    match value:
        case str():
            yield value
        case dict():
            for name, part in value.items():
                yield name
                yield from strings(part)
        case list():
            for part in value:
                yield from strings(part)


def invisible(text: str) -> set[str]:
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in "\t\r\n"}


async def call(mcp: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await mcp.call_tool(tool, arguments)
    assert not result.is_error, result_text(result)
    assert json.loads(result_text(result)) == result.structured_content
    return dict(result.structured_content or {})


async def results_for(mcp: Client, title: str) -> list[dict[str, Any]]:
    """Return the results of all tools that show the title of a new subscription."""
    subscription = {"insight": 1, "target_type": "email", "target_value": "a@b.example", "frequency": "weekly"}
    subscription |= {"start_date": "2030-01-07T09:00:00Z", "enabled": False, "title": title}
    created = await call(mcp, "subscriptions-create", project_id=1, **subscription)
    one = {"id": created["id"], "project_id": 1}
    return [
        created,
        await call(mcp, "subscriptions-retrieve", **one),
        await call(mcp, "subscriptions-retrieve", **one, detail="full"),
        await call(mcp, "subscriptions-list", limit=1),
        await call(mcp, "subscriptions-partial-update", **one, enabled=True),
        await call(mcp, "subscriptions-test-delivery-create", **one),
        await call(mcp, "subscriptions-destroy", **one),
    ]


def without(value: Any, names: tuple[str, ...]) -> Any:
    """Remove properties from a JSON value."""
    match value:
        case dict():
            return {name: without(part, names) for name, part in value.items() if name not in names}
        case list():
            return [without(part, names) for part in value]
        case _:
            return value


@each_injection
async def test_a_title_changes_nothing_but_the_title_in_any_result(mcp: Client, injection: str) -> None:
    def comparable(results: list[dict[str, Any]]) -> str:
        number = results[0]["id"]
        text = json.dumps(without(results, ("title", "id", "created_at")))
        return text.replace(f" {number} ", " N ").replace(f"id={number}", "id=N")

    with anyio.fail_after(20):
        harmless = await results_for(mcp, HARMLESS)
        injected = await results_for(mcp, injection)
    assert comparable(injected) == comparable(harmless)
    titles = [result["title"] for result in injected if "title" in result]
    assert titles == [strip_invisible(injection)] * 5
    assert not set().union(*(invisible(text) for result in injected for text in strings(result)))


@each_injection
async def test_a_message_of_the_api_stays_in_the_first_line_of_an_error(injection: str) -> None:
    async def error_lines(message: str) -> list[str]:
        body = {"type": "x", "code": "not_found", "detail": message, "attr": message}
        return str(await call_error(CATALOG["subscriptions-retrieve"], FakeAPI(reply(404, body)), id=1)).split("\n")

    injected, harmless = await error_lines(injection), await error_lines(HARMLESS)
    assert injected[1:] == harmless[1:]
    assert len(injected) <= 4
    assert not invisible("\n".join(injected))
    assert mask_urls(quote(injection.rstrip("."))) in injected[0]


@each_injection
async def test_the_name_of_a_project_stays_in_the_first_line_of_an_error(injection: str) -> None:
    async def error_lines(name: str) -> list[str]:
        account = reply(200, {"team": {"id": 1, "name": name}})
        return str(await call_error(CATALOG["subscriptions-destroy"], FakeAPI(account), id=1)).split("\n")

    injected, harmless = await error_lines(injection), await error_lines(HARMLESS)
    assert injected[1:] == harmless[1:]
    assert len(injected) == len(harmless) <= 4
    assert len(injected[0]) < 200 and not invisible(injected[0])


@each_injection
def test_a_question_is_one_line_also_in_the_error_if_it_cannot_be_asked(injection: str) -> None:
    confirm = find_confirmation(CATALOG["subscriptions-test-delivery-create"], {"id": 1})
    assert confirm is not None
    subscription = {"title": injection, "target_value": "a@b.example", "target_type": "email"}
    question = render_question(confirm, {"id": 1}, subscription)
    text = question.text
    assert text.startswith("Send subscription 1") and "right now by email to a@b.example? " in text
    assert "\n" not in text and not invisible(text)
    quoted = f'The question: "{text}"'
    for answer in ("client", Answer("cancel")):
        error = refusal("things-do", question, answer, "K7QX-2MPD-4A9T", None)
        assert str(error).partition("\n")[0].endswith(quoted)


@each_injection
def test_the_list_of_omitted_fields_has_no_name_that_is_a_sentence(injection: str) -> None:
    config = strip_invisible({injection: "x" * 2000, "color": "red"})
    result = project_response(CATALOG["users-hedgehog-config-retrieve"], Reply(200, "GET", config), {}, 1000).value
    name = strip_invisible(injection) if strip_invisible(injection).isalnum() else "a field"
    assert result["omitted"].startswith(f"{name}: too long for one result")


def test_every_invisible_character_is_removed() -> None:
    everything = "".join(map(chr, range(0x110000)))
    assert invisible(strip_invisible(everything)) == VISIBLE_FORMAT_CHARACTERS
