"""Connections to the API, straight or through a proxy."""

from __future__ import annotations

from urllib.request import getproxies, proxy_bypass

import httpx2

AT_ONCE = 32
"""Connections to one origin that are open at the same time."""

_LIMITS = httpx2.Limits(max_connections=AT_ONCE, max_keepalive_connections=8, keepalive_expiry=90)
# Few idle connections, because the pool polls every one of them on each request; kept long, because an
# agent thinks between two calls.


def connections(origin: str) -> httpx2.AsyncBaseTransport:
    """A pool of connections to an origin, through the proxy that the environment names for it, if any.

    Raises:
        httpx2.ProxyError: There can be none through that proxy: it has no URL, or is of a kind that is not supported.
    """
    try:
        return httpx2.AsyncHTTPTransport(limits=_LIMITS, proxy=proxy(origin))
    except (ValueError, ImportError, httpx2.InvalidURL):
        raise httpx2.ProxyError("it cannot be used") from None  # and is not quoted: it may hold a password


def proxy(origin: str) -> str | None:
    """The URL of the proxy that the environment names for an origin, if it names one."""
    url = httpx2.URL(origin)
    proxies = {} if proxy_bypass(url.host) else getproxies()
    named = proxies.get(url.scheme) or proxies.get("all")
    return named if named is None or "://" in named else f"http://{named}"
