"""Origins: where requests go, and which hosts are this machine. Pure."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

REGIONS = {"us": "https://us.posthog.com", "eu": "https://eu.posthog.com"}


_INGESTION = {"us.i.posthog.com": "us", "eu.i.posthog.com": "eu", "app.posthog.com": "us"}


def parse_origin(given: str) -> str:
    """The API's origin for a region's name or a URL.

    Raises:
        ValueError: It is not one of them, or not safe to send a key to.
    """
    if given in REGIONS:
        return REGIONS[given]
    if "@" in given:
        raise ValueError(
            "what names a user or a password is not us, eu or an origin such as https://posthog.example.com"
        )
    parts = urlsplit(given)
    region = _INGESTION.get(parts.hostname or given)
    if region:
        raise ValueError(f"{given} only takes events in; for this API say {region}")
    # Asking for the port raises where it is none.
    if not parts.hostname or parts.port == 0 or parts.path not in ("", "/") or parts.query:
        raise ValueError(f"{given!r} is not us, eu or an origin such as https://posthog.example.com")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError(f"{given!r} must be https:// (http:// is for loopback only): a key travels with every call")
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
