"""A parsed JSON text with comments and trailing commas, and the offsets of its values.

Comments and trailing commas become spaces in a copy of the text, so that the standard library can parse the copy, and
offsets in the copy are offsets in the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from .paths import KeyPath, ParseError, PathStep

# Group 1 of the two patterns stays as it is.
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_COMMENT = re.compile(rf"({_STRING})|\A\ufeff|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TRAILING_COMMA = re.compile(rf"({_STRING}|[\[{{,]\s*,)|,(?=\s*[\]}}])", re.DOTALL)

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
_KINDS = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
_KINDS |= {int: "a number", float: "a number"}


class Item(NamedTuple):
    """A member of an object, or an element of a list, which has no name.

    `start` is the offset of the name, or of an element. `comma` is the offset of the comma after the item, if any.
    """

    name: str
    value: Any
    start: int
    value_start: int
    end: int
    comma: int | None

    def matches(self, step: PathStep) -> bool:
        if isinstance(step, str):
            return self.name == step
        return isinstance(self.value, dict) and self.value.get(step[0]) == step[1]


class Container(NamedTuple):
    """An object or a list: `text[start:end]`."""

    start: int
    end: int
    items: list[Item]


class Document:
    """A parsed text.

    `value` is its value, and an empty object if there are only comments. `plain` is the text without comments and
    trailing commas.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._uncommented = _blank(_COMMENT, text)
        self.plain = _blank(_TRAILING_COMMA, self._uncommented)
        self.is_empty = not self.plain.strip()
        try:
            self.value = {} if self.is_empty else json.loads(self.plain)
        except json.JSONDecodeError as error:
            raise self.error(error.pos, error.msg) from None
        except RecursionError:
            raise self.error(0, "the file is nested too deeply") from None

    def error(self, offset: int, reason: str) -> ParseError:
        line, column = self.text.count("\n", 0, offset) + 1, offset - self.text.rfind("\n", 0, offset)
        return ParseError(f"line {line}, column {column}: {reason}")

    @property
    def span(self) -> tuple[int, int]:
        """The offsets of the value."""
        start = self._skip(0)
        return start, _DECODER.raw_decode(self.plain, start)[1]

    def walk(self, path: KeyPath) -> Iterator[tuple[Container, Item | None]]:
        """Yield the container and the item of each step, up to the first item that does not exist."""
        start, name = self._skip(0), "the file"
        for step in path:
            container = self._container(start, step, name)
            # Of several members with the same name the last one counts.
            item = next((item for item in reversed(container.items) if item.matches(step)), None)
            yield container, item
            if item is None:
                return
            start, name = item.value_start, f'"{item.name}"'

    def _skip(self, offset: int) -> int:
        return _SPACE.match(self._uncommented, offset).end()  # type: ignore[union-attr] # the pattern always matches

    def _container(self, start: int, step: PathStep, name: str) -> Container:
        opening, kind = ("{", "object") if isinstance(step, str) else ("[", "array")
        if self.text[start] != opening:
            value, _ = _DECODER.raw_decode(self.plain, start)
            raise self.error(start, f"{name} is {_KINDS[type(value)]}, and not an {kind}")
        items: list[Item] = []
        offset = self._skip(start + 1)
        while self.text[offset] not in "}]":
            name, value_start = "", offset
            if kind == "object":
                name, end = _DECODER.raw_decode(self.plain, offset)
                colon = self._skip(end)
                value_start = self._skip(colon + 1)
            value, end = _DECODER.raw_decode(self.plain, value_start)
            after = self._skip(end)
            comma = after if self._uncommented[after] == "," else None
            items.append(Item(name, value, offset, value_start, end, comma))
            offset = after if comma is None else self._skip(comma + 1)
        return Container(start, offset + 1, items)


def _blank(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda match: match[1] or " " * len(match[0]), text)
