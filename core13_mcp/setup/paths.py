"""Paths to values in a configuration file, and the error for a file that cannot be parsed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ConfigurationError

# One step from a value to a value inside it: a member name of an object, or, for a list, the element that is an
# object with this member name and value.
PathStep = str | tuple[str, str]


class ParseError(ConfigurationError):
    """A file does not have the expected format; the message states line and column."""

    def __init__(self, text: str, offset: int, reason: str) -> None:
        self.line = text.count("\n", 0, offset) + 1
        self.column = offset - text.rfind("\n", 0, offset)
        super().__init__(f"line {self.line}, column {self.column}: {reason}")


def matches(step: PathStep, key: str, value: Any) -> bool:
    """Whether a step selects the item with this key and value."""
    if isinstance(step, str):
        return key == step
    return isinstance(value, dict) and value.get(step[0]) == step[1]


def get(value: Any, path: Sequence[PathStep]) -> Any:
    """Return the value at a path, or None if there is none."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            elements = value if isinstance(value, list) else []
            value = next((element for element in elements if matches(step, "", element)), None)
    return value
