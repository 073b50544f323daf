"""Validators of single values, with the messages and codes of Django REST Framework."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from .timestamps import format_timestamp

# Returns the value to store. Raises Invalid.
Validator = Callable[[Any], Any]
INT32: Final = (-(2**31), 2**31 - 1)
INT64: Final = (-(2**63), 2**63 - 1)
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
    """A validation error of one field; `path` leads to the value below the name of the field."""

    def __init__(self, code: str, detail: str, *path: str) -> None:
        super().__init__(detail)
        self.code, self.detail, self.path = code, detail, path


def not_null(validator: Validator, value: Any) -> Any:
    """Validate a value that may not be null."""
    if value is None:
        raise Invalid("null", "This field may not be null.")
    return validator(value)


def text(*, blank: bool = False, max_length: int | None = None, trim: bool = True) -> Validator:
    """A string; numbers are converted."""

    def validate(value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise Invalid("invalid_input", "Not a valid string.")
        result = str(value).strip() if trim else str(value)
        _check_characters(result)
        if not result and not blank:
            raise Invalid("blank", "This field may not be blank.")
        if max_length is not None and len(result) > max_length:
            raise Invalid("max_length", f"Ensure this field has no more than {max_length} characters.")
        return result

    return validate


def _check_characters(string: str) -> None:
    if "\0" in string:
        raise Invalid("null_characters_not_allowed", "Null characters are not allowed.")
    if any("\ud800" <= character <= "\udfff" for character in string):
        raise Invalid("surrogate_characters_not_allowed", "Surrogate characters are not allowed.")


def integer(minimum: int | None = None, maximum: int | None = None) -> Validator:
    """An integer; a string of digits is converted."""

    def validate(value: Any) -> int:
        number = parse_integer(value)
        if number is None:
            raise Invalid("invalid_input", "A valid integer is required.")
        if maximum is not None and number > maximum:
            raise Invalid("max_value", f"Ensure this value is less than or equal to {maximum}.")
        if minimum is not None and number < minimum:
            raise Invalid("min_value", f"Ensure this value is greater than or equal to {minimum}.")
        return number

    return validate


def parse_integer(value: Any) -> int | None:
    """The integer in a JSON value or in a part of a URL, None if it is not one."""
    if isinstance(value, bool) or not isinstance(value, str | int | float) or len(str(value)) > 1000:
        return None
    try:
        return int(re.sub(r"\.0*\s*$", "", str(value)))
    except ValueError:
        return None


def boolean(value: Any) -> bool:
    """A boolean, or one of the words and numbers that stand for one."""
    word = str(value).lower() if isinstance(value, bool | str | int | float) else ""
    if word in TRUE | {"1.0"}:
        return True
    if word in FALSE | {"0.0"}:
        return False
    raise Invalid("invalid_input", "Must be a valid boolean.")


def choice(values: Iterable[str], *, blank: bool = False) -> Validator:
    """One of several strings."""
    choices = frozenset(values) | ({""} if blank else set())

    def validate(value: Any) -> str:
        if isinstance(value, str) and value in choices:
            return value
        raise Invalid("invalid_choice", f'"{value}" is not a valid choice.')

    return validate


def timestamp(value: Any) -> str:
    """A date and time in any ISO 8601 form, converted to the API's format; without an offset it is UTC."""
    try:
        moment = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        raise Invalid("invalid_input", DATETIME_FORMAT) from None
    try:
        return format_timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except OverflowError:
        raise Invalid("overflow", "Datetime value out of range.") from None


def list_of(validator: Validator) -> Validator:
    """A list of values, none of them null."""

    def validate(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise Invalid("not_a_list", f'Expected a list of items but got type "{type(value).__name__}".')
        return [_item(validator, index, item) for index, item in enumerate(value)]

    return validate


def _item(validator: Validator, index: int, item: Any) -> Any:
    try:
        return not_null(validator, item)
    except Invalid as error:
        raise Invalid(error.code, error.detail, str(index), *error.path) from None


def email(value: Any) -> str:
    """An e-mail address."""
    address: str = text()(value)
    if not EMAIL.fullmatch(address):
        raise Invalid("invalid_input", "Enter a valid email address.")
    if len(address) > 254:
        raise Invalid("max_length", "Ensure this field has no more than 254 characters.")
    return address


def any_json(value: Any) -> Any:
    """Any JSON value."""
    return value


def is_uuid(value: str) -> bool:
    """Whether a string is a UUID."""
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True


def is_valid_key(number: int) -> bool:
    """Whether a number fits into the integer key of a table."""
    return INT64[0] <= number <= INT64[1]
