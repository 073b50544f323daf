"""Field checks that say no in the words and codes of Django REST Framework."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from . import errors
from .times import stamp

Check = Callable[[Any], Any]
INT32: Final = (-(2**31), 2**31 - 1)
INT64: Final = (-(2**63), 2**63 - 1)
TRUE: Final = {"t", "y", "yes", "true", "on", "1"}
FALSE: Final = {"f", "n", "no", "false", "off", "0"}
NULLS: Final = {"", "null"}
EMAIL: Final = re.compile(
    r"[-!#$%&'*+/=?^_`{}|~0-9A-Z]+(\.[-!#$%&'*+/=?^_`{}|~0-9A-Z]+)*"
    r"@([A-Z0-9]([A-Z0-9-]{0,61}[A-Z0-9])?\.)+[A-Z]([A-Z0-9-]{0,61}[A-Z0-9])",
    re.IGNORECASE | re.ASCII,
)


class Invalid(Exception):
    """One field's fault; ``path`` leads to it, below the field's own name."""

    def __init__(self, code: str, detail: str, *path: str) -> None:
        super().__init__(detail)
        self.code, self.detail, self.path = code, detail, path


@dataclass(frozen=True)
class Field:
    """A body field: its check, whether a create needs it, and what a create without it stores."""

    check: Check
    required: bool = False
    default: Any = None
    stored: bool = True


def clean(fields: Mapping[str, Field], body: Any, *, partial: bool) -> dict[str, Any]:
    """The checked values of the fields that were sent, with defaults unless ``partial``; the first fault refuses."""
    if body is None:
        raise errors.invalid("No data provided.", code="null")
    if not isinstance(body, Mapping):
        raise errors.invalid(f"Invalid data. Expected a dictionary, but got {type(body).__name__}.")
    values = {}
    for name, field in fields.items():
        if name in body:
            values[name] = one(name, field, body[name])
        elif field.required and not partial:
            raise errors.invalid("This field is required.", name, "required")
        elif not partial and field.stored:
            values[name] = field.default
    return values


def one(name: str, field: Field, value: Any) -> Any:
    try:
        return field.check(value)
    except Invalid as fault:
        raise errors.invalid(fault.detail, "__".join((name, *fault.path)), fault.code) from None


def _null() -> Invalid:
    return Invalid("null", "This field may not be null.")


def optional(check: Check) -> Check:
    """Null is a value too."""
    return lambda value: None if value is None else check(value)


def text(*, blank: bool = False, longest: int | None = None, trim: bool = True) -> Check:
    def check(value: Any) -> str:
        if value is None:
            raise _null()
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise Invalid("invalid_input", "Not a valid string.")
        found = str(value).strip() if trim else str(value)
        _characters(found)
        if not found and not blank:
            raise Invalid("blank", "This field may not be blank.")
        if longest is not None and len(found) > longest:
            raise Invalid("max_length", f"Ensure this field has no more than {longest} characters.")
        return found

    return check


def _characters(found: str) -> None:
    if "\0" in found:
        raise Invalid("null_characters_not_allowed", "Null characters are not allowed.")
    if any("\ud800" <= character <= "\udfff" for character in found):
        raise Invalid("surrogate_characters_not_allowed", "Surrogate characters are not allowed.")


def integer(low: int | None = None, high: int | None = None) -> Check:
    def check(value: Any) -> int:
        if value is None:
            raise _null()
        found = whole(value)
        if found is None:
            raise Invalid("invalid_input", "A valid integer is required.")
        if high is not None and found > high:
            raise Invalid("max_value", f"Ensure this value is less than or equal to {high}.")
        if low is not None and found < low:
            raise Invalid("min_value", f"Ensure this value is greater than or equal to {low}.")
        return found

    return check


def whole(value: Any) -> int | None:
    """The integer that a JSON value or a piece of a URL spells, if any."""
    if isinstance(value, bool) or not isinstance(value, str | int | float) or len(str(value)) > 1000:
        return None
    try:
        return int(re.sub(r"\.0*\s*$", "", str(value)))
    except ValueError:
        return None


def boolean(value: Any) -> bool:
    if value is None:
        raise _null()
    spelled = str(value).lower() if isinstance(value, bool | str | int | float) else ""
    if spelled in TRUE | {"1.0"}:
        return True
    if spelled in FALSE | {"0.0"}:
        return False
    raise Invalid("invalid_input", "Must be a valid boolean.")


def choice(values: Iterable[str], *, blank: bool = False) -> Check:
    known = frozenset(values)

    def check(value: Any) -> str:
        if value is None:
            raise _null()
        if isinstance(value, str) and (value in known or (blank and not value)):
            return value
        raise Invalid("invalid_choice", f'"{value}" is not a valid choice.')

    return check


def moment(value: Any) -> str:
    """A date-time in any ISO 8601 form, as the stamp it is stored and answered as; naive means UTC."""
    if value is None:
        raise _null()
    wrong = (
        "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
    )
    try:
        found = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        raise Invalid("invalid_input", wrong) from None
    try:
        return stamp(found if found.tzinfo else found.replace(tzinfo=UTC))
    except OverflowError:
        raise Invalid("overflow", "Datetime value out of range.") from None


def list_of(item: Check) -> Check:
    def check(value: Any) -> list[Any]:
        if value is None:
            raise _null()
        if not isinstance(value, list):
            raise Invalid("not_a_list", f'Expected a list of items but got type "{type(value).__name__}".')
        return [_item(item, place, entry) for place, entry in enumerate(value)]

    return check


def _item(check: Check, place: int, entry: Any) -> Any:
    try:
        return check(entry)
    except Invalid as fault:
        raise Invalid(fault.code, fault.detail, str(place), *fault.path) from None


def email(value: Any) -> str:
    found: str = text()(value)
    if not EMAIL.fullmatch(found):
        raise Invalid("invalid_input", "Enter a valid email address.")
    if len(found) > 254:
        raise Invalid("max_length", "Ensure this field has no more than 254 characters.")
    return found


def anything(value: Any) -> Any:
    """Free JSON, but not null."""
    if value is None:
        raise _null()
    return value


def free(value: Any) -> Any:
    return value


def is_uuid(spelled: str) -> bool:
    try:
        uuid.UUID(spelled)
    except ValueError:
        return False
    return True


def fits(number: int) -> bool:
    """Whether a database key can have this value at all."""
    return INT64[0] <= number <= INT64[1]
