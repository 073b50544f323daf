"""Edit TOML files with tomlkit, which keeps comments.

The standard library parses the files, and verifies every edit.
Each function raises ParseError if the text is not TOML, or if the table has a form that cannot be edited.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from . import paths
from .paths import ParseError

_LOCATION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def read(text: str) -> Any:
    """Return the value of a text."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, offset = str(error), len(text)
        location = _LOCATION.search(message)
        if location and location[1]:
            lines = text.split("\n")[: int(location[1]) - 1]
            offset = sum(len(line) + 1 for line in lines) + int(location[2]) - 1
        raise ParseError(text, offset, _LOCATION.sub("", message)) from None


def set_value(text: str, path: Sequence[Any], value: dict[str, Any]) -> str:
    """Return the text with a table at a path.

    A new or changed table goes to the end of the text. If its parent is an inline table, it becomes a member of it.
    """
    import tomlkit
    from tomlkit.items import InlineTable

    if paths.get(read(text), path) == value:
        return text
    document: Any = tomlkit.parse(text)
    parent = paths.get(document, path[:-1])
    if isinstance(parent, InlineTable):
        parent[path[-1]] = _inline(value)
        return _verified(text, tomlkit.dumps(document), path, value)
    table: Any = {key: _inline(part) if isinstance(part, dict) else part for key, part in value.items()}
    for key in reversed(path):
        table = {key: table}
    newline = _newline(text)
    before = remove(text, path)
    before += newline if before and not before.endswith("\n") else ""
    before += newline if before and not before.endswith(newline * 2) else ""
    return _verified(text, before + tomlkit.dumps(table).replace("\n", newline), path, value)


def remove(text: str, path: Sequence[Any]) -> str:
    """Return the text without the table at a path, or the same text if there is none.

    tomlkit deletes the comments below a table together with the table. They usually belong to the next table, so
    they are kept.
    """
    import tomlkit

    if paths.get(read(text), path) is None:
        return text
    document: Any = tomlkit.parse(text)
    del paths.get(document, path[:-1])[path[-1]]
    edited = tomlkit.dumps(document)
    common = next(
        (index for index, pair in enumerate(zip(text, edited, strict=False)) if len(set(pair)) > 1), len(edited)
    )
    start = text.rfind("\n", 0, common) + 1
    end = start + len(text) - len(edited)
    # Otherwise the deleted text is not one block of lines: an inline table, or a table in several places.
    if text[:start] + text[end:] == edited:
        lines = text[start:end].splitlines(keepends=True)
        comments = list(takewhile(lambda line: line.strip()[:1] in ("", "#"), reversed(lines)))
        before, newline = text[:start], _newline(text)
        # The blank line between the table and the text before it.
        before = before.removesuffix(newline) if before.endswith(newline * 2) else before
        edited = before + "".join(reversed(comments)) + text[end:]
    return _verified(text, edited, path, None)


def _inline(value: dict[str, Any]) -> Any:
    import tomlkit

    table = tomlkit.inline_table()
    table.update(value)
    return table


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _verified(text: str, edited: str, path: Sequence[Any], value: Any) -> str:
    """Return the edited text if it differs only at the path, so that no edit loses data."""
    try:
        after = tomllib.loads(edited)
    except tomllib.TOMLDecodeError:
        after = {}
    if paths.get(after, path) != value or _without(after, path) != _without(tomllib.loads(text), path):
        raise ParseError(text, len(text), "this entry has a form that cannot be edited automatically; edit it by hand")
    return edited


def _without(value: Any, path: Sequence[Any]) -> Any:
    """Return the value without the member at a path, and without the tables that are empty then."""
    if not path or not isinstance(value, dict) or path[0] not in value:
        return value if path else {}
    inner = _without(value[path[0]], path[1:])
    others = {key: part for key, part in value.items() if key != path[0]}
    return others if inner == {} else {**others, path[0]: inner}
