"""Writes docs/context.md: what the tools cost a model, in characters, measured against the sandbox.

`python scripts/context.py` writes the page; `--check` only says whether it is current, and exits with 1 if it is not.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import httpx2
from pydantic import SecretStr

from core13_mcp import sandbox
from core13_mcp.api.client import APIClient
from core13_mcp.api.credentials import Credentials
from core13_mcp.api.exchange import CallState
from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.model import Declaration
from core13_mcp.errors import ToolError
from core13_mcp.jsonio import compact_json
from core13_mcp.pipeline.call import CallContext, execute

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "context.md"
EXAMPLES: dict[str, dict[str, Any]] = json.loads((ROOT / "docs" / "examples.json").read_text("utf-8"))
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ORIGIN = "http://sandbox.invalid"

NEW = {
    "insight": 1,
    "target_type": "email",
    "target_value": "ada@analytical.example",
    "frequency": "weekly",
    "start_date": "2026-12-01T09:00:00Z",
    "enabled": False,
}
RECORDING = {"project_id": 1, "recording_id": "0190a1b2-checkout-bug"}
PROJECT = "/api/projects/1"


@dataclass(frozen=True)
class Typical:
    """A result that agents often read: the call, the same request made by hand, and what it took at e23a4f3."""

    what: str
    tool: str
    arguments: dict[str, Any]
    request: tuple[str, str, dict[str, Any] | None]
    before: int
    rows: int = 0
    """Subscriptions to add first."""


BEFORE = (23_892, 28_747)
"""Characters of tools/list at e23a4f3, without and with output schemas."""

TYPICAL = (
    Typical("who am I", "users-retrieve", {}, ("GET", "/api/users/@me/", None), 1256),
    Typical("list users", "users-list", {}, ("GET", "/api/users/", None), 284),
    Typical("list 5 subscriptions", "subscriptions-list", {}, ("GET", f"{PROJECT}/subscriptions/", None), 1451),
    Typical(
        "list of 125, first page", "subscriptions-list", {}, ("GET", f"{PROJECT}/subscriptions/", None), 5302, rows=120
    ),
    Typical("read one", "subscriptions-retrieve", {"id": 1}, ("GET", f"{PROJECT}/subscriptions/1/", None), 570),
    Typical(
        "create, paused",
        "subscriptions-create",
        {"project_id": 1, **NEW},
        ("POST", f"{PROJECT}/subscriptions/", NEW),
        353,
    ),
    Typical(
        "pause",
        "subscriptions-partial-update",
        {"project_id": 1, "id": 1, "enabled": False},
        ("PATCH", f"{PROJECT}/subscriptions/1/", {"enabled": False}),
        390,
    ),
    Typical(
        "delete",
        "subscriptions-destroy",
        {"project_id": 1, "id": 1},
        ("PATCH", f"{PROJECT}/subscriptions/1/", {"deleted": True}),
        474,
    ),
    Typical(
        "change the theme",
        "users-partial-update",
        {"theme_mode": "dark"},
        ("PATCH", "/api/users/@me/", {"theme_mode": "dark"}),
        1009,
    ),
    Typical(
        "rotate a link",
        "session-recordings-sharing-refresh-create",
        RECORDING,
        ("POST", f"{PROJECT}/session_recordings/{RECORDING['recording_id']}/sharing/refresh/", None),
        418,
    ),
)


@dataclass(frozen=True)
class Api:
    """A fresh sandbox, for requests by hand and for calls through the engine."""

    http: httpx2.AsyncClient
    caller: CallContext = field(repr=False)

    async def result(self, tool: Declaration, arguments: dict[str, Any]) -> str:
        """What a model reads of a call."""
        try:
            return (await execute(tool, arguments, self.caller, CallState(30.0))).text
        except ToolError as error:
            return str(error)


@asynccontextmanager
async def api(session: str = sandbox.SESSION_ID) -> AsyncIterator[Api]:
    """A fresh sandbox."""
    transport = httpx2.ASGITransport(sandbox.build(clock=lambda: NOW))
    headers = {"Authorization": f"Bearer {sandbox.FULL_KEY}"}
    async with (
        APIClient(ORIGIN, transport=transport) as upstream,
        httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as http,
    ):
        credentials = Credentials(SecretStr(sandbox.FULL_KEY), SecretStr(session), SecretStr(sandbox.CSRF_TOKEN))
        yield Api(http, CallContext(upstream=upstream, credentials=credentials, confirm="never"))


async def measured(typical: Typical, tool: Declaration) -> tuple[int, int]:
    """Characters of the API's own answer to the same request, and of the result; each from a sandbox of its own."""
    async with api() as one:
        for _ in range(typical.rows):
            await one.http.post(f"{PROJECT}/subscriptions/", json=NEW)
        result = await one.result(tool, typical.arguments)
    async with api() as other:
        for _ in range(typical.rows):
            await other.http.post(f"{PROJECT}/subscriptions/", json=NEW)
        method, path, body = typical.request
        raw = (await other.http.request(method, path, json=body)).text
    return len(raw), len(result)


async def cost(tool: Declaration) -> str:
    """One tool's row: definition, output schema, a typical concise and full result."""
    wire = tool.to_mcp()
    bare = {key: part for key, part in wire.items() if key != "outputSchema"}
    sizes = [len(compact_json(bare)), len(compact_json(wire)) - len(compact_json(bare))]
    # Only somebody who belongs to no organization can be deleted.
    session = sandbox.NO_ORGANIZATION_SESSION_ID if tool.name == "users-destroy" else sandbox.SESSION_ID
    for detail in ("concise", "full"):
        if detail == "full" and "detail" not in tool.arguments:
            return _row(tool.name, *sizes, "")
        given = {**EXAMPLES[tool.name], **({"detail": detail} if "detail" in tool.arguments else {})}
        async with api(session) as one:
            sizes.append(len(await one.result(tool, given)))
    return _row(tool.name, *sizes)


def listed(tools: Iterable[Declaration]) -> tuple[int, int]:
    """Characters of tools/list, without and with output schemas."""
    wires = [tool.to_mcp() for tool in tools]
    bare = [{key: part for key, part in wire.items() if key != "outputSchema"} for wire in wires]
    return len(compact_json(bare)), len(compact_json(wires))


async def page() -> str:
    """The page, as Markdown."""
    catalog = load()
    bare, whole = listed(catalog.values())
    typical = [(one, *await measured(one, catalog[one.tool])) for one in TYPICAL]
    return "\n".join(
        [
            "# What the tools cost a model",
            "",
            "In characters of compact JSON, measured against the sandbox. Written by `scripts/context.py`, held by a",
            "test.",
            "",
            "## The list of tools",
            "",
            "| | at e23a4f3 | now |",
            "|---|---|---|",
            _row("18 tools, without output schemas", BEFORE[0], bare),
            _row("18 tools, with output schemas", BEFORE[1], whole),
            "",
            "## Typical results",
            "",
            "Beside the API's own answer to the same request made by hand, where a page has 100 rows and not 20.",
            "",
            "| | the API | at e23a4f3 | now | of the API's |",
            "|---|---|---|---|---|",
            *(
                _row(f"{one.what} (`{one.tool}`)", raw, one.before, result, f"{result / raw:.0%}")
                for one, raw, result in typical
            ),
            "",
            "## Each tool",
            "",
            "The definition without its output schema, the output schema, and what the example on the tool's page",
            "answers; full is `detail` full, where there is one: everything that the API returned, the public token of",
            "the project (`team.api_token`, which stands in every page that sends events) included.",
            "",
            "| tool | definition | output schema | concise | full |",
            "|---|---|---|---|---|",
            *[await cost(tool) for tool in catalog.values()],
            "",
        ]
    )


def _row(*cells: str | int) -> str:
    return "| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else cell for cell in cells) + " |"


def main() -> int:
    """Write or compare."""
    text = anyio.run(page)
    if "--check" not in sys.argv:
        PAGE.write_text(text, "utf-8")
        return 0
    current = PAGE.exists() and PAGE.read_text("utf-8") == text
    print("current" if current else "docs/context.md differs: run python scripts/context.py")
    return int(not current)


if __name__ == "__main__":
    sys.exit(main())
