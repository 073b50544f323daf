"""Titles, names, notes and messages were written by other people: they are data, wherever they turn up."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.types import TextContent

from core13_mcp.declarations.catalog import load
from core13_mcp.errors import Declined
from core13_mcp.pipeline.confirm import find_confirmation, render_question, require_accepted
from core13_mcp.pipeline.projection import project_response
from core13_mcp.text import single_line, strip_invisible

from ..fake_api import FakeAPI, call_error, reply

pytestmark = pytest.mark.anyio

CATALOG = load()
HARMLESS = "Weekly growth"
POISONED: list[str] = json.loads((Path(__file__).parent / "poisoned.json").read_text("utf-8"))
NUMBER_SIGNS = {
    "\u0600",
    "\u0601",
    "\u0602",
    "\u0603",
    "\u0604",
    "\u0605",
    "\u06dd",
    "\u070f",
    "\u0890",
    "\u0891",
    "\u08e2",
}
NUMBER_SIGNS |= {"\U000110bd", "\U000110cd"}
"""Format characters that are seen: they enclose the digits after them."""


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value, including property names."""
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


each_poison = pytest.mark.parametrize("poison", POISONED, ids=lambda poison: ascii(poison)[:40])


def unseen(text: str) -> set[str]:
    """Everything in a text that shows nothing."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in "\t\r\n"}


async def answered(mcp: Client, tool: str, **arguments: Any) -> tuple[dict[str, Any], str]:
    """A result as the program and as the model reads it."""
    answer = await mcp.call_tool(tool, arguments)
    said = answer.content[0]
    assert isinstance(said, TextContent) and not answer.is_error, said
    assert json.loads(said.text) == answer.structured_content
    return dict(answer.structured_content or {}), said.text


async def story(mcp: Client, title: str) -> list[dict[str, Any]]:
    """What every tool that shows a title answers about one with this title."""
    new = {"insight": 1, "target_type": "email", "target_value": "a@b.example", "frequency": "weekly"}
    made, _ = await answered(
        mcp, "subscriptions-create", project_id=1, start_date="2030-01-07T09:00:00Z", enabled=False, title=title, **new
    )
    one = {"id": made["id"], "project_id": 1}
    found = [
        made,
        (await answered(mcp, "subscriptions-retrieve", **one))[0],
        (await answered(mcp, "subscriptions-retrieve", **one, detail="full"))[0],
        (await answered(mcp, "subscriptions-list", limit=1))[0],
        (await answered(mcp, "subscriptions-partial-update", **one, enabled=True))[0],
        (await answered(mcp, "subscriptions-test-delivery-create", **one))[0],
        (await answered(mcp, "subscriptions-destroy", **one))[0],
    ]
    return found


def without(value: Any, names: tuple[str, ...]) -> Any:
    """A value without what differs from one creation to the next."""
    match value:
        case dict():
            return {name: without(part, names) for name, part in value.items() if name not in names}
        case list():
            return [without(part, names) for part in value]
        case _:
            return value


@each_poison
async def test_a_poisoned_title_changes_nothing_but_the_title_and_shows_all_of_itself(mcp: Client, poison: str):
    with anyio.fail_after(20):
        harmless = await story(mcp, HARMLESS)
        poisoned = await story(mcp, poison)
    differing = ("title", "id", "created_at")
    number = {harmless[0]["id"]: "N", poisoned[0]["id"]: "N"}

    def told(found: list[dict[str, Any]]) -> str:
        said = json.dumps(without(found, differing))
        for each, name in number.items():
            said = said.replace(f" {each} ", f" {name} ").replace(f"id={each}", f"id={name}")
        return said

    assert told(poisoned) == told(harmless)
    titles = [answer["title"] for answer in poisoned if "title" in answer]
    assert titles == [strip_invisible(poison)] * 5
    assert not set().union(*(unseen(text) for answer in poisoned for text in strings(answer)))


@each_poison
async def test_the_words_of_the_api_stay_in_the_first_line_of_an_error(poison: str):
    tool = CATALOG["subscriptions-retrieve"]

    async def said(words: str) -> list[str]:
        body = {"type": "x", "code": "not_found", "detail": words, "attr": words}
        return str(await call_error(tool, FakeAPI(reply(404, body)), id=1)).split("\n")

    poisoned, harmless = await said(poison), await said(HARMLESS)
    assert poisoned[1:] == harmless[1:]
    assert len(poisoned) <= 4
    assert not unseen("\n".join(poisoned))
    quoted = single_line(poison).replace('"', "'").rstrip(".")
    assert f'"{quoted}"' in poisoned[0]


@each_poison
async def test_the_name_of_a_project_stays_in_the_first_line_of_an_error(poison: str):
    async def said(name: str) -> list[str]:
        account = reply(200, {"team": {"id": 1, "name": name}})
        return str(await call_error(CATALOG["subscriptions-destroy"], FakeAPI(account), id=1)).split("\n")

    poisoned, harmless = await said(poison), await said(HARMLESS)
    assert poisoned[1:] == harmless[1:]
    assert len(poisoned) == len(harmless) <= 4
    assert len(poisoned[0]) < 200 and not unseen(poisoned[0])


@each_poison
def test_a_question_to_the_person_stays_on_one_line(poison: str):
    tool = CATALOG["subscriptions-test-delivery-create"]
    needed = find_confirmation(tool, {"id": 1}, "auto")
    assert needed is not None
    asked = render_question(needed, {"id": 1}, {"title": poison, "target_value": "a@b.example", "target_type": "email"})
    assert asked.startswith("Send subscription 1") and asked.endswith("a@b.example?")
    assert "\n" not in asked and not unseen(asked)


@each_poison
def test_what_could_not_be_asked_stays_in_the_first_line_of_an_error(poison: str):
    tool = CATALOG["subscriptions-test-delivery-create"]

    def said(title: str) -> list[str]:
        with pytest.raises(Declined) as declined:
            require_accepted(tool, render_question(tool.confirm[0], {"id": 1}, {"title": title}), "unable")
        return str(declined.value).split("\n")

    poisoned, harmless = said(poison), said(HARMLESS)
    assert poisoned[1:] == harmless[1:]
    assert not unseen("\n".join(poisoned))


@each_poison
def test_a_note_on_what_was_left_out_names_no_field_that_is_a_sentence(poison: str):
    config = {poison: "x" * 2000, "color": "red"}
    result = project_response(CATALOG["users-hedgehog-config-retrieve"], strip_invisible(config), {}, 1000).value
    named = strip_invisible(poison) if strip_invisible(poison).isalnum() else "a field"
    assert result["omitted"].startswith(f"{named}: too long for one result")


def test_every_character_that_shows_nothing_is_taken_out():
    everything = "".join(map(chr, range(0x110000)))
    assert unseen(strip_invisible(everything)) == NUMBER_SIGNS
