"""`core13-mcp tools`: list the tools, or describe one.

This module imports the standard library only, so that the command takes some milliseconds.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from ...declarations.files import MCP_KEYS, check_enabled, enabled_declarations, read_declarations
from ...settings import Settings
from ...text import to_line
from ..layout import width
from ..terminal import print_json, print_row, style
from ..tool_table import describe_tool


def run(arguments: Namespace, settings: Settings) -> int:
    """Print one line for each enabled tool, the description of one, or definitions as clients receive them."""
    declared = _declarations(settings)
    tools = enabled_declarations(declared, settings)
    if arguments.name:
        check_enabled(arguments.name, {name: tool["annotations"] for name, tool in declared.items()}, settings)
    if arguments.json:
        definitions = {name: {key: tool[key] for key in MCP_KEYS} for name, tool in tools.items()}
        print_json(definitions[arguments.name] if arguments.name else list(definitions.values()))
    elif arguments.name:
        for line in describe_tool(tools[arguments.name], width()):
            print_row(line)
    else:
        for tool in tools.values():
            print(_line(tool))
    return 0


def _declarations(settings: Settings) -> dict[str, Any]:
    if settings.tools_dir is None:
        return read_declarations()
    # Added declarations need validation, which takes half a second to import.
    from ...declarations.catalog import load

    return {name: tool.model_dump(by_alias=True) for name, tool in load(settings.tools_dir).items()}


def _line(tool: Mapping[str, Any]) -> str:
    hints, method = tool["annotations"], tool["endpoint"]["method"]
    color = "green" if hints["readOnlyHint"] else "red" if hints["destructiveHint"] else "yellow"
    return f"{style(tool['name'].ljust(45), 'bold')} {style(method.ljust(6), color)} {to_line(tool['title'])}"
