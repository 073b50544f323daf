"""Where something stands in a configuration file, and what to say of a file that cannot be read."""

from __future__ import annotations

from typing import Any

from ..errors import ConfigurationError

Step = str | tuple[str, str]
"""One step down: a name in an object, or the element of a list that has this value under that name."""


class Unparsable(ConfigurationError):
    """A file is not what it should be, at a place that can be told."""

    def __init__(self, text: str, at: int, why: str) -> None:
        self.line = text.count("\n", 0, at) + 1
        self.column = at - text.rfind("\n", 0, at)
        super().__init__(f"line {self.line}, column {self.column}: {why}")


def matches(step: Step, key: str, value: Any) -> bool:
    """Whether an item is the one that a step means."""
    if isinstance(step, str):
        return key == step
    return isinstance(value, dict) and value.get(step[0]) == step[1]
