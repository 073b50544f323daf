"""`core13-mcp tools`: what the tools are."""

from __future__ import annotations

import argparse
import json

from ..catalog import offered
from ..check import nearest
from ..declaration import Declaration
from ..errors import ConfigurationError
from ..settings import Settings
from ..terminal import styled


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the tools, or one as clients see it.

    Raises:
        ConfigurationError: There is no tool of that name.
    """
    catalog = offered(settings)
    if arguments.name:
        if arguments.name not in catalog:
            like = nearest(arguments.name, catalog)
            raise ConfigurationError(f"no tool {arguments.name!r}" + (f"; did you mean {like}?" if like else ""))
        print(json.dumps(catalog[arguments.name].wire, indent=2, ensure_ascii=False))
    elif arguments.json:
        print(json.dumps([tool.wire for tool in catalog.values()], indent=2, ensure_ascii=False))
    else:
        for tool in catalog.values():
            print(line(tool))
    return 0


def line(tool: Declaration) -> str:
    """A tool on one line: its name, its method, its title."""
    method = tool.endpoint.method
    style = "green" if tool.reads else "red" if tool.annotations.destructive_hint else "yellow"
    return f"{styled(f'{tool.name:45}', 'bold')} {styled(f'{method:6}', style)} {tool.title}"
