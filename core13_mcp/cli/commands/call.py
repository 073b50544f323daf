"""`core13-mcp call`: one call from the shell, on the same path as MCP."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import httpx2

from ...compose.engine import SANDBOX_ORIGIN, context_provider
from ...declarations.catalog import enabled_tools
from ...declarations.model import Declaration
from ...errors import ConfigurationError, ToolError
from ...jsonio import JSON, parse_json
from ...pipeline.call import plan, prepare
from ...pipeline.execution import execute
from ...redaction import REDACTED
from ...settings import Settings
from ...text import did_you_mean, single_line
from ..terminal import spinner, status_line


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Make the call and print its result; 1 when the tool reports an error.

    Raises:
        Core13Error: It cannot start as it is set up, or there is no tool of that name.
    """
    catalog = enabled_tools(settings)
    if arguments.name not in catalog:
        fix = did_you_mean(arguments.name, catalog) or "`core13-mcp tools` lists the tools."
        raise ConfigurationError(f"there is no tool {arguments.name!r}", fix)
    tool = catalog[arguments.name]
    given = parsed(arguments.arguments)
    if arguments.dry_run:
        return _preview(tool, given, settings)
    async with context_provider(settings) as caller:
        call = prepare(tool, given, caller())
        with spinner(tool.name):
            outcome = await execute(call, on_progress=_report)
    if isinstance(outcome.result, ToolError):
        print(outcome.result, file=sys.stderr)
        return 1
    print(json.dumps(outcome.result.value, indent=2, ensure_ascii=False))
    return 0


def _preview(tool: Declaration, given: JSON, settings: Settings) -> int:
    """Print the request as it would be sent, but for its credentials and what is declared secret."""
    try:
        request = plan(tool, given, settings.project_id)
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    origin = SANDBOX_ORIGIN if settings.sandbox else settings.host
    print(request.method, httpx2.URL(origin + request.path, params=dict(request.query) or None))
    if request.body is not None:
        shown = {name: REDACTED if name in tool.secrets else value for name, value in request.body.items()}
        print(json.dumps(shown, ensure_ascii=False, separators=(",", ":")))
    print("Dry run: nothing was sent.", file=sys.stderr)
    return 0


def parsed(words: list[str]) -> dict[str, Any]:
    """Arguments from `key=value` words, one JSON object, or `-` for a JSON object on stdin.

    Raises:
        ConfigurationError: It is none of these.
    """
    if len(words) == 1 and words[0] == "-":
        words = [sys.stdin.read()]
    if len(words) == 1 and words[0].lstrip().startswith("{"):
        try:
            given = parse_json(words[0])
        except ValueError as error:
            raise ConfigurationError(f"the arguments are not JSON: {error}") from None
        return dict(given)
    pairs = {word: word.partition("=") for word in words}
    unclear = next((word for word, (name, mark, _) in pairs.items() if not (name and mark)), None)
    if unclear is not None:
        how = "say arguments as key=value words, as one JSON object, or - to read it from stdin"
        raise ConfigurationError(f"{single_line(unclear, 60)!r} is not key=value; {how}")
    return {name: value for name, _, value in pairs.values()}


async def _report(message: str) -> None:
    status_line("")
    print(message, file=sys.stderr)
