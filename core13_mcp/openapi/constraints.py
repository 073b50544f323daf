"""Compares the enums, limits and patterns of the values of a tool with those of an OpenAPI document. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..jsonio import JSON, compact_json
from .difference import Difference, listed

_UPPER_LIMITS = ("maximum", "maxLength", "maxItems")
_LOWER_LIMITS = ("minimum", "minLength", "minItems")

# What a limit is if a schema does not state it.
_IMPLIED = {"minLength": 0, "minItems": 0}


def compare_constraints(own: JSON, documented: JSON, key: str) -> Iterator[Difference]:
    """Yield the differences of the values of one type.

    A constraint that only the tool has is no difference: it refuses values that have no use.
    """
    if "enum" in documented:
        yield from _compare_enums(own, documented, f"{key}.enum")
    elif "enum" not in own:
        for keyword in (*_UPPER_LIMITS, *_LOWER_LIMITS):
            if keyword in documented:
                yield from _compare_limit(own, documented[keyword], keyword, key)
        if "pattern" in documented and own.get("pattern") != documented["pattern"]:
            mine = "another one" if "pattern" in own else "none"
            message = f"The pattern is {documented['pattern']} in the document, but the tool has {mine}."
            yield Difference("misleads" if "pattern" in own else "breaks", f"{key}.pattern", message)


def _compare_enums(own: JSON, documented: JSON, key: str) -> Iterator[Difference]:
    # A field that is empty has the value "".
    allowed = {_text(value) for value in documented["enum"]} - {""}
    if "enum" not in own:
        message = f"The document allows only {listed(allowed)}, but the tool allows other values too."
        if own.get("type") != "boolean":
            yield Difference("breaks", key, message)
        return
    accepted = {_text(value) for value in own["enum"]}
    for value in sorted(accepted - allowed):
        message = f"The document allows only {listed(allowed)}, but the tool also allows {value}."
        yield Difference("breaks", f"{key}.{value}", message)
    for value in sorted(allowed - accepted):
        yield Difference("new", f"{key}.{value}", f"The document allows {value}, but the tool does not.")


def _compare_limit(own: JSON, limit: Any, keyword: str, key: str) -> Iterator[Difference]:
    mine, key = own.get(keyword, _IMPLIED.get(keyword)), f"{key}.{keyword}"
    if mine is None and "pattern" in own:
        # A pattern can contain the limit.
        return
    if mine is None:
        yield Difference("breaks", key, f"{keyword} is {limit} in the document, but the tool has no such limit.")
    elif mine != limit:
        is_looser = (mine > limit) == (keyword in _UPPER_LIMITS)
        message = f"{keyword} is {limit} in the document, but {mine} in the tool."
        yield Difference("breaks" if is_looser else "new", key, message)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else compact_json(value)
