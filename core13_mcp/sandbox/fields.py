"""The fields of a request body: which ones exist, and their validation in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import errors
from .validators import Invalid, Validator, not_null


@dataclass(frozen=True)
class Field:
    """A body field: its validator, and whether it is nullable, required and stored."""

    validator: Validator
    nullable: bool = False
    required: bool = False
    # What a create request without the field stores.
    default: Any = None
    stored: bool = True

    def validate(self, name: str, value: Any) -> Any:
        """Return the value to store.

        Raises:
            APIError: 400 that names the field.
        """
        if value is None and self.nullable:
            return None
        try:
            return not_null(self.validator, value)
        except Invalid as error:
            raise errors.invalid(error.detail, "__".join((name, *error.path)), error.code) from None


def validate(fields: Mapping[str, Field], body: Any, *, partial: bool) -> dict[str, Any]:
    """Validate the fields in a body; add the defaults of missing fields unless `partial`.

    Raises:
        APIError: 400 with the first error, in the order of `fields`.
    """
    if body is None:
        raise errors.invalid("No data provided.", code="null")
    if not isinstance(body, Mapping):
        raise errors.invalid(f"Invalid data. Expected a dictionary, but got {type(body).__name__}.")
    values = {}
    for name, field in fields.items():
        if name in body:
            values[name] = field.validate(name, body[name])
        elif field.required and not partial:
            raise errors.invalid("This field is required.", name, "required")
        elif not partial and field.stored:
            values[name] = field.default
    return values
