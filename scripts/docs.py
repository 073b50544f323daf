"""Writes docs/tools/: a page for each declared tool, with an answer that the sandbox really gave.

`python scripts/docs.py` writes the pages; `--check` only says which differ, and exits with 1 if any does.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
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
from core13_mcp.pipeline.call import CallContext, execute

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "tools"
EXAMPLES: dict[str, dict[str, Any]] = json.loads((ROOT / "docs" / "examples.json").read_text("utf-8"))
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_RANDOM = re.compile(r'("(?:access_token|password)": ")[^"]+')


def page(tool: Declaration, answer: str) -> str:
    """One tool's page, as Markdown."""
    parts = (
        f"# {tool.name}\n\n{tool.description}\n",
        _facts(tool),
        _arguments(tool),
        _list("Rules across arguments", [rule.message for rule in tool.rules]),
        _list("Asked of the person first", [f"{confirm.level}: {confirm.message}" for confirm in tool.confirm]),
        _list("What the result says was done", [done.message for done in tool.done]),
        _result(tool),
        _list("When it is refused", [f"`{status}`: {_scoped(tool, say)}" for status, say in tool.hints.items()]),
        _list("On the API's page, but not taken", [f"`{name}`: {why}" for name, why in tool.documented.items()]),
        _example(tool, answer),
    )
    return "\n".join(part for part in parts if part)


def _facts(tool: Declaration) -> str:
    hints = tool.annotations
    flags = {
        "changes nothing": hints.read_only_hint,
        "may destroy": hints.destructive_hint,
        "safe to repeat": hints.idempotent_hint,
        "reaches people outside": hints.open_world_hint,
    }
    needs = f"a key with the scope `{tool.endpoint.scope}`" if tool.endpoint.scope else "a login session, not a key"
    return (
        f"- Sends: `{tool.endpoint.method} {tool.endpoint.path}`\n- Needs: {needs}\n"
        f"- Hints: {', '.join(name for name, on in flags.items() if on) or 'none'}\n"
    )


def _arguments(tool: Declaration) -> str:
    if not tool.arguments:
        return "## Arguments\n\nNone.\n"
    rows = [
        f"| `{name}` | {_type(schema)} | {_need(tool, name, schema)} | {_cell(schema.get('description', ''))} |"
        for name, schema in tool.arguments.items()
    ]
    head = "## Arguments\n\n| name | type | | meaning |\n|---|---|---|---|"
    return "\n".join([head, *rows]) + "\n"


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    kind = schema.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _need(tool: Declaration, name: str, schema: dict[str, Any]) -> str:
    if name in tool.input_schema.get("required", ()):
        return "required"
    return f"default `{schema['default']}`" if "default" in schema else ""


def _result(tool: Declaration) -> str:
    named = tool.output_schema.get("properties")
    told = ", ".join(f"`{name}`" for name in named) if named else "the object as the API holds it"
    return f"## Result\n\n{told}. Empty fields are left out.\n"


def _list(title: str, lines: list[str]) -> str:
    return f"## {title}\n\n" + "".join(f"- {line}\n" for line in lines) if lines else ""


def _scoped(tool: Declaration, say: str) -> str:
    return say.replace("{scope}", f"`{tool.endpoint.scope}`").replace("{field}", "the field it names")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _example(tool: Declaration, answer: str) -> str:
    given = EXAMPLES[tool.name]
    words = shlex.quote(json.dumps(given)) if any(isinstance(v, list | dict) for v in given.values()) else _pairs(given)
    refused = "# exits 1\n" if answer.startswith("```text") else ""
    command = f"{refused}core13-mcp call {tool.name} --sandbox {words}".rstrip()
    return f"## Example\n\nIn the sandbox, on {NOW:%Y-%m-%d}:\n\n```sh\n{command}\n```\n\n{answer}\n"


def _pairs(given: dict[str, Any]) -> str:
    return " ".join(
        shlex.quote(f"{name}={value if isinstance(value, str) else json.dumps(value)}") for name, value in given.items()
    )


async def answer(tool: Declaration) -> str:
    """What a fresh sandbox answers to the tool's example, as the shell shows it; random parts are left out."""
    transport = httpx2.ASGITransport(sandbox.build(clock=lambda: NOW))
    credentials = Credentials(*map(SecretStr, (sandbox.FULL_KEY, sandbox.SESSION_ID, sandbox.CSRF_TOKEN)))
    async with APIClient("http://sandbox.invalid", transport=transport) as upstream:
        try:
            result = await execute(
                tool, EXAMPLES[tool.name], CallContext(upstream=upstream, credentials=credentials), CallState(30)
            )
        except ToolError as error:
            return f"```text\n{error}\n```"
    shown = _RANDOM.sub(r"\1...", json.dumps(result.value, indent=2, ensure_ascii=False))
    return f"```json\n{shown}\n```"


async def pages() -> dict[Path, str]:
    """Every page, by its path."""
    catalog = load()
    written = {PAGES / f"{name}.md": page(tool, await answer(tool)) for name, tool in catalog.items()}
    lines = [f"- [{name}]({name}.md): {tool.title}\n" for name, tool in catalog.items()]
    index = "# The tools\n\nOne page each, written by `scripts/docs.py` from the declarations in `tools/`.\n\n"
    return {**written, PAGES / "README.md": index + "".join(lines)}


def main() -> int:
    """Write or compare."""
    wanted = anyio.run(pages)
    differing = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in differing:
        print(f"{'differs' if '--check' in sys.argv else 'wrote'}: {path.relative_to(ROOT)}")
        if "--check" not in sys.argv:
            path.write_text(wanted[path], "utf-8")
    return int(bool(differing) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
