"""Strict parsing and compact serialization of JSON. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json, to_json

JSON = Mapping[str, Any]

# Levels of nested lists and objects. The validator, the SDK and Python's stack have limits of their own.
MAX_DEPTH = 64

# Brackets and commas in the JSON text of a response, and of a client's request. Their values are copied and checked
# several times. Each of them takes much more memory and time than its byte.
MAX_TOKENS = 100_000
MAX_REQUEST_TOKENS = 20_000

# Bits of the largest double. Python takes quadratic time to read and write the digits of a larger integer.
_MAX_INT_BITS = 1024

# More digits than `_MAX_INT_BITS` allow.
_TOO_MANY_DIGITS = b"0" * 310
_DIGITS_TO_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)

_NOT_TOKENS = bytes(set(range(256)) - set(b"[{,"))


def parse_json(text: str | bytes, max_tokens: int = MAX_REQUEST_TOKENS) -> Any:
    """Parse JSON strictly: without NaN, Infinity, and numbers such as 1e999.

    Raises:
        ValueError: The text is not JSON, is nested deeper than `MAX_DEPTH`, or has more than `max_tokens`.
    """
    if has_more_tokens(text, max_tokens):
        raise ValueError("too many values")
    try:
        # Without a cache of strings, an object with very many names takes half of the time.
        value = from_json(text, allow_inf_nan=False, cache_strings="none")
    except ValueError:
        # Not JSON, or JSON that the fast parser does not support, such as UTF-16 and halves of surrogate pairs.
        try:
            value = json.loads(text)
        except RecursionError:
            raise ValueError("nested too deeply") from None
    _check(value)
    return value


def json_error(value: Any) -> str | None:
    """Return why a value cannot be sent as JSON, or None if it can."""
    try:
        _check(value, finite=False)
    except ValueError as error:
        return str(error)
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        return "contains half of a character (a lone surrogate)"
    except (ValueError, TypeError):
        return "contains a number that JSON cannot represent"
    return None


def compact_json(value: Any) -> str:
    """Serialize a value without whitespace. The value must not contain lone surrogates."""
    return to_json(value).decode()


def has_more_tokens(text: str | bytes | bytearray, limit: int) -> bool:
    """Whether a JSON text has more brackets and commas than the limit."""
    return len(text) > limit and _count_tokens(text) > limit


def may_have_long_number(text: bytes) -> bool:
    """Whether a JSON text has more digits in a row than a number may have. They can also be in a string."""
    return _TOO_MANY_DIGITS in text.translate(_DIGITS_TO_ZEROS)


def _count_tokens(text: str | bytes | bytearray) -> int:
    if isinstance(text, str):
        return sum(map(text.count, "[{,"))
    return len(text.translate(None, _NOT_TOKENS))  # six times as fast as `count`


def _check(value: Any, levels: int = MAX_DEPTH, *, finite: bool = True) -> None:
    """Raise ValueError if a parsed value is nested too deeply, or has a number that is too large or not finite."""
    if levels < 0:
        raise ValueError(f"is nested deeper than {MAX_DEPTH} levels")
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else (value,)
    for part in parts:
        kind = type(part)
        if kind is dict or kind is list:
            _check(part, levels - 1, finite=finite)
        elif kind is float and finite and not math.isfinite(part):
            raise ValueError("not a finite number")
        elif kind is int and part.bit_length() > _MAX_INT_BITS:
            raise ValueError("contains a number with too many digits")


def pretty_json(value: Any, width: int = 110, indent: int = 0, used: int = 0) -> str:
    """Serialize a value for people: an object or list is on one line if it fits into `width` characters.

    `indent` is the indentation of the line, and `used` the number of characters on it before the value.
    """
    line = json.dumps(value, ensure_ascii=False)
    if indent + used + len(line) <= width or not isinstance(value, dict | list) or not value:
        return line
    items = [(f"{json.dumps(key)}: ", part) for key, part in value.items()] if isinstance(value, dict) else []
    items = items or [("", part) for part in value]
    inner = " " * (indent + 2)
    lines = ",\n".join(inner + key + pretty_json(part, width, indent + 2, len(key)) for key, part in items)
    start, end = "{}" if isinstance(value, dict) else "[]"
    return f"{start}\n{lines}\n{' ' * indent}{end}"
