"""Which webhook addresses the API refuses. Names are not resolved: the sandbox speaks to nobody."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

INTERNAL: Final = (
    ".local", ".internal", ".lan", ".corp", ".home", ".consul", ".cluster.local", ".localdomain", ".intranet", ".private",
)  # fmt: skip
FORBIDDEN: Final = ("localhost", "metadata", "metadata.google.internal", "instance-data")


def fault(url: str) -> str | None:
    """Why a URL is no webhook address, None when it is one."""
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
    return "Webhook URL points to a private or internal host." if _internal(host) else None


def _internal(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host in FORBIDDEN or host.endswith((*INTERNAL, ".localhost")) or _numeric(host)
    mapped = getattr(address, "ipv4_mapped", None) or address
    return not mapped.is_global or mapped.is_multicast


def _numeric(host: str) -> bool:
    """Another spelling of an IPv4 address, such as 2130706433, 0x7f.1 or 127.1."""
    last = host.rpartition(".")[2]
    return last.isdigit() or last.startswith("0x")
