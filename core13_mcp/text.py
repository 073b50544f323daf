"""Text that other people wrote, made fit to pass on; and sentences made from templates. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import Formatter
from typing import Any

_UNSEEN = re.compile(
    "["
    "\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"  # controls, but for tab and line ends
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, joiners and fillers
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"  # zero width, bidirectional
    "\ud800-\udfff"  # halves of characters, which are not text
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # signs that only arrange others
    "\U000e0000-\U000e0fff"  # tags and variation selectors: a whole message can hide in them
    "]"
)


def clean(value: Any) -> Any:
    """Take invisible, bidirectional and tag characters out of every string of a JSON value, names included.

    They show nothing to a person and can carry instructions to a model.
    """
    match value:
        case str():
            # Most text is plain, and telling that is ten times cheaper than searching it.
            return value if value.isascii() and value.isprintable() else _UNSEEN.sub("", value)
        case dict():
            return {clean(name): clean(part) for name, part in value.items()}
        case list():
            return [clean(part) for part in value]
        case _:
            return value


def nothing_unseen(text: bytes) -> bool:
    """Whether no string in a JSON text can hold anything to take out: telling that is cheap, and true of most.

    JSON itself forbids bare control characters; what remains would need an escape, or be outside ASCII. (A zero byte
    is UTF-16 or UTF-32, in which anything can look like ASCII.)
    """
    return text.isascii() and not any(byte in text for byte in (b"\\", b"\x7f", b"\0"))


def one_line(text: str, longest: int = 300) -> str:
    """The text on one line, without what cannot be seen, and cut to at most `longest` characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


class _Sentence(Formatter):
    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, str]:
        return at(kwargs, field_name), field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "count":
            return str(len([entry for entry in str(value or "").split(",") if entry.strip()]))
        if isinstance(value, bool):
            return str(value).lower()
        return one_line(", ".join(map(str, value)) if isinstance(value, list) else str(value))


def fill(template: str, **values: Any) -> str:
    """Fill `{arguments.id}` or `{answer.target:count}` from JSON values; what is missing becomes "unknown".

    `count` is the number of comma-separated entries. Values are put on one line and capped.
    """
    return _Sentence().vformat(template, (), values)


def at(value: Any, path: str) -> Any:
    """What stands at a dotted path, or "unknown"."""
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return "unknown" if value is None else value


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value, names included."""
    match value:
        case str():
            yield value
        case dict():
            for name, part in value.items():
                yield name
                yield from strings(part)
        case list():
            for part in value:
                yield from strings(part)
