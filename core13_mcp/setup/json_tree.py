"""A JSON parser that accepts comments and trailing commas and returns offsets."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from .paths import ParseError

_SPACE = re.compile(r"[ \t\r\n]*")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_SCALAR = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
_STRINGS = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its source range: `text[start:end]`."""

    value: Any
    start: int
    end: int
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """A member of an object or an element of a list.

    Attributes:
        key: The member name; empty for a list element.
        comma: Offset of the comma after the item; None if there is no comma.
    """

    key: str
    start: int
    node: Node
    comma: int | None


def parse(text: str, comments: bool = True) -> Node:
    """Parse a text.

    Args:
        comments: Whether comments and trailing commas are allowed.

    Raises:
        ParseError: The text is not JSON.
    """
    parser = _Parser(text, comments)
    try:
        node = parser.value(parser.skip(1 if text.startswith("\ufeff") else 0))
    except RecursionError:
        raise ParseError(text, 0, "the file is nested too deeply") from None
    end = parser.skip(node.end)
    if end != len(text):
        raise ParseError(text, end, "there is more text after the end of the value")
    return node


class _Parser:
    def __init__(self, text: str, comments: bool) -> None:
        self._text = text
        self._comments = comments

    def skip(self, offset: int) -> int:
        """Return the offset after white space and comments."""
        while True:
            offset = _SPACE.match(self._text, offset).end()  # type: ignore[union-attr] # the pattern always matches
            comment = _COMMENT.match(self._text, offset)
            if comment is None:
                return offset
            if not self._comments:
                raise ParseError(self._text, offset, "comments are not allowed in this file")
            offset = comment.end()

    def value(self, offset: int) -> Node:
        first = self._text[offset : offset + 1]
        if first in ("{", "["):
            return self._container(offset, first == "{")
        if first == '"':
            value, end = self._string(offset)
            return Node(value, offset, end)
        scalar = _SCALAR.match(self._text, offset)
        if scalar is None:
            raise ParseError(self._text, offset, "expected a value")
        return Node(json.loads(scalar[0]), offset, scalar.end())

    def _container(self, start: int, is_object: bool) -> Node:
        items: list[Item] = []
        offset, close = self.skip(start + 1), "}" if is_object else "]"
        while self._text[offset : offset + 1] != close:
            if items and items[-1].comma is None:
                raise ParseError(self._text, offset, f"expected a comma or {close}")
            items.append(self._item(offset, is_object))
            last = items[-1]
            offset = self.skip(last.node.end if last.comma is None else last.comma + 1)
        if items and items[-1].comma is not None and not self._comments:
            raise ParseError(self._text, offset, f"a comma before {close} is not allowed in this file")
        values: Any = (
            {item.key: item.node.value for item in items} if is_object else [item.node.value for item in items]
        )
        return Node(values, start, offset + 1, tuple(items))

    def _item(self, start: int, is_object: bool) -> Item:
        key, offset = "", start
        if is_object:
            if self._text[offset : offset + 1] != '"':
                raise ParseError(self._text, offset, 'expected a name in "quotes"')
            key, end = self._string(offset)
            colon = self.skip(end)
            if self._text[colon : colon + 1] != ":":
                raise ParseError(self._text, colon, "expected a colon")
            offset = self.skip(colon + 1)
        node = self.value(offset)
        after = self.skip(node.end)
        return Item(key, start, node, after if self._text[after : after + 1] == "," else None)

    def _string(self, offset: int) -> tuple[str, int]:
        try:
            value, end = _STRINGS.raw_decode(self._text, offset)
        except json.JSONDecodeError as error:
            raise ParseError(self._text, error.pos, error.msg) from None
        return str(value), end
