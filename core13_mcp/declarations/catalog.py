"""The catalog of declared tools, read from tools/."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from ..errors import DeclarationError
from ..settings import Settings
from .files import ToolFilter, read_declarations, without_project
from .model import Declaration
from .schema import Schema

# Declarations by tool name, in alphabetical order.
Catalog = Mapping[str, Declaration]


def load(extra_dir: str | None = None) -> Catalog:
    """Read and validate every declaration.

    Args:
        extra_dir: A directory with more declarations. They replace built-in ones with the same name.

    Raises:
        ConfigurationError: `extra_dir` cannot be read.
        DeclarationError: A file is not a valid declaration, or has another name than its tool.
    """
    return {name: _parse(name, content) for name, content in read_declarations(extra_dir).items()}


def enabled_tools(settings: Settings, declared: Catalog | None = None) -> Catalog:
    """Return the tools that the settings enable, without the project argument if the project is fixed.

    Args:
        declared: The result of `load`, if the caller has it already.

    Raises:
        ConfigurationError: A tool name or glob in the settings matches no tool.
        DeclarationError: A file is not a valid declaration.
    """
    catalog = load(settings.tools_dir) if declared is None else declared
    tool_filter = ToolFilter(settings.tools, settings.exclude_tools, settings.read_only)
    tool_filter.check(catalog)
    enabled = {name: tool for name, tool in catalog.items() if tool_filter.is_enabled(name, tool.read_only)}
    return {name: with_pinned_project(tool) for name, tool in enabled.items()} if settings.project_id else enabled


def with_pinned_project(tool: Declaration) -> Declaration:
    """Return the tool without its project argument, for a server with a fixed project."""
    if tool.project is None:
        return tool
    note = {tool.project.argument: "This server works on one project only; leave it out."}
    content = without_project(tool.model_dump(by_alias=True))
    return Declaration.model_validate({**content, "documented": {**tool.documented, **note}})


def _parse(name: str, content: Any) -> Declaration:
    try:
        declaration = Declaration.model_validate(content)
        # Compile every schema now, so that a wrong one fails at start and not in the first call.
        for schema in _schemas(declaration):
            schema.check()
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors())
        raise DeclarationError(f"tools/{name}.json: {problems}") from None
    except ValueError as error:
        raise DeclarationError(f"tools/{name}.json: {error}") from None
    if name != declaration.name:
        raise DeclarationError(
            f"tools/{name}.json declares the tool {declaration.name}; rename the file to {declaration.name}.json"
        )
    return declaration


def _schemas(tool: Declaration) -> Iterator[Schema]:
    yield from (tool.input_validator, tool.output_validator)
    yield from (rule.validator for rule in tool.rules)
    yield from (part.validator for part in (*tool.confirm, *tool.done))
