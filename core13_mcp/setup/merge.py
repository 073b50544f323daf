"""Add, remove and read this server's entry in the text of a configuration file. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from types import MappingProxyType
from typing import Any, NamedTuple

from . import jsonc, paths, toml
from .entries import Change
from .paths import PathStep


class Editor(NamedTuple):
    """Functions on the text of a file format. Each raises ParseError if the text does not have the format."""

    read: Callable[[str], Any]
    set: Callable[[str, Sequence[PathStep], Any], str]
    remove: Callable[[str, Sequence[PathStep]], str]


EDITORS: Mapping[str, Editor] = MappingProxyType(
    {
        "json": Editor(
            partial(jsonc.read, comments=False),
            partial(jsonc.set_value, comments=False),
            partial(jsonc.remove, comments=False),
        ),
        "jsonc": Editor(jsonc.read, jsonc.set_value, jsonc.remove),
        "toml": Editor(toml.read, toml.set_value, toml.remove),
    }
)


def add(file_format: str, text: str, changes: Sequence[Change]) -> str:
    """Return the text with the changes made. The rest of the text does not change.

    Raises:
        ParseError: The text does not have the format, or a value on a path has the wrong type.
    """
    return reduce(lambda edited, change: EDITORS[file_format].set(edited, *change), changes, text)


def remove(file_format: str, text: str, locations: Sequence[tuple[PathStep, ...]]) -> str:
    """Return the text without the values at the given paths. The rest of the text does not change.

    Raises:
        ParseError: The text does not have the format.
    """
    present = [location for location in locations if get(file_format, text, location) is not None]
    return reduce(EDITORS[file_format].remove, present, text)


def get(file_format: str, text: str, location: tuple[PathStep, ...]) -> Any:
    """Return the value at a path; None if there is none or the text is empty.

    Raises:
        ParseError: The text does not have the format.
    """
    return paths.get(EDITORS[file_format].read(text) if text.strip("\ufeff \t\r\n") else {}, location)
