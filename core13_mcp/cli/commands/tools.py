"""`core13-mcp tools`: list the tools, or show the definition of one. Standard library only in the usual case."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from ...declarations.files import MCP_KEYS, ToolFilter, enabled_declarations, read_declarations
from ...errors import ConfigurationError
from ...options import flags
from ...startup_settings import read_startup_settings
from ..terminal import style


def run(arguments: Namespace, environ: Mapping[str, str]) -> int:
    """Print one line for each enabled tool, or definitions as clients receive them.

    Raises:
        Core13Error: The settings are not valid, or no enabled tool has the name.
    """
    declarations = _read_enabled(environ, flags(arguments))
    if arguments.name:
        if arguments.name not in declarations:
            raise ConfigurationError(_unknown_tool(arguments.name, declarations))
        _print_json(_definition(declarations[arguments.name]))
    elif arguments.json:
        _print_json([_definition(declaration) for declaration in declarations.values()])
    else:
        for declaration in declarations.values():
            print(_line(declaration))
    return 0


def _read_enabled(environ: Mapping[str, str], overrides: Mapping[str, str | bool]) -> Mapping[str, Any]:
    settings = read_startup_settings(environ, overrides)
    if settings is not None:
        tool_filter = ToolFilter(settings.tools, settings.exclude_tools, settings.read_only)
        return enabled_declarations(read_declarations(), tool_filter, fixed_project=settings.project_id is not None)
    # Only pydantic can decide whether these settings, or the declarations that they add, are valid.
    from ...declarations.catalog import enabled_tools
    from ...settings import Settings

    catalog = enabled_tools(Settings.read(environ, overrides))
    return {name: tool.model_dump(by_alias=True) for name, tool in catalog.items()}


def _definition(declaration: Mapping[str, Any]) -> dict[str, Any]:
    return {key: declaration[key] for key in MCP_KEYS}


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def _line(declaration: Mapping[str, Any]) -> str:
    hints, method = declaration["annotations"], declaration["endpoint"]["method"]
    color = "green" if hints["readOnlyHint"] else "red" if hints["destructiveHint"] else "yellow"
    return f"{style(declaration['name'].ljust(45), 'bold')} {style(method.ljust(6), color)} {declaration['title']}"


def _unknown_tool(name: str, declarations: Mapping[str, Any]) -> str:
    from ...text import closest

    suggestion = closest(name, declarations)
    return f"no tool {name!r}" + (f"; did you mean {suggestion}?" if suggestion else "")
