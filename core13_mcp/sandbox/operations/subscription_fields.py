"""The fields of a subscription, and the validators that only subscriptions need."""

from __future__ import annotations

import ipaddress
from typing import Any, Final
from urllib.parse import urlsplit

from ..schedule import FREQUENCIES, WEEKDAYS
from ..validation import INT32, Field, Invalid, boolean, choice, choices, integer, parse_integer, text, timestamp

TARGET_TYPES: Final = ("email", "slack", "webhook")
INTERNAL_DOMAINS: Final = (
    ".local", ".internal", ".lan", ".corp", ".home", ".consul", ".cluster.local", ".localdomain", ".intranet", ".private",
    ".localhost",
)  # fmt: skip
INTERNAL_HOSTS: Final = ("localhost", "metadata", "metadata.google.internal", "instance-data")


def primary_key(value: Any) -> int:
    """The primary key of another object; the rules look the object up."""
    number = None if isinstance(value, float) else parse_integer(value)
    if number is None:
        raise Invalid(f"Incorrect type. Expected pk value, received {type(value).__name__}.", "incorrect_type")
    return number


def insight_ids(value: Any) -> list[int]:
    """A list of insight ids, without duplicates."""
    if not isinstance(value, list) or any(type(item) is not int for item in value):
        raise Invalid("Expected a list of insight ids.")
    return list(dict.fromkeys(value))


FIELDS: Final = {
    "dashboard": Field(primary_key, nullable=True),
    "insight": Field(primary_key, nullable=True),
    "dashboard_export_insights": Field(insight_ids, default=[]),
    "target_type": Field(choice(TARGET_TYPES), required=True),
    "target_value": Field(text(), required=True),
    "frequency": Field(choice(FREQUENCIES), required=True),
    "interval": Field(integer(1, INT32[1]), default=1),
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
RESOURCE_FIELDS: Final = {name: FIELDS[name] for name in ("dashboard", "insight")}


def webhook_problem(url: str) -> str | None:
    """Why the API rejects a webhook URL, None if it accepts it. The sandbox resolves no names."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").lower()
        _ = parts.port
    except ValueError:
        return "Invalid webhook URL."
    if parts.scheme not in ("http", "https"):
        return "Webhook URL must use http or https."
    if not host:
        return "Webhook URL has no host."
    return "Webhook URL points to a private or internal host." if _is_internal(host) else None


def _is_internal(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host in INTERNAL_HOSTS or host.endswith(INTERNAL_DOMAINS)
    mapped = getattr(address, "ipv4_mapped", None) or address
    return not mapped.is_global or mapped.is_multicast
