"""JSON with comments, edited in place: what is not touched stays as it is, byte for byte.

The libraries that keep comments need Node (jsonc-edit) or bring a parser generator and have not moved for two years
(json-five). What is needed here is small: where each value stands in the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from .json_tree import Item, Node, parse
from .paths import Step, Unparsable, matches

_INDENT = re.compile(r"\n([ \t]+)\S")


def read(text: str, comments: bool = True) -> Any:
    """The value of a text.

    Raises:
        Unparsable: It is not JSON, or has comments or trailing commas where none are allowed.
    """
    return parse(text, comments).value


def put(text: str, path: Sequence[Step], value: Any, comments: bool = True) -> str:
    """The text with a value at a path; objects and lists on the way there are made.

    Raises:
        Unparsable: It is not JSON, or something else stands in the way.
    """
    text = text if text.strip("\ufeff \t\r\n") else "{}" + _newline(text)
    node = parse(text, comments)
    for place, step in enumerate(path):
        item = _find(node, step, text)
        if item is None:
            return _insert(text, node, step, _nested(path[place + 1 :], value))
        node = item.node
    if node.value == value:
        return text
    return text[: node.start] + _dumped(text, value, _indent_at(text, node.start)) + text[node.end :]


def drop(text: str, path: Sequence[Step], comments: bool = True) -> str:
    """The text without what stands at a path, and as it is where nothing does.

    Raises:
        Unparsable: It is not JSON.
    """
    node = parse(text, comments)
    for step in path[:-1]:
        item = _find(node, step, text)
        if item is None:
            return text
        node = item.node
    item = _find(node, path[-1], text)
    return text if item is None else _remove(text, node, item)


def _find(node: Node, step: Step, text: str) -> Item | None:
    """The item for a step; of two members with one name the last, as every reader takes it."""
    wanted = dict if isinstance(step, str) else list
    if not isinstance(node.value, wanted):
        raise Unparsable(text, node.start, f"an {'object' if wanted is dict else 'array'} is expected here")
    return next((item for item in reversed(node.items) if matches(step, item.key, item.node.value)), None)


def _nested(path: Sequence[Step], value: Any) -> Any:
    for step in reversed(path):
        value = {step: value} if isinstance(step, str) else [value]
    return value


def _insert(text: str, node: Node, step: Step, value: Any) -> str:
    """The text with one more item at the end of an object or a list, in the style of those that are there."""
    name = f"{json.dumps(step, ensure_ascii=False)}: " if isinstance(step, str) else ""
    outer = _indent_at(text, node.start)
    if not node.items:
        inner = outer + _unit(text)
        said = _newline(text) + inner + name + _dumped(text, value, inner) + _newline(text) + outer
        notes = text[node.start + 1 : node.end - 1].rstrip()
        return text[: node.start + 1] + notes + said + text[node.end - 1 :]
    last = node.items[-1]
    if "\n" in text[node.start : node.end]:
        indent = _indent_at(text, last.start)
        said = _newline(text) + indent + name + _dumped(text, value, indent)
    else:
        said = " " + name + json.dumps(value, ensure_ascii=False)
    at = len(text[: node.end - 1].rstrip(" \t\r\n"))
    if last.comma is not None:
        return text[:at] + said + "," + text[at:]
    return text[: last.node.end] + "," + text[last.node.end : at] + said + text[at:]


def _remove(text: str, node: Node, item: Item) -> str:
    start = len(text[: item.start].rstrip(" \t\r\n"))
    end = item.node.end if item.comma is None else item.comma + 1
    place = node.items.index(item)
    before = text[node.items[place - 1].node.end if place else node.start : start]
    if "//" in before.rpartition("\n")[2] and text[end:].lstrip(" \t")[:1] not in ("\r", "\n"):
        start = item.start  # what follows must not end up in a comment
    if len(node.items) == 1 and not text[end : node.end - 1].strip() and start == node.start + 1:
        return text[:start] + text[node.end - 1 :]
    if item.comma is None and place:
        comma = node.items[place - 1].comma
        assert comma is not None
        return text[:comma] + text[comma + 1 : start] + text[end:]
    return text[:start] + text[end:]


def _dumped(text: str, value: Any, indent: str) -> str:
    lines = json.dumps(value, ensure_ascii=False, indent=_unit(text)).split("\n")
    return (_newline(text) + indent).join(lines)


def _unit(text: str) -> str:
    found = _INDENT.search(text)
    return found[1] if found else "  "


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _indent_at(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]
