"""`core13-mcp tools`: what the tools are."""

from __future__ import annotations

import argparse
import json

from ...declarations.catalog import enabled_tools
from ...declarations.model import Declaration
from ...errors import ConfigurationError
from ...settings import Settings
from ...text import did_you_mean
from ..terminal import style


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the tools, or one as clients see it.

    Raises:
        ConfigurationError: There is no tool of that name.
    """
    catalog = enabled_tools(settings)
    if arguments.name:
        if arguments.name not in catalog:
            fix = did_you_mean(arguments.name, catalog) or "`core13-mcp tools` lists the tools."
            raise ConfigurationError(f"there is no tool {arguments.name!r}", fix)
        print(json.dumps(catalog[arguments.name].to_mcp(), indent=2, ensure_ascii=False))
    elif arguments.json:
        print(json.dumps([tool.to_mcp() for tool in catalog.values()], indent=2, ensure_ascii=False))
    else:
        for tool in catalog.values():
            print(line(tool))
    return 0


def line(tool: Declaration) -> str:
    """A tool on one line: its name, its method, its title."""
    method = tool.endpoint.method
    color = "green" if tool.read_only else "red" if tool.annotations.destructive_hint else "yellow"
    return f"{style(f'{tool.name:45}', 'bold')} {style(f'{method:6}', color)} {tool.title}"
