"""The pages in docs/tools/, with responses of the sandbox, and the table of what each tool costs a model."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import httpx2
from doc_tables import table
from mcp import Client
from mcp.types import CallToolResult, TextContent

from core13_mcp import sandbox
from core13_mcp.api.client import APIClient
from core13_mcp.api.credentials import Credentials
from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.confirmation import Confirm
from core13_mcp.declarations.model import Declaration
from core13_mcp.jsonio import compact_json
from core13_mcp.keys import SecretStr
from core13_mcp.pipeline.call import CallContext
from core13_mcp.server.handlers import build_server

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "tools"
EXAMPLES: dict[str, dict[str, Any]] = json.loads((ROOT / "docs" / "examples.json").read_text("utf-8"))
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RANDOM_VALUE = re.compile(r'("(?:access_token|password)": "|/shared/)[\w-]+')
FLAGS = {
    "read_only_hint": "changes nothing",
    "destructive_hint": "can destroy data",
    "idempotent_hint": "safe to repeat",
    "open_world_hint": "reaches other people",
}


class Recorder(httpx2.AsyncBaseTransport):
    """A transport to a fresh sandbox that records the size of the last response."""

    def __init__(self) -> None:
        self.size = 0
        self._transport = httpx2.ASGITransport(sandbox.build(clock=lambda: NOW))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._transport.handle_async_request(request)
        self.size = len(await response.aread())
        return response


def generate() -> tuple[dict[Path, str], str]:
    """Every page by its path, and the table of costs."""
    return anyio.run(_generate)


async def _generate() -> tuple[dict[Path, str], str]:
    catalog = load()
    index = (
        "# The tools\n\nOne page for each tool. `scripts/docs.py` generates them from the declarations in `tools/`.\n\n"
    )
    index += "".join(f"- [{name}]({name}.md): {tool.title}\n" for name, tool in catalog.items())
    pages = {PAGES / "README.md": index}
    costs = []
    for name, tool in catalog.items():
        if name not in EXAMPLES:
            # The sandbox does not have every endpoint.
            pages[PAGES / f"{name}.md"] = page(tool, None)
            continue
        result, size = await call(tool)
        pages[PAGES / f"{name}.md"] = page(tool, result)
        costs.append((name, *await _cost(tool, result, size)))
    columns = [[row[n] for row in costs] for n in (1, 2)]
    costs.append(
        ("all", *(f"{sum(int(size.replace(',', '')) for size in column):,}" for column in columns), "", "", "")
    )
    return pages, table("tool | definition | output schema | API response | concise result | full result", costs)


async def call(tool: Declaration, **arguments: Any) -> tuple[CallToolResult, int]:
    """Call a tool with its example in a fresh sandbox. Returns the result and the size of the API's response."""
    transport = Recorder()
    async with _client(tool, transport) as client:
        return await client.call_tool(tool.name, EXAMPLES[tool.name] | arguments), transport.size


@asynccontextmanager
async def _client(tool: Declaration, transport: Recorder) -> AsyncIterator[Client]:
    # A required confirmation is refused, like by a client that cannot ask.
    confirm = "auto" if any(confirm.level == "require" for confirm in tool.confirm) else "never"
    credentials = Credentials(*map(SecretStr, (sandbox.FULL_KEY, sandbox.SESSION_ID, sandbox.CSRF_TOKEN)))
    async with APIClient("http://sandbox.invalid", transport=transport) as upstream:
        context = CallContext(client=upstream, credentials=credentials, confirm=confirm)
        async with Client(build_server({tool.name: tool}, lambda _: context, "")) as client:
            yield client


def text_of(result: CallToolResult) -> str:
    """The text that a model reads."""
    return "".join(part.text for part in result.content if isinstance(part, TextContent))


async def _cost(tool: Declaration, result: CallToolResult, response_size: int) -> tuple[str, ...]:
    """Sizes in characters: definition, output schema, API response, concise and full result."""
    wire = tool.to_mcp()
    schema = len(compact_json(wire.pop("outputSchema")))
    full = len(text_of((await call(tool, detail="full"))[0])) if "detail" in tool.arguments else ""
    sizes = (len(compact_json(wire)), schema, 0 if result.is_error else response_size, len(text_of(result)), full)
    return tuple(f"{size:,}" if size else "" for size in sizes)


def page(tool: Declaration, result: CallToolResult | None) -> str:
    """The page of a tool, as Markdown, with the result of its example if there is one."""
    parts = (
        f"# {tool.name}\n\n{tool.description}\n",
        _facts(tool),
        _arguments(tool),
        _list("Rules", [part.message for part in (*tool.checks, *tool.rules)]),
        _list("Confirmation", [_confirmation(confirm) for confirm in tool.confirm]),
        _list("What the result reports as done", [done.message for done in tool.done]),
        _list("What the result notes", [note.message for note in tool.notes]),
        _result(tool),
        _list("Errors", [f"`{status}`: {_hint(tool, hint)}" for status, hint in tool.hints.items()]),
        _list("Not supported", [f"`{name}`: {reason}" for name, reason in tool.documented.items()]),
        _example(tool, result) if result else "",
    )
    return "\n".join(part for part in parts if part)


def _facts(tool: Declaration) -> str:
    needs = (
        f"the scope `{tool.endpoint.scope}`"
        if tool.endpoint.scope
        else "a login session; no key or sign-in is accepted"
    )
    hints = ", ".join(text for hint, text in FLAGS.items() if getattr(tool.annotations, hint)) or "none"
    return f"- Request: `{tool.endpoint.method} {tool.endpoint.path}`\n- Needs: {needs}\n- Hints: {hints}\n"


def _arguments(tool: Declaration) -> str:
    rows = [
        (f"`{name}`", _type(schema), _default(tool, name, schema), schema.get("description", ""))
        for name, schema in tool.arguments.items()
    ]
    return "## Arguments\n\n" + (table("name | type | default | meaning", rows) if rows else "None.\n")


def _type(schema: dict[str, Any]) -> str:
    kinds = schema.get("type", "any")
    values = (
        [f"`{value}`" for value in schema["enum"]] if "enum" in schema else [kinds] if kinds == str(kinds) else kinds
    )
    return " or ".join(values)


def _default(tool: Declaration, name: str, schema: dict[str, Any]) -> str:
    if name in tool.input_schema.get("required", ()):
        return "required"
    return f"`{schema['default']}`" if "default" in schema else ""


def _confirmation(confirm: Confirm) -> str:
    return f"{confirm.level}{f' (“{confirm.title}”)' if confirm.title else ', with others' if confirm.is_addition else ''}: {confirm.message}"


def _result(tool: Declaration) -> str:
    fields = tool.output_schema.get("properties")
    names = ", ".join(f"`{name}`" for name in fields) if fields else "The object of the API"
    return f"## Result\n\n{names}. Empty fields are left out.\n"


def _list(title: str, lines: list[str]) -> str:
    return f"## {title}\n\n" + "".join(f"- {line}\n" for line in lines) if lines else ""


def _hint(tool: Declaration, hint: str) -> str:
    return hint.replace("{scope}", f"`{tool.endpoint.scope}`").replace("{field}", "the field that the error names")


def _example(tool: Declaration, result: CallToolResult) -> str:
    arguments = EXAMPLES[tool.name]
    nested = any(isinstance(value, list | dict) for value in arguments.values())
    words = [json.dumps(arguments)] if nested else [f"{name}={_word(value)}" for name, value in arguments.items()]
    command = shlex.join(["core13-mcp", "call", tool.name, "--sandbox", *words])
    if result.is_error:
        output = f"```text\n{text_of(result)}\n```"
    else:
        value = json.dumps(result.structured_content, indent=2, ensure_ascii=False)
        output = RANDOM_VALUE.sub(r"\1...", f"```json\n{value}\n```")
    return f"## Example\n\nIn the sandbox, on {NOW:%Y-%m-%d}:\n\n```sh\n{command}\n```\n\n{output}\n"


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
