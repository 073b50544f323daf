"""Text that other people wrote, made fit to pass on; and sentences made from templates. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
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


def strip_invisible(value: Any) -> Any:
    """Take invisible, bidirectional and tag characters out of every string of a JSON value, names included.

    They show nothing to a person and can carry instructions to a model.
    """
    match value:
        case str():
            # Most text is plain, and telling that is ten times cheaper than searching it.
            return value if value.isascii() and value.isprintable() else _UNSEEN.sub("", value)
        case dict():
            return {strip_invisible(name): strip_invisible(part) for name, part in value.items()}
        case list():
            return [strip_invisible(part) for part in value]
        case _:
            return value


_ASCII = bytes(range(128))

# Escapes that can stand for an invisible character.
_SUSPECT_ESCAPE = re.compile(rb"\\[ubf]")


def may_have_invisible(text: bytes) -> bool:
    """Whether a string in a JSON text can have an invisible character. Much faster than `strip_invisible`."""
    # A zero byte means UTF-16 or UTF-32. `in` finds a single byte much faster than a pattern finds an escape.
    if b"\0" in text or b"\x7f" in text or (b"\\" in text and _SUSPECT_ESCAPE.search(text)):
        return True
    if text.isascii():
        return False
    return _UNSEEN.search(text.translate(None, _ASCII).decode("utf-8", "surrogatepass")) is not None


def single_line(text: str, longest: int = 300) -> str:
    """The text on one line, without what cannot be seen, and cut to at most `longest` characters."""
    line = " ".join(strip_invisible(text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


class _Sentence(Formatter):
    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, str]:
        return get_path(kwargs, field_name), field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "count":
            return str(len([entry for entry in str(value or "").split(",") if entry.strip()]))
        if isinstance(value, bool):
            return str(value).lower()
        return single_line(", ".join(map(str, value)) if isinstance(value, list) else str(value))


def render(template: str, **values: Any) -> str:
    """Fill `{arguments.id}` or `{answer.target:count}` from JSON values; what is missing becomes "unknown".

    `count` is the number of comma-separated entries. Values are put on one line and capped.
    """
    return _Sentence().vformat(template, (), values)


def get_path(value: Any, path: str) -> Any:
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


_WORDS = re.compile(r"-|(?<=[a-z0-9])(?=[A-Z])")


_SYNONYMS = {"delete": "destroy", "remove": "destroy", "get": "retrieve", "read": "retrieve", "show": "retrieve"}
_SYNONYMS |= {"add": "create", "new": "create", "edit": "update", "change": "update", "find": "list", "search": "list"}


def suggestions(name: str, known: Iterable[str]) -> list[str]:
    """The known names that may have been meant, if any: up to three that share its words, or the one spelled alike."""
    name = name[:100]  # longer than any that was ever meant, and comparing takes time
    names, words = list(known), _words(name)
    same = [other for other in names if _words(other) == words]
    sharing = same or [other for other in names if _words(other) <= words or words <= _words(other)]
    return sharing if 0 < len(sharing) <= 3 else get_close_matches(name.lower(), names, n=1, cutoff=0.6)


def closest(name: str, known: Iterable[str]) -> str | None:
    """The one known name that was most likely meant, if any."""
    return next(iter(get_close_matches(name[:100].lower(), suggestions(name, known), n=1, cutoff=0)), None)


def _words(name: str) -> set[str]:
    words = _WORDS.sub("_", name).lower().split("_")
    return {_SYNONYMS.get(word, word) for word in words}
