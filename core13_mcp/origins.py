"""API origins, and checks of URLs. Pure, standard library only."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

REGIONS = {"us": "https://us.posthog.com", "eu": "https://eu.posthog.com"}

# Hosts of PostHog that do not serve this API, with the reason and the region that replaces them.
_OTHER_HOSTS = {
    "us.i.posthog.com": ("only receives events", "us"),
    "eu.i.posthog.com": ("only receives events", "eu"),
    "app.posthog.com": ("is the former address of the US region", "us"),
}


def parse_origin(text: str) -> str:
    """Return the API origin for a region name or a URL.

    Raises:
        ValueError: The text is neither, or the origin is not safe to send a key to.
    """
    if text in REGIONS:
        return REGIONS[text]
    # The text may contain a password, so the message does not quote it.
    if "@" in text:
        raise ValueError("a URL with a user name or password is not us, eu or an origin; leave them out")
    url = split_url(text)
    if other := _OTHER_HOSTS.get((url.netloc if url else text.partition("/")[0]).lower()):
        reason, region = other
        raise ValueError(f"{text} does not serve this API: it {reason}; use {region}")
    if url is None or not is_origin(url):
        raise ValueError(f"{text!r} is not us, eu or an origin; {_correction(text)}")
    if not is_secure(url):
        raise ValueError(f"{text!r} is not secure; use https://, because every request contains the key")
    return f"{url.scheme}://{url.netloc}"


def _correction(text: str) -> str:
    """Return what to write instead of a text that is not an origin."""
    if text.lower() in REGIONS:
        return f"use {text.lower()}"
    url = split_url(text if "://" in text else f"https://{text}")
    # A name without a dot is rather a misspelled region.
    if url is None or not ("." in (url.hostname or "") or is_loopback(url.hostname or "")):
        return "an origin is for example https://posthog.example.com"
    scheme = "http" if is_loopback(url.hostname or "") else "https"
    origin = f"{scheme}://{url.netloc}"
    region = next((region for region, other in REGIONS.items() if other == origin), None)
    return f"use {region}, or {origin}" if region else f"use {origin}"


def login_command(origin: str) -> str:
    """Return the command that signs a person in at an origin."""
    if origin == REGIONS["us"]:
        return "core13-mcp login"
    region = next((name for name, url in REGIONS.items() if url == origin), origin)
    return f"core13-mcp login --host {region}"


def split_url(text: str) -> SplitResult | None:
    """Parse an absolute http:// or https:// URL; return None if the text is not one."""
    try:
        url = urlsplit(text)
        # Reading the port raises ValueError if it is not a number from 0 to 65535.
        valid = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:
        return None
    return url if valid else None


def is_origin(url: SplitResult) -> bool:
    """Whether a URL consists of scheme, host and port only."""
    return url.path in ("", "/") and not (url.query or url.fragment or url.username or url.password)


def is_secure(url: SplitResult) -> bool:
    """Whether secrets may be sent to a URL: over https, or over http to this machine."""
    return url.scheme == "https" or is_loopback(url.hostname or "")


def is_loopback(host: str) -> bool:
    """Whether a host name or address refers to this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
