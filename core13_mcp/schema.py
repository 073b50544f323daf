"""JSON Schema, as far as declarations need it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

JSON = Mapping[str, Any]

DEEPEST = 64
"""Levels of lists and objects inside one another. The validator, the SDK and Python's own stack each end somewhere."""


PARTS_AT_MOST = 250_000
"""Brackets and commas in one JSON text. Each costs memory and time many times its byte."""


def parse(text: str | bytes) -> Any:
    """Read JSON as its standard has it: Python's reader alone would let NaN, Infinity and 1e999 through.

    Raises:
        ValueError: It is not JSON, nested deeper than `DEEPEST`, or of too many parts.
    """
    brackets = _count(text, "[") + _count(text, "{")
    if brackets + _count(text, ",") > PARTS_AT_MOST:
        raise ValueError("of too many parts")
    try:
        value = _READER.decode(_decoded(text))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if brackets > DEEPEST and too_deep(value):
        raise ValueError("nested too deeply")
    return value


def too_deep(value: Any, levels: int = DEEPEST) -> bool:
    """Whether lists and objects are inside one another by more than so many levels."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    inner = (part for part in parts if isinstance(part, dict | list))
    return levels < 0 or any(too_deep(part, levels - 1) for part in inner)


def unwritable(value: Any) -> str | None:
    """Why a value cannot be sent on as JSON, in words; None where it can."""
    if too_deep(value):
        return f"nested deeper than {DEEPEST} levels"
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


def _is_date_time(text: str) -> bool:
    """Take what the API takes: ISO 8601 with or without a zone or a time (naive means UTC)."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a value does not fit a schema."""

    where: str
    keyword: str
    says: str
    names: tuple[str, ...] = ()
    """The property names in question, where the keyword is about names; the texts allowed, where it is `enum`."""
    given: Any = None
    """The value that does not fit."""


@dataclass(frozen=True)
class Schema:
    """A JSON Schema and its validator, which is built once, when first asked: most are never, and each takes memory."""

    definition: JSON

    def check(self) -> None:
        """Raise what is wrong with it as a schema, if anything is.

        Raises:
            ValueError: It is none.
        """
        self._build()

    def accepts(self, value: object) -> bool:
        """Whether a value fits."""
        return bool(self._validator.is_valid(value))

    def faults(self, value: object) -> Iterator[Fault]:
        """Every way in which a value does not fit; nothing where it does."""
        return map(_fault, self._validator.iter_errors(value))

    @cached_property
    def _validator(self) -> Draft202012Validator:
        return self._build()

    def _build(self) -> Draft202012Validator:
        return Draft202012Validator(
            dict(self.definition), validate_formats=True, formats={"date-time": _is_date_time}, offline=True
        )


def _fault(error: ValidationError) -> Fault:
    kind = error.kind
    detail = kind.as_dict()
    names = (detail["property"],) if kind.name == "required" else detail.get("unexpected", detail.get("options", ()))
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path)
    return Fault(where.removeprefix("."), kind.name, error.message, tuple(map(str, names)), error.instance)


def inline(node: Any, resolve: Callable[[str], Any]) -> Any:
    """Put in place of every `$ref` what it names; its neighbours win over what it brings.

    Clients and model providers reject references, so none may reach the wire.
    """
    match node:
        case {"$ref": str(reference), **beside}:
            named = inline(resolve(reference), resolve)
            return {**named, **inline(beside, resolve)} if beside else named
        case dict():
            return {key: inline(value, resolve) for key, value in node.items()}
        case list():
            return [inline(value, resolve) for value in node]
        case _:
            return node
