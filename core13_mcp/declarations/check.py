"""Checks a directory of declarations: each file loads, and follows the rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import ConfigurationError, DeclarationError
from .catalog import Catalog, load, parse
from .directory import read_declaration
from .files import with_confirmation
from .model import Declaration
from .rules import rule_problems


@dataclass(frozen=True, slots=True)
class FileReport:
    """The problems of one file, each with its key path, the reason and the correct form."""

    file: str
    problems: tuple[str, ...]


def check_directory(folder: Path, builtin: Catalog | None = None) -> list[FileReport]:
    """Return a report for each file of a directory, without problems if the file is correct.

    `builtin` has the built-in tools, to which declarations can refer, if the caller has them already.

    Raises:
        ConfigurationError: The directory cannot be read, or contains no declaration.
    """
    reports = dict(_load_files(folder))
    tools = {name: tool for name, tool in reports.items() if isinstance(tool, Declaration)}
    catalog = {**(load() if builtin is None else builtin), **tools}
    return [
        FileReport(str(folder / f"{name}.json"), _problems(tool, catalog) if isinstance(tool, Declaration) else tool)
        for name, tool in reports.items()
    ]


def _problems(tool: Declaration, catalog: dict[str, Declaration]) -> tuple[str, ...]:
    return tuple(map(str, rule_problems(tool, catalog)))


def _load_files(folder: Path) -> Iterator[tuple[str, Declaration | tuple[str, ...]]]:
    """Yield the name of each file with its declaration, or with the problems that prevent its loading."""
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == ".json")
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be read: {error.strerror}", "Name a directory.") from None
    if not files:
        raise ConfigurationError(f"{folder} contains no .json file", "`core13-mcp draft` writes a declaration.")
    for file in files:
        try:
            content = with_confirmation(read_declaration(file, folder))
            yield file.stem, parse(file.stem, content, str(file))
        except DeclarationError as error:
            yield file.stem, error.problems
