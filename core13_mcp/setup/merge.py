"""Add, remove and read values in the text of a configuration file. Pure functions.

Each raises ParseError if the text does not have the format, or if a value on a path has the wrong type.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from types import ModuleType
from typing import Any

from . import jsonc, paths, toml
from .entries import Change
from .paths import PathStep


def add(file_format: str, text: str, changes: Iterable[Change]) -> str:
    """Return the text with the changes made. The rest of the text does not change."""
    _read(file_format, text)
    editor = _editor(file_format)
    return reduce(lambda edited, change: str(editor.set_value(edited, *change)), changes, text)


def remove(file_format: str, text: str, locations: Iterable[tuple[PathStep, ...]]) -> str:
    """Return the text without the values at the paths. The rest of the text does not change."""
    value = _read(file_format, text)
    present = (location for location in locations if paths.get(value, location) is not None)
    return reduce(_editor(file_format).remove, present, text)


def get(file_format: str, text: str, location: tuple[PathStep, ...]) -> Any:
    """Return the value at a path, or None if there is none."""
    return paths.get(_read(file_format, text), location)


def _read(file_format: str, text: str) -> Any:
    if not text.strip("\ufeff \t\r\n"):
        return {}
    return toml.read(text) if file_format == "toml" else jsonc.read(text, comments=file_format == "jsonc")


def _editor(file_format: str) -> ModuleType:
    return toml if file_format == "toml" else jsonc
