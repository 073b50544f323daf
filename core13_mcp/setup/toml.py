"""Edit TOML files with tomlkit, which keeps comments. The standard library verifies every edit.

Each function raises ParseError if the text is not TOML, or if the table has a form that cannot be edited.
"""

from __future__ import annotations

import tomllib
from itertools import takewhile
from typing import Any

from . import paths
from .paths import KeyPath, ParseError, newline


def read(text: str) -> Any:
    """Return the value of a text."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # The message contains line and column.
        raise ParseError(str(error)) from None


def set_value(text: str, path: KeyPath, value: dict[str, Any]) -> str:
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
        parent.update({path[-1]: value})
        return _verified(text, tomlkit.dumps(document), path, value)
    table: Any = value
    for key in reversed(path):
        table = {key: table}
    before, line_end = remove(text, path), newline(text)
    separator = "" if not before else line_end if before.endswith("\n") else line_end * 2
    return _verified(text, before + separator + tomlkit.dumps(table).replace("\n", line_end), path, value)


def remove(text: str, path: KeyPath) -> str:
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
    pairs = enumerate(zip(text, edited, strict=False))
    difference = next((offset for offset, (old, new) in pairs if old != new), len(edited))
    start = text.rfind("\n", 0, difference) + 1
    end = start + len(text) - len(edited)
    # Otherwise the deleted text is not one block of lines: an inline table, or a table in several places.
    if text[:start] + text[end:] == edited:
        lines = text[start:end].splitlines(keepends=True)
        comments = list(takewhile(lambda line: line.strip()[:1] in ("", "#"), reversed(lines)))
        before, line_end = text[:start], newline(text)
        # The blank line between the table and the text before it.
        before = before.removesuffix(line_end) if before.endswith(line_end * 2) else before
        edited = before + "".join(reversed(comments)) + text[end:]
    return _verified(text, edited, path, None)


def _verified(text: str, edited: str, path: KeyPath, value: Any) -> str:
    """Return the edited text if it differs only at the path, so that no edit loses data."""
    try:
        is_correct = paths.get(tomllib.loads(edited), path) == value and _without(edited, path) == _without(text, path)
    except tomllib.TOMLDecodeError:
        is_correct = False
    if not is_correct:
        raise ParseError(
            "this entry has a form that cannot be edited automatically; edit it by hand, as `install --print` shows"
        )
    return edited


def _without(text: str, path: KeyPath) -> dict[str, Any]:
    """Return the value of a text with all parents of a path, but without the table at the path."""
    content = tomllib.loads(text)
    parent: Any = content
    for key in path[:-1]:
        parent = parent.setdefault(key, {})
    parent.pop(path[-1], None)
    return content
