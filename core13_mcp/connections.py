"""Connections to the API, straight or through a proxy."""

from __future__ import annotations

from urllib.request import getproxies, proxy_bypass

import httpx2

from .errors import ConfigurationError

AT_ONCE = 32
"""Connections to one origin that are open at the same time."""

_LIMITS = httpx2.Limits(max_connections=AT_ONCE, max_keepalive_connections=8, keepalive_expiry=90)
# Few idle connections, because the pool polls every one of them on each request; kept long, because an
# agent thinks between two calls.


def connections(origin: str) -> httpx2.AsyncBaseTransport:
    """A pool of connections to an origin, through the proxy that the environment names for it, if any.

    Raises:
        ConfigurationError: There can be none through that proxy.
    """
    url = httpx2.URL(origin)
    proxies = {} if proxy_bypass(url.host) else getproxies()
    named = proxies.get(url.scheme) or proxies.get("all")
    proxy = named if named is None or "://" in named else f"http://{named}"
    try:
        return httpx2.AsyncHTTPTransport(limits=_LIMITS, proxy=proxy)
    except (ValueError, ImportError, httpx2.InvalidURL):
        raise ConfigurationError(
            f"{url.scheme.upper()}_PROXY or ALL_PROXY names a proxy of a kind that is not supported; use http:// or https://"
        ) from None
