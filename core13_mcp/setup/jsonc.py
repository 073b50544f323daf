"""Edit JSON files, with or without comments, in place.

Everything outside the edited value keeps its exact text.
No maintained Python library preserves comments: jsonc-edit requires Node, and json-five has had no release since 2024.
Each function raises ParseError if the text is not JSON, or if a value on a path has the wrong type.
"""

from __future__ import annotations

import json
import re
from typing import Any

from .json_document import Container, Document
from .paths import KeyPath, PathStep, newline

_INDENT = re.compile(r"\n([ \t]+)\S")


def read(text: str, comments: bool = True) -> Any:
    """Return the value of a text; an empty object if there is none.

    `comments`: whether comments and trailing commas are allowed.
    """
    document = Document(text)
    pairs = () if comments else zip(text, document.plain, strict=True)
    for offset, (character, plain) in enumerate(pairs):
        if character not in (plain, "\ufeff"):
            raise document.error(offset, "comments and trailing commas are not allowed in this file")
    return document.value


def duplicates(text: str, path: KeyPath) -> list[str]:
    """Return the names on a path that occur several times in their object. Programs read the last one."""
    document = Document(text)
    steps = [] if document.is_empty else document.walk(path)
    names = [(item.name, [other.name for other in container.items]) for container, item in steps if item]
    return [name for name, members in names if name and members.count(name) > 1]


def set_value(text: str, path: KeyPath, value: Any) -> str:
    """Return the text with a value at a path. Missing objects and lists on the path are created."""
    if Document(text).is_empty:
        line_end = newline(text)
        # A comment can be the last line.
        text += (line_end if text.strip("\ufeff \t\r\n") and not text.endswith("\n") else "") + "{}" + line_end
    *parents, (container, item) = Document(text).walk(path)
    if item is None:
        step, *inner = path[len(parents) :]
        for inner_step in reversed(inner):
            value = {inner_step: value} if isinstance(inner_step, str) else [value]
        return _insert(text, container, step, value)
    if item.value == value:
        return text
    return text[: item.value_start] + _dump(text, value, _indent_at(text, item.value_start)) + text[item.end :]


def remove(text: str, path: KeyPath) -> str:
    """Return the text without the value at a path, or the same text if there is none.

    Without the value at an empty path, only comments stay.
    """
    document = Document(text)
    if document.is_empty:
        return text
    if not path:
        start, end = document.span
        return text[:start] + text[end:]
    *_, (container, item) = document.walk(path)
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


def _insert(text: str, container: Container, step: PathStep, value: Any) -> str:
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


def _dump(text: str, value: Any, indent: str) -> str:
    lines = json.dumps(value, ensure_ascii=False, indent=_indent_unit(text)).split("\n")
    return (newline(text) + indent).join(lines)


def _indent_unit(text: str) -> str:
    match = _INDENT.search(text)
    return match[1] if match else "  "


def _indent_at(text: str, offset: int) -> str:
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return line[: len(line) - len(line.lstrip(" \t"))]
