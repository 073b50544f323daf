"""Values that are computed from the arguments and the response of a call, for rules and notes. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from ..jsonio import JSON, compact_json
from ..templates.language import get_value
from .base import Model

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Function = Literal[
    "weekday", "utc_weekday", "utc_day_shift", "utc_weekdays", "includes_utc_weekday", "utc", "offset", "in_offset"
]


class Derivation(Model):
    """A function and the paths of its values, such as `arguments.start_date` and `answer.next_date`.

    | function | result |
    |---|---|
    | `weekday`, `utc_weekday` | the weekday of a date in its own offset or in UTC |
    | `utc_day_shift` | -1, 0 or 1: the days from the date in its own offset to the date in UTC |
    | `utc_weekdays` | a list of weekdays, as JSON text, after the shift of a date |
    | `includes_utc_weekday` | whether a list of weekdays has the weekday of a date in UTC |
    | `utc` | a date in UTC |
    | `offset` | the offset of a date, or `none` |
    | `in_offset` | a date in the offset of another date that is not in UTC |
    """

    function: Function
    values: Annotated[tuple[str, ...], Field(alias="of", min_length=1, max_length=2)]


def derive(derivations: dict[str, Derivation], arguments: JSON, answer: Any = None) -> dict[str, Any]:
    """Return the derived values by name. A value that cannot be computed is absent."""
    facts = {"arguments": dict(arguments), "answer": answer}
    values = {
        name: _FUNCTIONS[derivation.function](*(get_value(facts, path) for path in derivation.values))
        for name, derivation in derivations.items()
    }
    return {name: value for name, value in values.items() if value is not None}


def _of_date(function: Callable[[datetime], Any]) -> Callable[[Any], Any]:
    """Return the function for text, with the result None if the text is not a date or has no equivalent in UTC."""

    def apply(text: Any) -> Any:
        moment = _moment(text)
        return None if moment is None else function(moment)

    return apply


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        _ = _utc(moment)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment


def _utc(moment: datetime) -> datetime:
    """Return a date in UTC. PostHog reads a date without an offset as UTC."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _weekday(moment: date) -> str:
    return WEEKDAYS[moment.weekday()]


def _shift(moment: datetime) -> int:
    return (_utc(moment).date() - moment.date()).days


def _offset(moment: datetime) -> str:
    return moment.isoformat()[-6:] if moment.tzinfo else "none"


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _utc_weekdays(text: Any, weekdays: Any) -> str | None:
    moment = _moment(text)
    if moment is None or not isinstance(weekdays, list):
        return None
    numbers = [(WEEKDAYS.index(day) + _shift(moment)) % 7 for day in weekdays if day in WEEKDAYS]
    return compact_json([WEEKDAYS[number] for number in numbers])


def _includes_utc_weekday(text: Any, weekdays: Any) -> bool | None:
    moment = _moment(text)
    return None if moment is None or not isinstance(weekdays, list) else _weekday(_utc(moment)) in weekdays


def _in_offset(text: Any, other: Any) -> str | None:
    moment, reference = _moment(text), _moment(other)
    if moment is None or reference is None or not reference.utcoffset():
        return None
    return _text(_utc(moment).astimezone(reference.tzinfo))


_FUNCTIONS: dict[Function, Callable[..., Any]] = {
    "weekday": _of_date(_weekday),
    "utc_weekday": _of_date(lambda moment: _weekday(_utc(moment))),
    "utc_day_shift": _of_date(_shift),
    "utc_weekdays": _utc_weekdays,
    "includes_utc_weekday": _includes_utc_weekday,
    "utc": _of_date(lambda moment: _text(_utc(moment))),
    "offset": _of_date(_offset),
    "in_offset": _in_offset,
}
