"""JSON Schema validation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from jsonschema_rs import Draft202012Validator, ValidationError
from pydantic import AfterValidator

from ..jsonio import JSON


@dataclass(frozen=True, slots=True)
class SchemaError:
    """One validation error.

    Attributes:
        path: The path of the value in the instance, such as `recipients[0].email`; empty for the instance itself.
        keyword: The keyword of the schema that is violated.
        properties: The properties that are missing or not allowed, or the allowed values for the keyword `enum`.
        instance: The value that is not valid.
    """

    path: str
    keyword: str
    message: str
    properties: tuple[str, ...] = ()
    instance: Any = None


def _require_object_form(definition: dict[str, Any]) -> dict[str, Any]:
    properties = definition.get("properties", {})
    if type(properties) is not dict or any(type(schema) not in (dict, bool) for schema in properties.values()):
        raise ValueError("properties: it must be an object of schemas")
    return definition


# The definition of a JSON Schema with `properties` of the form that the engine reads.
ObjectSchema = Annotated[dict[str, Any], AfterValidator(_require_object_form)]


class Schema:
    """A compiled JSON Schema. It uses much memory, so declarations compile theirs at the first use.

    Raises:
        ValueError: The definition is not a valid schema.
    """

    def __init__(self, definition: JSON) -> None:
        self._validator = Draft202012Validator(
            dict(definition), validate_formats=True, formats={"date-time": _is_date_time}, offline=True
        )

    def is_valid(self, value: object) -> bool:
        return bool(self._validator.is_valid(value))

    def iter_errors(self, value: object) -> Iterator[SchemaError]:
        """Yield every validation error of a value. `is_valid` is much faster."""
        return map(_schema_error, self._validator.iter_errors(value))

    def first_error(self, value: object) -> Iterator[SchemaError]:
        """Yield the first validation error of a value, if there is one. Takes time linear in its size."""
        try:
            self._validator.validate(value)
        except ValidationError as error:
            yield _schema_error(error)


def _is_date_time(text: str) -> bool:
    """Accept the dates that the API accepts: ISO 8601, with or without a time and a time zone."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _schema_error(error: ValidationError) -> SchemaError:
    details = error.kind.as_dict()
    missing = (details["property"],) if error.kind.name == "required" else ()
    properties = missing or details.get("unexpected") or details.get("options") or ()
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path)
    return SchemaError(
        path.removeprefix("."), error.kind.name, error.message, tuple(map(str, properties)), error.instance
    )
