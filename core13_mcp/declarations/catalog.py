"""The catalog of declared tools, read from tools/."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..errors import DeclarationError
from ..settings import Settings
from ..templates.language import check_template
from .base import ConditionalMessage
from .directory import display_path
from .files import enabled_names, read_declarations, without_project
from .model import Declaration
from .problems import describe_problems
from .schema import Schema

# Declarations by tool name, in alphabetical order.
Catalog = Mapping[str, Declaration]


def load(extra_dir: str | None = None) -> Catalog:
    """Read and validate every declaration. Those in `extra_dir` replace built-in ones with the same name.

    Raises:
        ConfigurationError: `extra_dir` cannot be read.
        DeclarationError: A file is not a valid declaration, or has another name than its tool.
    """
    folder = Path(extra_dir) if extra_dir else None
    contents = read_declarations(extra_dir)
    return {name: _parse(name, content, display_path(name, folder)) for name, content in contents.items()}


def enabled_tools(settings: Settings, declared: Catalog | None = None) -> Catalog:
    """Return the tools that the settings enable, without the project argument if the project is fixed.

    `declared` is the result of `load`, if the caller has it already.
    """
    catalog = load(settings.tools_dir) if declared is None else declared
    names = enabled_names({name: tool.read_only for name, tool in catalog.items()}, settings)
    return {name: _without_project(catalog[name]) if settings.project_id else catalog[name] for name in names}


def _check_templates(tool: Declaration) -> None:
    """Raise ValueError if a template is wrong, or if one question would need the responses of two requests."""
    titles = [entry.title for entry in tool.confirm if entry.title]
    # The messages of rules are templates only if there are derived values for them.
    parts = (*tool.confirm, *tool.done, *tool.notes, *(tool.rules if tool.derive else ()))
    for template in (*titles, *(part.message for part in parts), *tool.hints.values()):
        check_template(template)
    if len({entry.read for entry in tool.confirm if entry.read}) > 1:
        raise ValueError("confirm: all entries with `read` must have the same one")
    if any(entry.answer and not entry.read for entry in tool.confirm):
        raise ValueError("confirm: `answer` needs `read`")


def _without_project(tool: Declaration) -> Declaration:
    return Declaration.model_validate(without_project(tool.model_dump(by_alias=True)))


def _conditional_messages(tool: Declaration) -> tuple[ConditionalMessage, ...]:
    return (*tool.rules, *tool.checks, *tool.confirm, *tool.done, *tool.notes)


def _parse(name: str, content: Any, file: str) -> Declaration:
    try:
        declaration = Declaration.model_validate(content)
        conditions = [part.when for part in _conditional_messages(declaration)]
        conditions += [entry.answer for entry in declaration.confirm]
        for definition in (declaration.input_schema, declaration.output_schema, *conditions):
            # A wrong schema fails here at start, and not in the first call.
            Schema(definition)
        _check_templates(declaration)
        if name != declaration.name:
            raise ValueError(f"it declares the tool {declaration.name}; rename the file to {declaration.name}.json")
        return declaration
    except ValidationError as error:
        raise DeclarationError(f"{file}: {describe_problems(error)}") from None
    except ValueError as error:
        raise DeclarationError(f"{file}: {error}") from None
