"""`core13-mcp tools`: list the tools, or show the definition of one.

This module imports the standard library only, so that the command takes some milliseconds.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from ...declarations.files import MCP_KEYS, enabled_declarations, read_declarations
from ...errors import ConfigurationError
from ...settings import Settings
from ...text import did_you_mean, to_line
from ..terminal import print_json, style


def run(arguments: Namespace, settings: Settings) -> int:
    """Print one line for each enabled tool, or definitions as clients receive them."""
    if settings.tools_dir is None:
        tools = enabled_declarations(read_declarations(), settings)
    else:
        # Added declarations need validation, which takes half a second to import.
        from ...declarations.catalog import enabled_tools

        tools = {name: tool.model_dump(by_alias=True) for name, tool in enabled_tools(settings).items()}
    if arguments.name and arguments.name not in tools:
        fix = did_you_mean(arguments.name, tools) or "`core13-mcp tools` lists the tools."
        raise ConfigurationError(f"there is no tool {arguments.name!r}", fix)
    if arguments.name or arguments.json:
        definitions = {name: {key: tool[key] for key in MCP_KEYS} for name, tool in tools.items()}
        output = definitions[arguments.name] if arguments.name else list(definitions.values())
        print_json(output)
    else:
        for tool in tools.values():
            print(_line(tool))
    return 0


def _line(tool: Mapping[str, Any]) -> str:
    hints, method = tool["annotations"], tool["endpoint"]["method"]
    color = "green" if hints["readOnlyHint"] else "red" if hints["destructiveHint"] else "yellow"
    return f"{style(tool['name'].ljust(45), 'bold')} {style(method.ljust(6), color)} {to_line(tool['title'])}"
