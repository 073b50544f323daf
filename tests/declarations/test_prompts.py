"""The prompts that hosts show as commands."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal, NoReturn

import anyio
import pytest
from mcp import Client, MCPError
from mcp.types import TextContent

from core13_mcp.declarations.catalog import enabled_tools, load
from core13_mcp.declarations.prompts import load_prompts
from core13_mcp.server.handlers import build_server
from core13_mcp.settings import Settings

pytestmark = pytest.mark.anyio

NAMES = ["weekly-digest", "review-subscriptions", "rotate-recording-link"]


def nobody(_: object) -> NoReturn:
    """On whose behalf to list and get: that is never asked."""
    raise AssertionError


@pytest.fixture
async def read_only() -> AsyncIterator[Client]:
    """A client of a server that can change nothing; nobody calls its tools here."""
    catalog = enabled_tools(Settings(sandbox=True, read_only=True))
    async with Client(build_server(catalog, nobody, "")) as client:
        yield client


async def text(mcp: Client, name: str, **said: str) -> str:
    """The one message of a prompt."""
    with anyio.fail_after(5):
        (message,) = (await mcp.get_prompt(name, said)).messages
    assert message.role == "user"
    assert isinstance(message.content, TextContent)
    return message.content.text


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_clients_of_both_eras_list_and_get_them(era: Literal["auto", "legacy"]):
    async with Client(build_server(load(), nobody, ""), mode=era) as client:
        assert [prompt.name for prompt in (await client.list_prompts()).prompts] == NAMES
        assert "0190a1b2" in await text(client, "rotate-recording-link", recording_id="0190a1b2")


async def test_three_prompts_are_listed_with_what_they_ask_for(mcp: Client):
    prompts = (await mcp.list_prompts()).prompts
    assert [prompt.name for prompt in prompts] == NAMES
    assert all(prompt.title and prompt.description for prompt in prompts)
    asked = {argument.name: argument.required for prompt in prompts for argument in prompt.arguments or []}
    assert asked["recording_id"] is True
    assert asked["recipients"] is False


async def test_the_list_of_prompts_may_be_cached_by_anyone(mcp: Client):
    answer = await mcp.list_prompts()
    assert (answer.ttl_ms, answer.cache_scope) == (3_600_000, "public")


async def test_a_prompt_says_what_the_person_said_and_marks_the_rest_as_unknown(mcp: Client):
    told = await text(mcp, "weekly-digest", what="insight 3", when="  ")
    assert "What: insight 3\n" in told
    assert "Recipients: unknown\n" in told
    assert "When: unknown\n" in told


async def test_a_prompt_creates_paused_and_waits_before_it_sends(mcp: Client):
    told = await text(mcp, "weekly-digest")
    assert told.index("enabled false") < told.index("wait for my yes") < told.index("enabled true")


async def test_rotation_adds_the_new_password_before_it_takes_the_old_ones(mcp: Client):
    told = await text(mcp, "rotate-recording-link", recording_id="0190a1b2-checkout-bug")
    steps = [told.index(f"session-recordings-sharing-{step}") for step in ("refresh", "passwords-c", "passwords-d")]
    assert steps == sorted(steps)
    assert "0190a1b2-checkout-bug" in told


@pytest.mark.parametrize(
    ("name", "said", "why"),
    [
        ("rotate-recording-link", {}, "needs recording_id"),
        ("review-subscriptions", {"project": "1"}, "takes project_id, not 'project'"),
        ("review-subscription", {}, 'Did you mean "review-subscriptions"'),
    ],
)
async def test_a_prompt_that_cannot_be_given_says_why(mcp: Client, name: str, said: dict[str, str], why: str):
    with pytest.raises(MCPError, match=re.escape(why)), anyio.fail_after(5):
        await mcp.get_prompt(name, said)


async def test_a_prompt_whose_tools_are_hidden_is_not_offered(read_only: Client):
    prompts = (await read_only.list_prompts()).prompts
    assert [prompt.name for prompt in prompts] == ["review-subscriptions"]


def test_a_prompt_names_no_tool_that_it_does_not_declare():
    names = set(load())
    for script in load_prompts(load()).values():
        assert {name for name in names if re.search(rf"\b{name}\b", " ".join(script.text))} == set(script.tools)


def test_every_prompt_and_argument_is_in_the_docs():
    page = (Path(__file__).parents[2] / "docs" / "prompts.md").read_text("utf-8")
    for script in load_prompts(load()).values():
        assert all(f"`{name}`" in page for name in (script.name, *(argument.name for argument in script.arguments)))
