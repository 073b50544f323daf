"""The declared tools, read from tools/."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache, partial
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..errors import ConfigurationError, DeclarationError
from ..settings import Settings
from .files import builtin_dir
from .model import Declaration
from .schema import Schema, inline

Catalog = Mapping[str, Declaration]
"""Declarations by tool name, in alphabetical order."""


def load(extra: str | None = None) -> Catalog:
    """Read every shipped declaration, then those of another folder over them.

    Raises:
        DeclarationError: A file is not a declaration, or is not named after its tool.
    """
    folders = [builtin_dir(), *([Path(extra)] if extra else [])]
    found = {tool.name: tool for folder in folders for tool in _read_all(folder)}
    return dict(sorted(found.items()))


def enabled_tools(settings: Settings, declared: Catalog | None = None) -> Catalog:
    """The tools to offer under these settings: chosen, and with the project taken out where it is pinned.

    Args:
        declared: Every declaration, where they were read already.

    Raises:
        ConfigurationError: A name or glob matches no tool.
        DeclarationError: A file is not a declaration.
    """
    catalog = load(settings.tools_dir) if declared is None else declared
    for glob in (*settings.tools, *settings.exclude_tools):
        if not any(fnmatchcase(name, glob) for name in catalog):
            raise ConfigurationError(f"{glob!r} matches no tool; `core13-mcp tools` lists them")
    chosen = {name: tool for name, tool in catalog.items() if _chosen(tool, settings)}
    return {name: with_pinned_project(tool) for name, tool in chosen.items()} if settings.project_id else chosen


def with_pinned_project(tool: Declaration) -> Declaration:
    """The same tool without its project argument, for a server that serves one project."""
    if tool.project is None:
        return tool
    name = tool.project.argument
    rest = {key: value for key, value in tool.arguments.items() if key != name}
    said = {
        **tool.model_dump(by_alias=True),
        "inputSchema": {**tool.input_schema, "properties": rest},
        "documented": {**tool.documented, name: "This server works on one project only; leave it out."},
    }
    return Declaration.model_validate(said)


def _chosen(tool: Declaration, settings: Settings) -> bool:
    def named(globs: tuple[str, ...]) -> bool:
        return any(fnmatchcase(tool.name, glob) for glob in globs)

    wanted = named(settings.tools) or not settings.tools
    return wanted and not named(settings.exclude_tools) and (tool.read_only or not settings.read_only)


def _read_all(folder: Traversable) -> Iterator[Declaration]:
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        raise ConfigurationError(f"CORE13_TOOLS_DIR cannot be read ({type(error).__name__}): {folder}") from None
    fields = cache(partial(_fields, folder))
    return (_read(entry, fields) for entry in entries if entry.name.endswith(".json"))


def _read(entry: Traversable, fields: Callable[[str], Any]) -> Declaration:
    try:
        said = inline(json.loads(entry.read_text("utf-8")), lambda reference: _resolve(fields, reference))
        declaration = Declaration.model_validate(said)
        for schema in _schemas(declaration):
            schema.check()  # here, and not in the first call
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors())
        raise DeclarationError(f"tools/{entry.name}: {told}") from None
    except (ValueError, LookupError, OSError, RecursionError) as error:
        raise DeclarationError(f"tools/{entry.name}: {error}") from None
    if entry.name != f"{declaration.name}.json":
        raise DeclarationError(f"tools/{entry.name} declares {declaration.name}; name the file after its tool")
    return declaration


def _schemas(tool: Declaration) -> Iterator[Schema]:
    yield from (tool.input_validator, tool.output_validator)
    yield from (rule.validator for rule in tool.rules)
    yield from (part.validator for part in (*tool.confirm, *tool.done))


def _resolve(fields: Callable[[str], Any], reference: str) -> Any:
    """Find what `fields/FILE.json#/NAME` names."""
    path, _, name = reference.partition("#/")
    return fields(path)[name]


def _fields(folder: Traversable, path: str) -> Any:
    """A file of fields, in the folder itself or else among the shipped ones; nowhere above them."""
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"{path} is outside the folder")
    held = folder / path
    return json.loads((held if held.is_file() else builtin_dir() / path).read_text("utf-8"))
