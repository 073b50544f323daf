"""The language of templates: questions, notes and hints with values of a call. Pure.

A template is text with placeholders such as `{arguments.id}` or `{answer.target_value:recipients}`. The word after
the colon is the form of the value. Without a form, numbers and booleans are plain, and text is quoted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import Enum
from string import Formatter
from typing import Any, NamedTuple

from ..jsonio import JSON
from ..text import get_path, quote, single_line
from .recipients import count, describe_change, describe_recipients, split_recipients

MAX_ITEMS = 30
_WORD = re.compile(r"[\w@-]{1,200}", re.ASCII)


class _Missing(Enum):
    """The type of `MISSING`, which stands for a value that does not exist."""

    MISSING = "unknown"


MISSING = _Missing.MISSING


class Placeholder(NamedTuple):
    """One placeholder of a template: `{path}`, `{path:form}` or `{path:form option}`."""

    path: str
    form: str
    option: str


def placeholders(template: str) -> Iterator[Placeholder]:
    """Return the placeholders of a template."""
    for _, placeholder in _parse(template):
        if placeholder:
            yield placeholder


def paths(template: str) -> set[str]:
    """Return the path of every value that a template uses."""
    parts = list(placeholders(template))
    compared = {part.option.removeprefix("since ") for part in parts if part.form == "recipients" and part.option}
    return compared | {part.path for part in parts}


def check_template(template: str) -> None:
    """Raise ValueError if a template has a syntax error or an unknown form."""
    for placeholder in placeholders(template):
        if placeholder.form not in FORMS:
            raise ValueError(
                f"{template!r}: no form {placeholder.form!r}; the forms are {', '.join(filter(None, FORMS))}"
            )


def fill(template: str, /, **values: Any) -> str:
    """Fill a template from JSON objects, such as `arguments` and `answer`, and from texts that need no quotation marks.

    Values inside the objects may be text of other people, so it is quoted unless the form makes it safe otherwise.
    A missing value becomes "unknown", and null becomes "none".
    """
    return "".join(
        literal + (_format(placeholder, values) if placeholder else "") for literal, placeholder in _parse(template)
    )


def _parse(template: str) -> Iterator[tuple[str, Placeholder | None]]:
    for literal, path, spec, _ in Formatter().parse(template):
        form, _, option = (spec or "").partition(" ")
        yield literal, Placeholder(path, form, option) if path is not None else None


def _format(placeholder: Placeholder, values: dict[str, Any]) -> str:
    value = get_path(values, placeholder.path, MISSING)
    if value is None or value is MISSING:
        return "unknown" if value is MISSING else "none"
    if "." not in placeholder.path:
        return single_line(_describe(value, str))
    return FORMS[placeholder.form](value, placeholder.option, values)


def _quoted(value: Any, _option: str, _values: JSON) -> str:
    return _describe(value, quote)


def _word(value: Any, _option: str, _values: JSON) -> str:
    return _describe(value, lambda text: text if _WORD.fullmatch(text) else quote(text))


def _describe(value: Any, describe_text: Callable[[str], str]) -> str:
    match value:
        case str():
            return describe_text(value)
        case list():
            items = ", ".join(_describe(item, describe_text) for item in value[:MAX_ITEMS])
            more = len(value) - MAX_ITEMS
            return f"{items} and {more} more" if more > 0 else items or "none"
        case dict():
            return quote(json.dumps(value, ensure_ascii=False))
        case _:
            return json.dumps(value)


def _time(value: Any, _option: str, _values: JSON) -> str:
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return _describe(value, quote)
    # The API reads a time without an offset as UTC.
    utc = time.astimezone(UTC) if time.tzinfo else time
    return f"{utc:%Y-%m-%d %H:%M:%S}".removesuffix(":00") + " UTC"


def _count(value: Any, noun: str, _values: JSON) -> str:
    number = len(split_recipients(value))
    return count(number, noun) if noun else str(number)


def _recipients(value: Any, since: str, values: JSON) -> str:
    if since:
        return describe_change(value, get_path(values, since.removeprefix("since "), MISSING))
    return describe_recipients(value)


def _either(value: Any, texts: str, _values: JSON) -> str:
    if_true, _, if_false = texts.partition("|")
    return f"{if_true} or {if_false}" if not isinstance(value, bool) else if_true if value else if_false


FORMS: dict[str, Callable[[Any, str, JSON], str]] = {
    "": _quoted,
    "word": _word,
    "time": _time,
    "count": _count,
    "recipients": _recipients,
    "either": _either,
}
"""How a value is written.

- no form: numbers and booleans plain, text quoted;
- `word`: the same, but a text of letters, digits, `_`, `-` and `@` is not quoted;
- `time`: a time in UTC;
- `count`, `count recipient`: the number of comma-separated entries, with a noun if there is one;
- `recipients`, `recipients since PATH`: addresses with marks, and what changed compared with the value at PATH;
- `either A|B`: A if the value is true, B if it is false.
"""
