"""Validation of request bodies, with the messages and codes of Django REST Framework."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from .responses import api_error
from .store import Doc, format_timestamp

# Returns the value to store. Raises Invalid.
Validator = Callable[[Any], Any]
INT32: Final = (-(2**31), 2**31 - 1)
TRUE: Final = {"t", "y", "yes", "true", "on", "1"}
FALSE: Final = {"f", "n", "no", "false", "off", "0"}
EMAIL: Final = re.compile(
    r"[-!#$%&'*+/=?^_`{}|~0-9A-Z]+(\.[-!#$%&'*+/=?^_`{}|~0-9A-Z]+)*"
    r"@([A-Z0-9]([A-Z0-9-]{0,61}[A-Z0-9])?\.)+[A-Z]([A-Z0-9-]{0,61}[A-Z0-9])",
    re.IGNORECASE | re.ASCII,
)
DATETIME_FORMAT: Final = (
    "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
)


class Invalid(Exception):
    """A validation error of a value; `path` follows the name of the field, such as `__0` for the first item."""

    def __init__(self, detail: str, code: str = "invalid_input", path: str = "") -> None:
        super().__init__(detail)
        self.detail, self.code, self.path = detail, code, path


@dataclass(frozen=True)
class Field:
    """A body field: its validator, and whether it is nullable, required and stored."""

    # The default accepts any JSON value.
    validator: Validator = lambda value: value
    nullable: bool = False
    required: bool = False
    # What a create request without the field stores.
    default: Any = None
    stored: bool = True


def validate(fields: Mapping[str, Field], body: Any, *, partial: bool) -> Doc:
    """Validate the fields in a body; add the defaults of missing fields unless `partial`.

    The first error, in the order of `fields`, is raised as a 400.
    """
    if body is None:
        raise api_error(400, "No data provided.", code="null")
    if not isinstance(body, Mapping):
        raise api_error(400, f"Invalid data. Expected a dictionary, but got {type(body).__name__}.")
    values: Doc = {}
    for name, field in fields.items():
        if name in body and body[name] is None:
            if not field.nullable:
                raise api_error(400, "This field may not be null.", name, "null")
            values[name] = None
        elif name in body:
            try:
                values[name] = field.validator(body[name])
            except Invalid as error:
                raise api_error(400, error.detail, name + error.path, error.code) from None
        elif field.required and not partial:
            raise api_error(400, "This field is required.", name, "required")
        elif field.stored and not partial:
            values[name] = field.default
    return values


def text(max_length: float = math.inf, *, blank: bool = False, trim: bool = True) -> Validator:
    """A string; numbers are converted."""

    def validate(value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise Invalid("Not a valid string.")
        result = str(value).strip() if trim else str(value)
        if "\0" in result:
            raise Invalid("Null characters are not allowed.", "null_characters_not_allowed")
        if re.search("[\ud800-\udfff]", result):
            raise Invalid("Surrogate characters are not allowed.", "surrogate_characters_not_allowed")
        if not result and not blank:
            raise Invalid("This field may not be blank.", "blank")
        if len(result) > max_length:
            raise Invalid(f"Ensure this field has no more than {max_length} characters.", "max_length")
        return result

    return validate


def email(value: Any) -> str:
    address: str = text(254)(value)
    if not EMAIL.fullmatch(address):
        raise Invalid("Enter a valid email address.")
    return address


def integer(minimum: float = -math.inf, maximum: float = math.inf) -> Validator:
    """An integer; a string of digits is converted."""

    def validate(value: Any) -> int:
        number = parse_integer(value)
        if number is None:
            raise Invalid("A valid integer is required.")
        if number > maximum:
            raise Invalid(f"Ensure this value is less than or equal to {maximum}.", "max_value")
        if number < minimum:
            raise Invalid(f"Ensure this value is greater than or equal to {minimum}.", "min_value")
        return number

    return validate


def parse_integer(value: Any) -> int | None:
    """The integer in a JSON value or in a part of a URL, None if it is not one."""
    try:
        return int(str(value).removesuffix(".0"))
    except ValueError:
        return None


def boolean(value: Any) -> bool:
    """A boolean, or one of the words and numbers that stand for one."""
    word = str(value).lower()
    if word not in TRUE | FALSE:
        raise Invalid("Must be a valid boolean.")
    return word in TRUE


def choice(values: Collection[str]) -> Validator:
    def validate(value: Any) -> str:
        if isinstance(value, str) and value in values:
            return value
        raise Invalid(f'"{value}" is not a valid choice.', "invalid_choice")

    return validate


def choices(values: Collection[str]) -> Validator:
    """A list of strings."""

    def validate(value: Any) -> list[str]:
        if not isinstance(value, list):
            raise Invalid(f'Expected a list of items but got type "{type(value).__name__}".', "not_a_list")
        for index, item in enumerate(value):
            if item not in values:
                raise Invalid(f'"{item}" is not a valid choice.', "invalid_choice", f"__{index}")
        return value

    return validate


def timestamp(value: Any) -> str:
    """A date and time in any ISO 8601 form, converted to the API's format; without an offset it is UTC."""
    try:
        moment = datetime.fromisoformat(value)
        return format_timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, TypeError):
        raise Invalid(DATETIME_FORMAT) from None
    except OverflowError:
        raise Invalid("Datetime value out of range.", "overflow") from None
