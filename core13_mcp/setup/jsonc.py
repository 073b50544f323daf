"""Edit JSON files, with or without comments, in place.

Everything outside the edited value keeps its exact text. Comments and trailing commas become spaces in a copy of the
text, so that the standard library can parse the copy, and offsets in the copy are offsets in the text.
No maintained Python library preserves comments: jsonc-edit requires Node, and json-five has had no release since 2024.
Each function raises ParseError if the text is not JSON, or if a value on a path has the wrong type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from .paths import KeyPath, ParseError, PathStep, newline

# Group 1 of the two patterns stays as it is.
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_COMMENT = re.compile(rf"({_STRING})|\A\ufeff|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TRAILING_COMMA = re.compile(rf"({_STRING}|[\[{{,]\s*,)|,(?=\s*[\]}}])", re.DOTALL)

_SPACE = re.compile(r"[ \t\r\n]*")
_INDENT = re.compile(r"\n([ \t]+)\S")
_DECODER = json.JSONDecoder()


class _Item(NamedTuple):
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


class _Container(NamedTuple):
    """An object or a list: `text[start:end]`."""

    start: int
    end: int
    items: list[_Item]


class _Document:
    """A parsed text. `value` is its value, `plain` the text without comments and trailing commas."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._uncommented = _blank(_COMMENT, text)
        self.plain = _blank(_TRAILING_COMMA, self._uncommented)
        try:
            self.value = json.loads(self.plain)
        except json.JSONDecodeError as error:
            raise self.error(error.pos, error.msg) from None
        except RecursionError:
            raise self.error(0, "the file is nested too deeply") from None

    def error(self, offset: int, reason: str) -> ParseError:
        line, column = self.text.count("\n", 0, offset) + 1, offset - self.text.rfind("\n", 0, offset)
        return ParseError(f"line {line}, column {column}: {reason}")

    def walk(self, path: KeyPath) -> Iterator[tuple[_Container, _Item | None]]:
        """Yield the container and the item of each step, up to the first item that does not exist."""
        start = self._skip(0)
        for step in path:
            container = self._container(start, step)
            # Of several members with the same name the last one counts.
            item = next((item for item in reversed(container.items) if item.matches(step)), None)
            yield container, item
            if item is None:
                return
            start = item.value_start

    def _skip(self, offset: int) -> int:
        return _SPACE.match(self._uncommented, offset).end()  # type: ignore[union-attr] # the pattern always matches

    def _container(self, start: int, step: PathStep) -> _Container:
        opening, kind = ("{", "object") if isinstance(step, str) else ("[", "array")
        if self.text[start] != opening:
            raise self.error(start, f"expected an {kind}")
        items: list[_Item] = []
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
            items.append(_Item(name, value, offset, value_start, end, comma))
            offset = after if comma is None else self._skip(comma + 1)
        return _Container(start, offset + 1, items)


def read(text: str, comments: bool = True) -> Any:
    """Return the value of a text. `comments`: whether comments and trailing commas are allowed."""
    document = _Document(text)
    pairs = () if comments else zip(text, document.plain, strict=True)
    for offset, (character, plain) in enumerate(pairs):
        if character not in (plain, "\ufeff"):
            raise document.error(offset, "comments and trailing commas are not allowed in this file")
    return document.value


def set_value(text: str, path: KeyPath, value: Any) -> str:
    """Return the text with a value at a path. Missing objects and lists on the path are created."""
    text = text if text.strip("\ufeff \t\r\n") else "{}" + newline(text)
    *parents, (container, item) = _Document(text).walk(path)
    if item is None:
        step, *inner = path[len(parents) :]
        for inner_step in reversed(inner):
            value = {inner_step: value} if isinstance(inner_step, str) else [value]
        return _insert(text, container, step, value)
    if item.value == value:
        return text
    return text[: item.value_start] + _dump(text, value, _indent_at(text, item.value_start)) + text[item.end :]


def remove(text: str, path: KeyPath) -> str:
    """Return the text without the value at a path, or the same text if there is none."""
    *_, (container, item) = _Document(text).walk(path)
    if item is None:
        return text
    items = container.items
    start = len(text[: item.start].rstrip(" \t\r\n"))
    end = item.end if item.comma is None else item.comma + 1
    index = items.index(item)
    before = text[items[index - 1].end if index else container.start : start]
    if "//" in before.rpartition("\n")[2] and text[end:].lstrip(" \t")[:1] not in ("\r", "\n"):
        # Keep the line break after a line comment, or the text after the item becomes part of the comment.
        start = item.start
    if len(items) == 1 and not text[end : container.end - 1].strip() and start == container.start + 1:
        return text[:start] + text[container.end - 1 :]
    if item.comma is None and index:
        comma = items[index - 1].comma
        assert comma is not None
        return text[:comma] + text[comma + 1 : start] + text[end:]
    return text[:start] + text[end:]


def _insert(text: str, container: _Container, step: PathStep, value: Any) -> str:
    """Add an item at the end of an object or list, in the style of the existing items."""
    start, end, items = container
    name = f"{json.dumps(step, ensure_ascii=False)}: " if isinstance(step, str) else ""
    line_end, indent = newline(text), _indent_at(text, start)
    if not items:
        inner = indent + _indent_unit(text)
        item = line_end + inner + name + _dump(text, value, inner) + line_end + indent
        return text[: end - 1].rstrip(" \t\r\n") + item + text[end - 1 :]
    last = items[-1]
    if "\n" in text[start:end]:
        indent = _indent_at(text, last.start)
        item = line_end + indent + name + _dump(text, value, indent)
    else:
        item = " " + name + json.dumps(value, ensure_ascii=False)
    before = text[: end - 1].rstrip(" \t\r\n")
    if last.comma is not None:
        return before + item + "," + text[len(before) :]
    return text[: last.end] + "," + before[last.end :] + item + text[len(before) :]


def _blank(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda match: match[1] or " " * len(match[0]), text)


def _dump(text: str, value: Any, indent: str) -> str:
    lines = json.dumps(value, ensure_ascii=False, indent=_indent_unit(text)).split("\n")
    return (newline(text) + indent).join(lines)


def _indent_unit(text: str) -> str:
    match = _INDENT.search(text)
    return match[1] if match else "  "


def _indent_at(text: str, offset: int) -> str:
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return line[: len(line) - len(line.lstrip(" \t"))]
