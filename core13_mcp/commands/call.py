"""`core13-mcp call`: one call from the shell, on the same path as MCP."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from ..call import call
from ..catalog import offered
from ..check import nearest
from ..errors import ConfigurationError, ToolError
from ..log import withhold
from ..retry import Exchange
from ..settings import Settings
from .wiring import callers


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Make the call and print its result; 1 when the tool reports an error.

    Raises:
        Core13Error: It cannot start as it is set up, or there is no tool of that name.
    """
    catalog = offered(settings)
    if arguments.name not in catalog:
        like = nearest(arguments.name, catalog)
        raise ConfigurationError(f"no tool {arguments.name!r}" + (f"; did you mean {like}?" if like else ""))
    tool = catalog[arguments.name]
    given = parsed(arguments.arguments)
    async with callers(settings) as caller:
        made = caller()
        secrets = made.credentials.secrets
        try:
            result = await call(tool, given, made, Exchange(settings.timeout, report=_report))
        except ToolError as error:
            print(withhold(str(error), secrets), file=sys.stderr)
            return 1
    print(json.dumps(withhold(result, secrets), indent=2, ensure_ascii=False))
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
            given = json.loads(words[0])
        except ValueError as error:
            raise ConfigurationError(f"the arguments are not JSON: {error}") from None
        return dict(given)
    pairs = [word.partition("=") for word in words]
    if not all(name and mark for name, mark, _ in pairs):
        raise ConfigurationError("say arguments as key=value words, as one JSON object, or - to read it from stdin")
    return {name: value for name, _, value in pairs}


async def _report(message: str) -> None:
    print(message, file=sys.stderr)
