"""`core13-mcp tools`: list the tools, or show the definition of one.

This module imports the standard library only, so that the command takes some milliseconds.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from ...declarations.files import MCP_KEYS, enabled_declarations, read_declarations
from ...errors import ConfigurationError
from ...settings import Settings
from ...text import did_you_mean
from ..terminal import style


def run(arguments: Namespace, settings: Settings) -> int:
    """Print one line for each enabled tool, or definitions as clients receive them.

    Raises:
        Core13Error: A declaration is not valid, or no enabled tool has the name.
    """
    declarations = _read_enabled(settings)
    if arguments.name:
        if arguments.name not in declarations:
            fix = did_you_mean(arguments.name, declarations) or "`core13-mcp tools` lists the tools."
            raise ConfigurationError(f"there is no tool {arguments.name!r}", fix)
        _print_json(_definition(declarations[arguments.name]))
    elif arguments.json:
        _print_json([_definition(declaration) for declaration in declarations.values()])
    else:
        for declaration in declarations.values():
            print(_line(declaration))
    return 0


def _read_enabled(settings: Settings) -> Mapping[str, Any]:
    if settings.tools_dir is None:
        return enabled_declarations(read_declarations(), settings)
    # Added declarations need validation, which takes half a second to import.
    from ...declarations.catalog import enabled_tools

    return {name: tool.model_dump(by_alias=True) for name, tool in enabled_tools(settings).items()}


def _definition(declaration: Mapping[str, Any]) -> dict[str, Any]:
    return {key: declaration[key] for key in MCP_KEYS}


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def _line(declaration: Mapping[str, Any]) -> str:
    hints, method = declaration["annotations"], declaration["endpoint"]["method"]
    color = "green" if hints["readOnlyHint"] else "red" if hints["destructiveHint"] else "yellow"
    return f"{style(declaration['name'].ljust(45), 'bold')} {style(method.ljust(6), color)} {declaration['title']}"
