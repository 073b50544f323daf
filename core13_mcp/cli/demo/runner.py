"""Runs the calls of the demo: calls a tool, checks the outcome and prints both."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from typing import Any

import anyio
from mcp import Client, MCPError
from mcp.client import ClientRequestContext
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent

from ...jsonio import JSON
from ...templates.language import fill
from .expect import DemoError, Expect
from .transcript import Transcript


@dataclass
class Demo:
    """A conversation. A call fails after `timeout` seconds."""

    transcript: Transcript
    timeout: float = 20.0
    client: Client = field(init=False)
    calls: int = 0
    questions: int = 0

    async def confirm(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        """Print a question of the server and answer yes, as the person would."""
        self.questions += 1
        self.transcript.say("Question", params.message)
        self.transcript.say("You", "Yes.")
        return ElicitResult(action="accept", content={"confirm": True})

    async def call(self, tool: str, arguments: JSON, expect: Expect, lines: str = "{done}") -> JSON:
        """Call a tool as the agent, check the outcome and print it.

        `lines` is a template of the printed lines; `{name}` is a value of the result. The text of an error is printed
        as it is. Returns the structured result, or the text and the details of an error.

        Raises:
            DemoError: The outcome is not the expected one.
        """
        self.calls += 1
        self.transcript.say("Agent", " ".join([tool, *(f"{name}={_word(value)}" for name, value in arguments.items())]))
        try:
            with anyio.fail_after(self.timeout):
                before = self.questions
                response = await self.client.call_tool(tool, dict(arguments))
            result = _result(response)
            expect.check(result, failed=bool(response.is_error), confirmations=self.questions - before)
        except TimeoutError:
            raise DemoError(f"call {self.calls}, {tool}: no response within {self.timeout:g} s") from None
        except (DemoError, MCPError) as error:
            raise DemoError(f"call {self.calls}, {tool}: {error}") from None
        if expect.error:
            self.transcript.say("Error", result["text"])
        else:
            self.transcript.say("Result", fill(lines, **result))
        return result


def _result(response: CallToolResult) -> JSON:
    if not response.is_error:
        return response.structured_content or {}
    text = "\n".join(part.text for part in response.content if isinstance(part, TextContent))
    return {"text": text, **(response.meta or {}).get("core13-mcp/error", {})}


def _word(value: Any) -> str:
    """A value as `core13-mcp call` accepts it in a shell."""
    return shlex.quote(value if isinstance(value, str) else json.dumps(value))
