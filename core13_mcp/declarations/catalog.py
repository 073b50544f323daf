"""The catalog of declared tools, read from tools/."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema_rs import ValidationError as SchemaValidationError
from pydantic import ValidationError

from ..errors import DeclarationError
from ..jsonio import compact_json
from ..settings import Settings
from ..templates.language import check_template
from ..text import single_line
from .directory import display_path
from .files import enabled_names, read_declarations, without_project
from .model import Declaration
from .problems import Problem, find_problems
from .schema import Schema

# Declarations by tool name, in alphabetical order.
Catalog = Mapping[str, Declaration]

# The keys of a declaration that have a list of messages with conditions.
_CONDITIONAL = ("rules", "checks", "confirm", "done", "notes")

# The correct forms of keywords of JSON Schema.
_SCHEMA_FORMS = {
    "type": '"string", "integer", "number", "boolean", "array" or "object"',
    "properties": "an object of schemas",
    "required": "a list of different names",
    "enum": "a list of values",
    "items": "a schema",
    "pattern": "a regular expression without lookahead and back references",
}


def load(extra_dir: str | None = None) -> Catalog:
    """Read and validate every declaration. Those in `extra_dir` replace built-in ones with the same name.

    Raises:
        ConfigurationError: `extra_dir` cannot be read.
        DeclarationError: A file is not a valid declaration, or has another name than its tool.
    """
    folder = Path(extra_dir) if extra_dir else None
    contents = read_declarations(extra_dir)
    return {name: parse(name, content, display_path(name, folder)) for name, content in contents.items()}


def parse(name: str, content: Any, file: str) -> Declaration:
    """Return the declaration with this content; `name` is the name of its file without suffix.

    Raises:
        DeclarationError: The content is not a valid declaration.
    """
    try:
        declaration = Declaration.model_validate(content)
    except ValidationError as error:
        raise DeclarationError(file, *map(str, find_problems(error))) from None
    problems = [*_schema_problems(declaration), *_template_problems(declaration), *_file_problems(name, declaration)]
    if problems:
        raise DeclarationError(file, *map(str, problems))
    return declaration


def enabled_tools(settings: Settings, declared: Catalog | None = None) -> Catalog:
    """Return the tools that the settings enable, without the project argument if the project is fixed.

    `declared` is the result of `load`, if the caller has it already.
    """
    catalog = load(settings.tools_dir) if declared is None else declared
    names = enabled_names({name: tool.read_only for name, tool in catalog.items()}, settings)
    return {name: _without_project(catalog[name]) if settings.project_id else catalog[name] for name in names}


def _without_project(tool: Declaration) -> Declaration:
    return Declaration.model_validate(without_project(tool.model_dump(by_alias=True)))


def _schema_problems(tool: Declaration) -> Iterator[Problem]:
    """Yield a problem for each JSON Schema that is wrong. It would fail in the first call that needs it."""
    schemas = [("inputSchema", tool.input_schema), ("outputSchema", tool.output_schema)]
    for key in _CONDITIONAL:
        schemas += [(f"{key}.{index}.when", part.when) for index, part in enumerate(getattr(tool, key))]
    schemas += [(f"confirm.{index}.answer", part.answer) for index, part in enumerate(tool.confirm)]
    schemas += [(f"hide.{index}.when", part.when) for index, part in enumerate(tool.hide)]
    for key, definition in schemas:
        try:
            Schema(definition)
        except SchemaValidationError as error:
            path = [str(step) for step in error.instance_path]
            value = single_line(compact_json(error.instance), 60)
            form = _SCHEMA_FORMS.get((path or [""])[-1], "a valid JSON Schema")
            yield Problem(".".join([key, *path]), f"the value is {value}", f"The correct form is {form}.")


def _template_problems(tool: Declaration) -> Iterator[Problem]:
    """Yield a problem for each template that is wrong, and if a question would need the responses of two requests."""
    templates = [(f"confirm.{index}.title", entry.title or "") for index, entry in enumerate(tool.confirm)]
    # The messages of rules are templates only if there are derived values for them.
    for key in ("confirm", "done", "notes", *(["rules"] if tool.derive else [])):
        templates += [(f"{key}.{index}.message", part.message) for index, part in enumerate(getattr(tool, key))]
    templates += [(f"hints.{status}", hint) for status, hint in tool.hints.items()]
    for key, template in templates:
        try:
            check_template(template)
        except ValueError as error:
            yield Problem(key, str(error), "A value is written as {arguments.NAME}, and a brace as {{ or }}.")
    if len({entry.read for entry in tool.confirm if entry.read}) > 1:
        yield Problem("confirm", "all entries with `read` must have the same one")
    for index, entry in enumerate(tool.confirm):
        if entry.answer and not entry.read:
            yield Problem(f"confirm.{index}", "`answer` needs `read`", "Add the path of the GET request to read.")


def _file_problems(name: str, tool: Declaration) -> Iterator[Problem]:
    if name != tool.name:
        yield Problem("name", f"the file declares the tool {tool.name}", f"Rename the file to {tool.name}.json.")
    if tool.review:
        decisions = " ".join(f"({number}) {text}" for number, text in enumerate(tool.review, 1))
        message = f"{len(tool.review)} open decisions: {decisions}"
        yield Problem("review", message, "Make each decision, and remove its line from the list.")
