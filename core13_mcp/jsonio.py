"""Strict reading and compact writing of JSON. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

JSON = Mapping[str, Any]


MAX_DEPTH = 64
"""Levels of lists and objects inside one another. The validator, the SDK and Python's own stack each end somewhere."""


MAX_TOKENS = 250_000
"""Brackets and commas in one JSON text. Each costs memory and time many times its byte."""


def parse_json(text: str | bytes) -> Any:
    """Read JSON as its standard has it: Python's reader alone would let NaN, Infinity and 1e999 through.

    Raises:
        ValueError: It is not JSON, nested deeper than `DEEPEST`, or of too many parts.
    """
    brackets = _count(text, "[") + _count(text, "{")
    if brackets + _count(text, ",") > MAX_TOKENS:
        raise ValueError("of too many parts")
    try:
        value = _READER.decode(_decoded(text))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if brackets > MAX_DEPTH and exceeds_depth(value):
        raise ValueError("nested too deeply")
    return value


def exceeds_depth(value: Any, levels: int = MAX_DEPTH) -> bool:
    """Whether lists and objects are inside one another by more than so many levels."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    inner = (part for part in parts if isinstance(part, dict | list))
    return levels < 0 or any(exceeds_depth(part, levels - 1) for part in inner)


def json_error(value: Any) -> str | None:
    """Why a value cannot be sent on as JSON, in words; None where it can."""
    if exceeds_depth(value):
        return f"nested deeper than {MAX_DEPTH} levels"
    try:
        _WRITER.encode(value).encode()
    except UnicodeEncodeError:
        return "holds half of a character (a lone surrogate)"
    except (ValueError, TypeError):
        return "holds a number that JSON does not have, or one of too many digits"
    return None


def _decoded(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode(json.detect_encoding(text), "surrogatepass")


def _count(text: str | bytes, sign: str) -> int:
    return text.count(sign) if isinstance(text, str) else text.count(sign.encode())


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


_READER = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)


_WRITER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def compact_json(value: Any) -> str:
    """A JSON value, without half characters, in as few characters as there are."""
    return to_json(value).decode()
