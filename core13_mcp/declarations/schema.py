"""JSON Schema, as far as declarations need it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

from ..jsonio import JSON


def _is_date_time(text: str) -> bool:
    """Take what the API takes: ISO 8601 with or without a zone or a time (naive means UTC)."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class SchemaError:
    """One way in which a value does not fit a schema."""

    path: str
    keyword: str
    message: str
    properties: tuple[str, ...] = ()
    """The property names in question, where the keyword is about names; the texts allowed, where it is `enum`."""
    instance: Any = None
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

    def is_valid(self, value: object) -> bool:
        """Whether a value fits."""
        return bool(self._validator.is_valid(value))

    def iter_errors(self, value: object) -> Iterator[SchemaError]:
        """Every way in which a value does not fit; nothing where it does."""
        return map(_fault, self._validator.iter_errors(value))

    @cached_property
    def _validator(self) -> Draft202012Validator:
        return self._build()

    def _build(self) -> Draft202012Validator:
        return Draft202012Validator(
            dict(self.definition), validate_formats=True, formats={"date-time": _is_date_time}, offline=True
        )


def _fault(error: ValidationError) -> SchemaError:
    kind = error.kind
    detail = kind.as_dict()
    names = (detail["property"],) if kind.name == "required" else detail.get("unexpected", detail.get("options", ()))
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path)
    return SchemaError(where.removeprefix("."), kind.name, error.message, tuple(map(str, names)), error.instance)
