"""Sanitizing text from the API, filling templates, and suggesting names. Pure, standard library only."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Any

# Characters that a person does not see, except tab and line ends: the default-ignorable ones of Unicode, and others.
_HIDDEN = (
    "\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"  # control characters except tab and line ends
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, joiners and fillers
    "\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # zero width, line separators, bidirectional
    "\u2800\u3164\uffa0\ufff0-\ufffb\U00016fe4\U0001d159"  # blanks, fillers and unassigned characters
    "\ufe00-\ufe0e\ud800-\udfff"  # variation selectors and lone surrogates
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # format controls of hieroglyphs, shorthand and music
    "\U000e0000-\U000e0fff"  # tags and variation selectors, which can encode a hidden message
)
# Joiners and the emoji selector are part of the spelling between emoji, and between letters of some scripts.
_EMOJI = "[\u2190-\u27bf\u2900-\u2bff\u3030\U0001f000-\U0001faff]"
_LETTER = "[\u0620-\u06ff\u0750-\u077f\u08a0-\u08c7\u0900-\u0dff]"  # Arabic, Persian and the scripts of India
_REMOVED = re.compile(
    f"[{_HIDDEN}]"
    f"|\ufe0f(?<!{_EMOJI}\ufe0f)"
    f"|\u200c(?!(?<={_LETTER}\u200c){_LETTER})"
    f"|\u200d(?!(?<={_LETTER}\u200d){_LETTER}|(?:(?<={_EMOJI}\u200d)|(?<={_EMOJI}\ufe0f\u200d)){_EMOJI})"
)
_JOINERS = "\u200c\u200d\ufe0f"
INVISIBLE = re.compile(f"[{_HIDDEN}{_JOINERS}]")

# Characters that one search reads. Other threads can run only between two searches.
_CHUNK = 65536

# Characters of a long text that are read for each character that is shown. More are needed only for text that is almost
# completely invisible.
_START = 20


def strip_invisible(value: Any) -> Any:
    """Remove invisible, bidirectional and tag characters from every string of a JSON value, including property names.

    A person does not see such characters, but they can contain instructions to a model.
    """
    match value:
        case str():
            # Most text is plain ASCII. This check takes a tenth of the time of the search.
            return value if value.isascii() and value.isprintable() else _strip(value)
        case dict():
            return {strip_invisible(name): strip_invisible(part) for name, part in value.items()}
        case list():
            return [strip_invisible(part) for part in value]
        case _:
            return value


def _strip(text: str) -> str:
    return "".join(_REMOVED.sub("", chunk) for chunk in _chunks(text))


def _chunks(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = start + _CHUNK
        # A joiner stays with its neighbours. More than two in a row are never part of the spelling.
        while end < start + _CHUNK + 4 and any(joiner in text[end - 1 : end + 1] for joiner in _JOINERS):
            end += 1
        yield text[start:end]
        start = end


_ASCII = bytes(range(128))

# A DEL, and a zero byte, which means UTF-16 or UTF-32. Python finds single bytes very fast.
_SUSPECT_BYTES = (b"\x7f", b"\0")

# Escapes that can stand for an invisible character.
_SUSPECT_ESCAPE = re.compile(rb"\\[ubf]")


def may_have_invisible(text: bytes) -> bool:
    """Whether a string in a JSON text can have an invisible character. Much faster than `strip_invisible`."""
    if any(byte in text for byte in _SUSPECT_BYTES) or (b"\\" in text and _SUSPECT_ESCAPE.search(text)):
        return True
    if text.isascii():
        return False
    return any(map(INVISIBLE.search, _chunks(text.translate(None, _ASCII).decode("utf-8", "surrogatepass"))))


def single_line(text: str, max_length: int = 300) -> str:
    """Return the text on one line, without invisible characters, truncated to `max_length` characters."""
    start = text[: _START * max_length]
    line = to_line(start)
    is_whole = len(line) <= max_length and len(start) == len(text)
    return line if is_whole else line[: max_length - 1] + "…"


def to_line(text: str) -> str:
    """Return the text on one line, without invisible characters and runs of spaces.

    Text from files, the API and the network is printed in this form, so that it cannot control a terminal or look like
    a line of this program.
    """
    return " ".join(strip_invisible(text).split())


def escape_invisible(text: str) -> str:
    """Replace invisible characters in a JSON text by escapes. The text has the same value."""
    return _REMOVED.sub(lambda match: json.dumps(match[0])[1:-1], text)


# Quotation marks of every kind, and characters that look like them.
_QUOTATION_MARK = re.compile(
    "["
    "\"'`\u00b4\u00ab\u00bb\u2018-\u201f\u2039\u203a"
    "\u02b9-\u02bf\u02c8\u02ca\u02cb\u02dd\u02ee\u055a\u05f3\u05f4\u2032-\u2037"  # modifiers and primes
    "\u275b-\u275e\u276e\u276f\u2e42\u300c-\u300f\u301d-\u301f\ufe41-\ufe44\uff02\uff07\uff40\uff62\uff63"
    "]"
)


def quote(text: str, max_length: int = 300) -> str:
    """Return text of other people on one line in “quotation marks” that it cannot close.

    Quotation marks inside become apostrophes. Text that is truncated has its length behind it.
    """
    # The start of a long text is enough. To search all of it would keep other threads waiting.
    start = text[: _START * max_length]
    line = _QUOTATION_MARK.sub("'", to_line(start))
    is_whole = len(start) == len(text)
    if is_whole and len(line) <= max_length:
        return f"“{line}”"
    return f"“{line[:max_length]}…” ({len(line) if is_whole else len(text)} characters)"


def get_path(value: Any, path: str, missing: Any = None) -> Any:
    """Return the value at a dotted path of a JSON object, or `missing`."""
    for step in path.split("."):
        value = value.get(step, missing) if isinstance(value, dict) else missing
    return value


_WORD_BOUNDARY = re.compile(r"-|(?<=[a-z0-9])(?=[A-Z])")

_SYNONYMS = {"delete": "destroy", "remove": "destroy", "get": "retrieve", "read": "retrieve", "show": "retrieve"}
_SYNONYMS |= {"add": "create", "new": "create", "edit": "update", "change": "update", "find": "list", "search": "list"}


def did_you_mean(name: str, candidates: Iterable[str], display: Callable[[str], str] = str) -> str:
    """Return a question such as `Did you mean "users-list"?` with the most similar candidates, or an empty string."""
    names = " or ".join(f'"{display(candidate)}"' for candidate in suggestions(name, candidates))
    return f"Did you mean {names}?" if names else ""


def suggestions(name: str, candidates: Iterable[str]) -> list[str]:
    """Return up to three candidates that are similar to a name, the most similar first.

    Candidates are similar if one of the two names consists of words of the other. Otherwise the candidate with the
    most similar spelling is returned, or those that start with the name.
    """
    # Longer names are not similar to any candidate, and comparing them takes time.
    name = name[:100]
    candidates = list(candidates)
    words = _words(name)
    same = [other for other in candidates if _words(other) == words]
    similar = same or [other for other in candidates if _words(other) <= words or words <= _words(other)]
    if 0 < len(similar) <= 3:
        return get_close_matches(name.lower(), similar, n=3, cutoff=0)
    closest = get_close_matches(name.lower(), candidates, n=1, cutoff=0.6)
    return closest or [other for other in candidates if name and other.startswith(name)][:3]


def _words(name: str) -> set[str]:
    words = _WORD_BOUNDARY.sub("_", name).lower().split("_")
    return {_SYNONYMS.get(word, word) for word in words}
