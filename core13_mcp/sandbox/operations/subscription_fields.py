"""The fields of a subscription, and the validators that only subscriptions need."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from ..eras import Era
from ..schedule import FREQUENCIES, WEEKDAYS
from ..store import Doc
from ..validation import INT32, Field, Invalid, boolean, choice, choices, integer, parse_integer, text, timestamp

# The representation of the fields of AI reports and deliveries, which the sandbox does not store.
AI_DEFAULTS: Final[Doc] = {
    "ai_prompt_config": {"window": {"mode": "since_last_sent", "start_days_ago": None, "end_days_ago": None}},
    "contexts": [],
    "delivery_config": {},
}


def primary_key(value: Any) -> int:
    """The primary key of another object; the rules look the object up."""
    number = None if isinstance(value, float) else parse_integer(value)
    if number is None:
        raise Invalid(f"Incorrect type. Expected pk value, received {type(value).__name__}.", "incorrect_type")
    return number


def insight_ids(value: Any) -> list[int]:
    """A list of insight ids, without duplicates. As in Python, true is the integer 1."""
    if not isinstance(value, list) or not all(isinstance(item, int) for item in value):
        raise Invalid("Expected a list of insight ids.")
    return list(dict.fromkeys(int(item) for item in value))


RESOURCE_FIELDS: Final = {name: Field(primary_key, nullable=True) for name in ("dashboard", "insight")}


@cache
def fields_of(era: Era) -> dict[str, Field]:
    """The fields of a request body, in the order in which the server validates them."""
    prompt = {"prompt": Field(text(4000, blank=True), nullable=True)} if era.ai_prompts else {}
    interval = Field(integer(1, INT32[1]), default=1, required=era.interval_required)
    return {
        **RESOURCE_FIELDS,
        "dashboard_export_insights": Field(insight_ids, default=[]),
        **prompt,
        "target_type": Field(choice(era.target_types), required=True),
        "target_value": Field(text(), required=True),
        "frequency": Field(choice(FREQUENCIES), required=True),
        "interval": interval,
        "byweekday": Field(choices(WEEKDAYS), nullable=True),
        "bysetpos": Field(integer(*INT32), nullable=True),
        "count": Field(integer(*INT32), nullable=True),
        "start_date": Field(timestamp, required=True),
        "until_date": Field(timestamp, nullable=True),
        "deleted": Field(boolean, default=False),
        "enabled": Field(boolean, default=True),
        "title": Field(text(100, blank=True), nullable=True),
        "integration_id": Field(integer(), nullable=True),
        "invite_message": Field(text(blank=True), nullable=True, stored=False),
        "summary_enabled": Field(boolean, default=False),
        "summary_prompt_guide": Field(text(500, blank=True), default=""),
    }
