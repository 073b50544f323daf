"""Values that are computed from the arguments and the response of a call, for rules and notes. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from inspect import signature
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ..jsonio import JSON, compact_json
from ..templates.language import MISSING
from ..templates.recipients import count_changes
from ..text import get_path
from .base import Model
from .recurrence import WEEKDAYS, describe_schedule, in_utc, parse_moment

Function = Literal[
    "weekday",
    "utc_weekday",
    "utc_day_shift",
    "utc_weekdays",
    "includes_utc_weekday",
    "utc",
    "offset",
    "in_offset",
    "schedule",
    "recipient_changes",
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
    | `schedule` | a schedule in words, of frequency, interval, weekdays, position and start |
    | `recipient_changes` | how many recipients a list lacks and has, compared with another one |
    """

    function: Function
    values: Annotated[tuple[str, ...], Field(alias="of", min_length=1, max_length=5)]

    @model_validator(mode="after")
    def _check_values(self) -> Self:
        names = list(signature(_FUNCTIONS[self.function]).parameters)
        if len(self.values) != len(names):
            takes = f"{self.function} takes {len(names)} ({', '.join(names)})"
            raise ValueError(f"of: the number of paths is {len(self.values)}, but {takes}")
        return self


def derive(
    derivations: dict[str, Derivation], arguments: JSON, answer: Any = None, before: Any = None
) -> dict[str, Any]:
    """Return the derived values by name. A value that cannot be computed is absent.

    `before` is what the API returned before the call, if it was read for a question.
    """
    facts = {"arguments": dict(arguments), "answer": answer, "before": before}
    values = {
        name: _FUNCTIONS[derivation.function](*(get_path(facts, path, MISSING) for path in derivation.values))
        for name, derivation in derivations.items()
    }
    return {name: value for name, value in values.items() if value is not None}


def _of_date(function: Callable[[datetime], Any]) -> Callable[[Any], Any]:
    """Return the function for text, with the result None if the text is not a date or has no equivalent in UTC."""

    def apply(text: Any) -> Any:
        moment = parse_moment(text)
        return None if moment is None else function(moment)

    return apply


def _weekday(moment: date) -> str:
    return WEEKDAYS[moment.weekday()]


def _shift(moment: datetime) -> int:
    return (in_utc(moment).date() - moment.date()).days


def _offset(moment: datetime) -> str:
    return moment.isoformat()[-6:] if moment.tzinfo else "none"


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _utc_weekdays(text: Any, weekdays: Any) -> str | None:
    moment = parse_moment(text)
    if moment is None or not isinstance(weekdays, list):
        return None
    numbers = [(WEEKDAYS.index(day) + _shift(moment)) % 7 for day in weekdays if day in WEEKDAYS]
    return compact_json([WEEKDAYS[number] for number in numbers])


def _includes_utc_weekday(text: Any, weekdays: Any) -> bool | None:
    moment = parse_moment(text)
    return None if moment is None or not isinstance(weekdays, list) else _weekday(in_utc(moment)) in weekdays


def _in_offset(text: Any, other: Any) -> str | None:
    moment, reference = parse_moment(text), parse_moment(other)
    if moment is None or reference is None or not reference.utcoffset():
        return None
    return _text(in_utc(moment).astimezone(reference.tzinfo))


_FUNCTIONS: dict[Function, Callable[..., Any]] = {
    "weekday": _of_date(_weekday),
    "utc_weekday": _of_date(lambda moment: _weekday(in_utc(moment))),
    "utc_day_shift": _of_date(_shift),
    "utc_weekdays": _utc_weekdays,
    "includes_utc_weekday": _includes_utc_weekday,
    "utc": _of_date(lambda moment: _text(in_utc(moment))),
    "offset": _of_date(_offset),
    "in_offset": _in_offset,
    "schedule": describe_schedule,
    "recipient_changes": count_changes,
}
