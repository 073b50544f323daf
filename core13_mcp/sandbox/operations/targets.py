"""The addresses of webhooks and Microsoft Teams channels that the API accepts."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

INTERNAL_DOMAINS: Final = (
    ".local", ".internal", ".lan", ".corp", ".home", ".consul", ".cluster.local", ".localdomain", ".intranet", ".private",
    ".localhost",
)  # fmt: skip
INTERNAL_HOSTS: Final = ("localhost", "metadata", "metadata.google.internal", "instance-data")
TEAMS_HOST: Final = re.compile(
    r"([a-z0-9-]+\.)+(logic\.azure\.com|webhook\.office\.com|powerautomate\.com|flow\.microsoft\.com"
    r"|environment\.api\.powerplatform\.com)"
)


def target_problem(target_type: str, target: str) -> str | None:
    """Why the API rejects the target of a webhook or Teams subscription, None if it accepts it."""
    if target_type not in ("webhook", "teams"):
        return None
    try:
        parts = urlsplit(target)
        # An invalid port raises when it is read.
        _ = parts.port
    except ValueError:
        return "Invalid webhook URL."
    return _webhook_problem(parts) if target_type == "webhook" else _teams_problem(parts)


def _webhook_problem(parts: SplitResult) -> str | None:
    """The sandbox resolves no names."""
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme not in ("http", "https"):
        return "Webhook URL must use http or https."
    if not host:
        return "Webhook URL has no host."
    return "Webhook URL points to a private or internal host." if _is_internal(host) else None


def _teams_problem(parts: SplitResult) -> str | None:
    plain = parts.scheme == "https" and parts.port in (None, 443) and parts.username is None and parts.password is None
    if plain and parts.path.strip("/") and TEAMS_HOST.fullmatch((parts.hostname or "").lower()):
        return None
    return "This is not a Microsoft Teams webhook URL."


def _is_internal(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host in INTERNAL_HOSTS or host.endswith(INTERNAL_DOMAINS)
    mapped = getattr(address, "ipv4_mapped", None) or address
    return not mapped.is_global or mapped.is_multicast
