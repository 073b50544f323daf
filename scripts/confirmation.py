"""Writes docs/confirmation.md: what passes between the SDK's client and this server when a person is asked.

`python scripts/confirmation.py` writes the page; `--check` only says whether it is current, and exits with 1 if not.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
from mcp import Client, MCPError

from core13_mcp.compose.engine import context_provider
from core13_mcp.declarations.catalog import enabled_tools, load
from core13_mcp.server.handlers import build_server
from core13_mcp.server.instructions import instructions
from core13_mcp.settings import Settings

PAGE = Path(__file__).parents[1] / "docs" / "confirmation.md"
TOOL = "subscriptions-test-delivery-create"
ARGUMENTS = {"id": 1, "project_id": 1}
HEAD = """\
# How a person is asked

What destroys, reaches other people or cannot be taken back is shown to the person first, through the client
(elicitation). `ask` in a declaration means: asked where the client can ask. `require` means: refused where it cannot.
`CORE13_CONFIRM` is `auto` (as declared), `always` (whatever asks is refused where nobody can be asked) or `never`.

An answer counts for five minutes, once, for the same caller, tool, arguments and effect. The effect is read again
after the answer: if it is another one by then, nothing is sent.

What follows is written by `scripts/confirmation.py` from real calls of the SDK's client against the sandbox.
"""


class Transcript:
    """Lines of what was said, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = [HEAD]

    def part(self, title: str, said: str) -> None:
        """A heading, and a sentence under it."""
        self.lines += [f"## {title}", "", said, ""]

    def show(self, who: str, said: Any) -> None:
        """One message; seals, which differ each time, are cut."""
        value = said.model_dump(mode="json", by_alias=True, exclude_none=True) if hasattr(said, "model_dump") else said
        text = json.dumps(value, indent=2, ensure_ascii=False)
        text = re.sub(r'"v1\.[\w-]+"', '"v1.(sealed)"', text)
        text = re.sub(r'"milliseconds": \d+', '"milliseconds": 5', text)
        text = re.sub(r'"version": "[^"]*"', '"version": "(this one)"', text)
        self.lines += [f"{who}:", "", "```json", text, "```", ""]

    async def asked(self, _: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        """A person who is shown the question and accepts."""
        self.show("The client is asked (`elicitation/create`)", params)
        answer = types.ElicitResult(action="accept", content={})
        self.show("The person accepts", answer)
        return answer


@asynccontextmanager
async def connected(settings: Settings, **given: Any) -> AsyncIterator[Client]:
    catalog = enabled_tools(settings)
    async with context_provider(settings) as caller:
        server = build_server(catalog, lambda _: caller(), instructions(settings, catalog, len(load())))
        async with Client(server, **given) as client:
            yield client


async def old_era(page: Transcript, settings: Settings) -> None:
    over_http = "Over HTTP there is no way for it to the client: see [team.md](team.md#asking-a-person)."
    page.part("On a 2025-era connection", f"The question is a request of the server while the call waits.\n{over_http}")
    async with connected(settings, mode="legacy", elicitation_callback=page.asked) as client:
        page.show(f"The client calls `{TOOL}` (protocol {client.protocol_version})", ARGUMENTS)
        page.show("The result", await client.call_tool(TOOL, ARGUMENTS))


async def new_era(page: Transcript, settings: Settings) -> None:
    said = "The question is the result of a first round, `input_required`, with a sealed state that the client carries."
    page.part("On 2026-07-28", said)
    async with connected(settings, mode="2026-07-28", elicitation_callback=page.asked) as client:
        page.show(f"The client calls `{TOOL}` (protocol {client.protocol_version})", ARGUMENTS)
        first = await client.session.call_tool(TOOL, ARGUMENTS, allow_input_required=True)
        assert isinstance(first, types.InputRequiredResult) and first.request_state
        page.show("The first result", first)
        answer = {"confirm": types.ElicitResult(action="accept", content={})}
        page.show(
            "The person accepts, and the client calls again with", {"inputResponses": {"confirm": {"action": "accept"}}}
        )
        page.show("The result", await again(client, first.request_state, answer, ARGUMENTS))
        page.part("What does not count", "The same answer once more is asked about anew, because it was used:")
        page.show("The result", await again(client, first.request_state, answer, ARGUMENTS))
        page.lines += ["With other arguments, or a state that was tampered with, the call is refused:", ""]
        page.show("For subscription 4", await again(client, first.request_state, answer, {**ARGUMENTS, "id": 4}))
        page.show("Forged", await again(client, first.request_state[:-2] + "xx", answer, ARGUMENTS))


async def again(client: Client, state: str, answer: Any, arguments: dict[str, Any]) -> Any:
    try:
        return await client.session.call_tool(
            TOOL, arguments, input_responses=answer, request_state=state, allow_input_required=True
        )
    except MCPError as error:
        return error.error


async def nobody(page: Transcript, settings: Settings) -> None:
    page.part("Where the client cannot ask", "What is declared `require` is refused, with what the operator can set.")
    async with connected(settings) as client:
        page.show("The client calls `users-destroy`", {})
        page.show("The result", await client.call_tool("users-destroy", {}))


async def written() -> str:
    """The whole page."""
    page, settings = Transcript(), Settings(sandbox=True, log_level="error")
    for part in (old_era, new_era, nobody):
        await part(page, settings)
    return "\n".join(page.lines).rstrip() + "\n"


def main() -> int:
    """Write the page, or say that it is not current."""
    now = anyio.run(written)
    if "--check" in sys.argv:
        return 0 if PAGE.exists() and PAGE.read_text("utf-8") == now else 1
    PAGE.write_text(now, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
