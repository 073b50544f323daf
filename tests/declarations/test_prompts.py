"""Prompts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, NoReturn

import anyio
import pytest
from mcp import Client, MCPError
from mcp.types import TextContent

from core13_mcp.declarations.catalog import enabled_tools, load
from core13_mcp.declarations.files import read_server_file
from core13_mcp.server.handlers import build_server
from core13_mcp.settings import Settings

pytestmark = pytest.mark.anyio

NAMES = ["weekly-digest", "review-subscriptions", "rotate-recording-link"]


def no_context(_: object) -> NoReturn:
    """Prompts need no call context."""
    raise AssertionError


async def text(mcp: Client, name: str, **arguments: str) -> str:
    """The text of the only message of a prompt."""
    with anyio.fail_after(5):
        (message,) = (await mcp.get_prompt(name, arguments)).messages
    assert message.role == "user"
    assert isinstance(message.content, TextContent)
    return message.content.text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_clients_of_old_and_new_protocol_versions_list_and_get_prompts(mode: Literal["auto", "legacy"]):
    async with Client(build_server(load(), no_context, ""), mode=mode) as client:
        assert [prompt.name for prompt in (await client.list_prompts()).prompts] == NAMES
        assert "0190a1b2" in await text(client, "rotate-recording-link", recording_id="0190a1b2")


async def test_prompts_are_listed_with_their_arguments_and_may_be_cached_publicly(mcp: Client):
    result = await mcp.list_prompts()
    prompts = result.prompts
    assert (result.ttl_ms, result.cache_scope) == (3_600_000, "public")
    assert all(prompt.title and prompt.description for prompt in prompts)
    required = {argument.name: argument.required for prompt in prompts for argument in prompt.arguments or []}
    assert required["recording_id"] is True and required["recipients"] is False


async def test_a_prompt_contains_the_arguments_and_marks_missing_ones_as_unknown(mcp: Client):
    message = await text(mcp, "weekly-digest", what="insight 3", when="  ")
    assert "What: insight 3\n" in message
    assert "Recipients: unknown\n" in message
    assert "When: unknown\n" in message


async def test_the_digest_prompt_creates_a_paused_delivery_and_waits_for_agreement(mcp: Client):
    message = await text(mcp, "weekly-digest")
    assert message.index("enabled false") < message.index("wait for my yes") < message.index("enabled true")


async def test_the_rotation_prompt_adds_the_new_password_before_it_removes_old_ones(mcp: Client):
    message = await text(mcp, "rotate-recording-link", recording_id="0190a1b2-checkout-bug")
    steps = [message.index(f"session-recordings-sharing-{step}") for step in ("refresh", "passwords-c", "passwords-d")]
    assert steps == sorted(steps)
    assert "0190a1b2-checkout-bug" in message


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("rotate-recording-link", {}, "needs recording_id"),
        ("review-subscriptions", {"project": "1"}, "takes project_id, not 'project'"),
        ("review-subscription", {}, 'Did you mean "review-subscriptions"'),
    ],
)
async def test_a_prompt_with_wrong_arguments_is_an_error(
    mcp: Client, name: str, arguments: dict[str, str], message: str
):
    with pytest.raises(MCPError, match=re.escape(message)), anyio.fail_after(5):
        await mcp.get_prompt(name, arguments)


async def test_a_prompt_with_a_disabled_tool_is_not_listed():
    async with Client(build_server(enabled_tools(Settings(read_only=True)), no_context, "")) as client:
        assert [prompt.name for prompt in (await client.list_prompts()).prompts] == ["review-subscriptions"]


def test_a_prompt_mentions_only_the_tools_that_it_declares_and_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "prompts.md").read_text("utf-8")
    for prompt in read_server_file("prompts.json"):
        text = " ".join(prompt["text"])
        assert {name for name in load() if re.search(rf"\b{name}\b", text)} == set(prompt["tools"])
        assert all(f"`{part['name']}`" in page for part in (prompt, *prompt["arguments"]))
