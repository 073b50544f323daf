"""Paths to values in a configuration file, and the error for a file that cannot be parsed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ConfigurationError

# One step from a value to a value inside it: a member name of an object, or, for a list, the element that is an
# object with this member name and value.
PathStep = str | tuple[str, str]
KeyPath = Sequence[PathStep]


class ParseError(ConfigurationError):
    """A file does not have the expected format; the message states line and column."""


def get(value: Any, path: KeyPath) -> Any:
    """Return the value at a path, or None if there is none."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            items = value if isinstance(value, list) else ()
            value = next((item for item in items if isinstance(item, dict) and item.get(step[0]) == step[1]), None)
    return value


def newline(text: str) -> str:
    """Return the line end of a text."""
    return "\r\n" if "\r\n" in text else "\n"
