"""TOML, edited in place: one table more or less, and every other byte as it was.

The standard library reads it and is the judge of each edit. tomlkit would keep the comments too, but of six small
files only two came back from an edit and its undoing as they had been.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from .paths import Step, Unparsable

_PLACE = re.compile(r"^(?P<why>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$", re.DOTALL)
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def read(text: str) -> Any:
    """The value of a text.

    Raises:
        Unparsable: It is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _told(text, str(error)) from None


def put(text: str, path: Sequence[Step], value: Any) -> str:
    """The text with a table at a path.

    Raises:
        Unparsable: It is not TOML, or holds this table in a form that is left to a person.
    """
    held = read(text)
    if _at(held, path) == value:
        return text
    lines = text.splitlines(keepends=True)
    spans = _spans(lines, path)
    newline = "\r\n" if "\r\n" in text else "\n"
    block = [line + newline for line in _rendered(path, value)]
    if spans:
        first = spans[0][0]
        kept = _without(lines, spans)
        edited = "".join([*kept[:first], *block, *kept[first:]])
    else:
        gap = "" if not text else newline if text.endswith("\n") else newline * 2
        edited = text + gap + "".join(block)
    return _verified(text, edited, _with(held, path, value))


def drop(text: str, path: Sequence[Step]) -> str:
    """The text without the table at a path, and as it is where there is none.

    Raises:
        Unparsable: It is not TOML, or holds this table in a form that is left to a person.
    """
    held = read(text)
    if _at(held, path) is None:
        return text
    lines = text.splitlines(keepends=True)
    spans = _spans(lines, path)
    if spans and spans[0][0] and not lines[spans[0][0] - 1].strip():
        spans[0] = (spans[0][0] - 1, spans[0][1])
    return _verified(text, "".join(_without(lines, spans)), _with(held, path, None))


def _told(text: str, message: str) -> Unparsable:
    found = _PLACE.match(message)
    if found is None or found["line"] is None:
        return Unparsable(text, len(text), found["why"] if found else message)
    before = text.split("\n")[: int(found["line"]) - 1]
    return Unparsable(text, sum(len(line) + 1 for line in before) + int(found["column"]) - 1, found["why"])


def _spans(lines: list[str], path: Sequence[Step]) -> list[tuple[int, int]]:
    """The lines of a table and of the tables under it; comments before the next table are that one's."""
    names = r"\s*\.\s*".join(f"[\"']?{re.escape(str(step))}[\"']?" for step in path)
    ours, header = re.compile(rf"\s*\[\s*{names}\s*(\..*)?\]"), re.compile(r"\s*\[")
    spans = []
    for start in (number for number, line in enumerate(lines) if ours.match(line)):
        after = range(start + 1, len(lines))
        stop = next((number for number in after if header.match(lines[number])), len(lines))
        while not lines[stop - 1].strip() or lines[stop - 1].lstrip().startswith("#"):
            stop -= 1
        spans.append((start, stop))
    return spans


def _without(lines: list[str], spans: list[tuple[int, int]]) -> list[str]:
    return [line for number, line in enumerate(lines) if not any(start <= number < stop for start, stop in spans)]


def _rendered(path: Sequence[Step], value: dict[str, Any]) -> list[str]:
    header = ".".join(_key(str(step)) for step in path)
    return [f"[{header}]", *(f"{_key(name)} = {_inline(part)}" for name, part in value.items())]


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _inline(name)


def _inline(value: Any) -> str:
    match value:
        case dict():
            return "{ " + ", ".join(f"{_key(name)} = {_inline(part)}" for name, part in value.items()) + " }"
        case list():
            return "[" + ", ".join(map(_inline, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _at(held: Any, path: Sequence[Step]) -> Any:
    for step in path:
        held = held.get(step) if isinstance(held, dict) else None
    return held


def _with(held: dict[str, Any], path: Sequence[Step], value: Any) -> dict[str, Any]:
    """What the file should hold after the edit; None takes the table out."""
    wanted = deepcopy(held)
    table = wanted
    for step in path[:-1]:
        table = table.setdefault(str(step), {})
    if value is None:
        table.pop(str(path[-1]))
    else:
        table[str(path[-1])] = value
    return wanted


def _verified(text: str, edited: str, wanted: dict[str, Any]) -> str:
    try:
        found = _pruned(tomllib.loads(edited))
    except tomllib.TOMLDecodeError:
        found = None
    if found != _pruned(wanted):
        raise Unparsable(text, len(text), "it holds this entry in a form that only a person can edit safely")
    return edited


def _pruned(value: Any) -> Any:
    """Without empty tables: a table that only held ours ends with it."""
    if not isinstance(value, dict):
        return value
    pruned = {name: _pruned(part) for name, part in value.items()}
    return {name: part for name, part in pruned.items() if part != {}}
