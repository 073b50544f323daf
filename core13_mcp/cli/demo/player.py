"""Plays the story through a connected MCP client."""

from __future__ import annotations

from typing import Any

import anyio
from mcp import Client, MCPError
from mcp.client import ClientRequestContext
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent

from ...jsonio import JSON
from .screen import Screen
from .story import Differs, Step, Story

LONGEST = 20.0
"""Seconds that one step may take."""


class Player:
    """Calls what the story calls, answers what the server asks, and compares."""

    def __init__(self, story: Story, screen: Screen) -> None:
        self._story = story
        self._screen = screen
        self._kept: dict[str, Any] = {}
        self._questions = 0

    async def agree(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        """Say yes to a question of the server, as the person at the client would."""
        self._questions += 1
        self._screen.question(params.message)
        return ElicitResult(action="accept", content={})

    async def play(self, client: Client) -> None:
        """Play every step.

        Raises:
            Differs: A step went otherwise; the text says which.
        """
        for number, step in enumerate(self._story.steps, 1):
            self._screen.heading(step.title, number)
            try:
                with anyio.fail_after(LONGEST):
                    await self._take(client, step)
            except TimeoutError:
                raise Differs(f"step {number}, {step.title!r}: no answer within {LONGEST:g} s") from None
            except (Differs, MCPError) as error:
                raise Differs(f"step {number}, {step.title!r}: {error}") from None

    async def _take(self, client: Client, step: Step) -> None:
        arguments = step.arguments(self._kept)
        self._questions = 0
        self._screen.request(step.call, arguments)
        result = await client.call_tool(step.call, arguments)
        answer = _answer(result)
        step.judge(answer, failed=bool(result.is_error), questions=self._questions)
        self._screen.answer(step.told(answer), failed=step.refused)
        if step.kept:
            self._kept[step.kept] = answer


def _answer(result: CallToolResult) -> JSON:
    """The structured answer; of an error its text with its facts."""
    if not result.is_error:
        return result.structured_content or {}
    text = "\n".join(part.text for part in result.content if isinstance(part, TextContent))
    return {"text": text, **(result.meta or {}).get("core13-mcp/error", {})}
