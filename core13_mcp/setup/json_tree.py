"""JSON with comments and trailing commas, read with the place of every part."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from .paths import Unparsable

_SPACE = re.compile(r"[ \t\r\n]*")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_SCALAR = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
_STRINGS = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands: `text[start:end]`."""

    value: Any
    start: int
    end: int
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """A member of an object, or an element of a list, whose key is empty. `comma` is where its comma stands."""

    key: str
    start: int
    node: Node
    comma: int | None


def parse(text: str, comments: bool = True) -> Node:
    """The value of a text, with the place of each of its parts.

    Raises:
        Unparsable: It is not JSON.
    """
    reader = _Reader(text, comments)
    try:
        node = reader.value(reader.skip(1 if text.startswith("\ufeff") else 0))
    except RecursionError:
        raise Unparsable(text, 0, "it is nested too deeply") from None
    end = reader.skip(node.end)
    if end != len(text):
        raise Unparsable(text, end, "something follows the end of the value")
    return node


class _Reader:
    def __init__(self, text: str, comments: bool) -> None:
        self._text = text
        self._comments = comments

    def skip(self, at: int) -> int:
        """Where the next thing stands after white space and comments."""
        while True:
            at = _SPACE.match(self._text, at).end()  # type: ignore[union-attr] # it matches nothing, too
            comment = _COMMENT.match(self._text, at)
            if comment is None:
                return at
            if not self._comments:
                raise Unparsable(self._text, at, "comments are not allowed in this file")
            at = comment.end()

    def value(self, at: int) -> Node:
        first = self._text[at : at + 1]
        if first in ("{", "["):
            return self._container(at, first == "{")
        if first == '"':
            value, end = self._string(at)
            return Node(value, at, end)
        scalar = _SCALAR.match(self._text, at)
        if scalar is None:
            raise Unparsable(self._text, at, "a value is expected here")
        return Node(json.loads(scalar[0]), at, scalar.end())

    def _container(self, start: int, is_object: bool) -> Node:
        items: list[Item] = []
        at, close = self.skip(start + 1), "}" if is_object else "]"
        while self._text[at : at + 1] != close:
            if items and items[-1].comma is None:
                raise Unparsable(self._text, at, f"a comma or {close} is expected here")
            items.append(self._item(at, is_object))
            last = items[-1]
            at = self.skip(last.node.end if last.comma is None else last.comma + 1)
        if items and items[-1].comma is not None and not self._comments:
            raise Unparsable(self._text, at, f"a comma before {close} is not allowed in this file")
        values: Any = (
            {item.key: item.node.value for item in items} if is_object else [item.node.value for item in items]
        )
        return Node(values, start, at + 1, tuple(items))

    def _item(self, start: int, is_object: bool) -> Item:
        key, at = "", start
        if is_object:
            if self._text[at : at + 1] != '"':
                raise Unparsable(self._text, at, 'a name in "quotes" is expected here')
            key, end = self._string(at)
            colon = self.skip(end)
            if self._text[colon : colon + 1] != ":":
                raise Unparsable(self._text, colon, "a colon is expected here")
            at = self.skip(colon + 1)
        node = self.value(at)
        after = self.skip(node.end)
        return Item(key, start, node, after if self._text[after : after + 1] == "," else None)

    def _string(self, at: int) -> tuple[str, int]:
        try:
            value, end = _STRINGS.raw_decode(self._text, at)
        except json.JSONDecodeError as error:
            raise Unparsable(self._text, error.pos, error.msg) from None
        return str(value), end
