"""Edit JSON files, with or without comments, in place.

Everything outside the edited value keeps its exact text.
Each function raises ParseError if the text is not JSON, or if a value on a path has the wrong type.
No maintained Python library preserves comments: jsonc-edit requires Node, and json-five has had no release since 2024.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from .json_tree import Item, Node, parse
from .paths import ParseError, PathStep, matches

_INDENT = re.compile(r"\n([ \t]+)\S")


def read(text: str, comments: bool = True) -> Any:
    """Return the value of a text. `comments`: whether comments and trailing commas are allowed."""
    return parse(text, comments).value


def set_value(text: str, path: Sequence[PathStep], value: Any) -> str:
    """Return the text with a value at a path. Missing objects and lists on the path are created."""
    text = text if text.strip("\ufeff \t\r\n") else "{}" + _newline(text)
    node = parse(text)
    for depth, step in enumerate(path):
        item = _find(node, step, text)
        if item is None:
            return _insert(text, node, step, _wrap(path[depth + 1 :], value))
        node = item.node
    if node.value == value:
        return text
    return text[: node.start] + _dump(text, value, _indent_at(text, node.start)) + text[node.end :]


def remove(text: str, path: Sequence[PathStep]) -> str:
    """Return the text without the value at a path, or the same text if there is none."""
    node = parse(text)
    for step in path[:-1]:
        item = _find(node, step, text)
        if item is None:
            return text
        node = item.node
    item = _find(node, path[-1], text)
    return text if item is None else _remove(text, node, item)


def _find(node: Node, step: PathStep, text: str) -> Item | None:
    """Return the item that a step selects: the last one of several members with its name."""
    container = dict if isinstance(step, str) else list
    if not isinstance(node.value, container):
        raise ParseError(text, node.start, f"expected an {'object' if container is dict else 'array'}")
    return next((item for item in reversed(node.items) if matches(step, item.key, item.node.value)), None)


def _wrap(path: Sequence[PathStep], value: Any) -> Any:
    for step in reversed(path):
        value = {step: value} if isinstance(step, str) else [value]
    return value


def _insert(text: str, node: Node, step: PathStep, value: Any) -> str:
    """Add an item at the end of an object or list, in the style of the existing items."""
    name = f"{json.dumps(step, ensure_ascii=False)}: " if isinstance(step, str) else ""
    outer = _indent_at(text, node.start)
    if not node.items:
        inner = outer + _indent_unit(text)
        item = _newline(text) + inner + name + _dump(text, value, inner) + _newline(text) + outer
        comments = text[node.start + 1 : node.end - 1].rstrip()
        return text[: node.start + 1] + comments + item + text[node.end - 1 :]
    last = node.items[-1]
    if "\n" in text[node.start : node.end]:
        indent = _indent_at(text, last.start)
        item = _newline(text) + indent + name + _dump(text, value, indent)
    else:
        item = " " + name + json.dumps(value, ensure_ascii=False)
    end = len(text[: node.end - 1].rstrip(" \t\r\n"))
    if last.comma is not None:
        return text[:end] + item + "," + text[end:]
    return text[: last.node.end] + "," + text[last.node.end : end] + item + text[end:]


def _remove(text: str, node: Node, item: Item) -> str:
    start = len(text[: item.start].rstrip(" \t\r\n"))
    end = item.node.end if item.comma is None else item.comma + 1
    index = node.items.index(item)
    before = text[node.items[index - 1].node.end if index else node.start : start]
    if "//" in before.rpartition("\n")[2] and text[end:].lstrip(" \t")[:1] not in ("\r", "\n"):
        # Keep the line break after a line comment, or the text after the item becomes part of the comment.
        start = item.start
    if len(node.items) == 1 and not text[end : node.end - 1].strip() and start == node.start + 1:
        return text[:start] + text[node.end - 1 :]
    if item.comma is None and index:
        comma = node.items[index - 1].comma
        assert comma is not None
        return text[:comma] + text[comma + 1 : start] + text[end:]
    return text[:start] + text[end:]


def _dump(text: str, value: Any, indent: str) -> str:
    lines = json.dumps(value, ensure_ascii=False, indent=_indent_unit(text)).split("\n")
    return (_newline(text) + indent).join(lines)


def _indent_unit(text: str) -> str:
    match = _INDENT.search(text)
    return match[1] if match else "  "


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _indent_at(text: str, offset: int) -> str:
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return line[: len(line) - len(line.lstrip(" \t"))]
