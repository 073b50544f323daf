"""The check of the Host and Origin headers, which protects every route from DNS rebinding."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from .errors import Rejected


class HostOriginMiddleware:
    """Middleware that rejects an unknown Host (421) and web pages of an unknown Origin (403).

    A web page that rebinds its own DNS name to this server sends that name as Host. An IP address cannot be rebound,
    so whole networks may be allowed, which health probes need.

    Args:
        hosts: Names, names with a port, and networks such as `10.0.0.0/8`.
        origins: Web origins, besides the server's own, that may call it.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str], origins: Iterable[str]) -> None:
        self._app = app
        self._names = {host.lower() for host in hosts if "/" not in host}
        self._networks = [ipaddress.ip_network(host) for host in hosts if "/" in host]
        self._origins = {origin.lower().rstrip("/") for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        app = self._app
        if scope["type"] == "http":
            try:
                self._check(Headers(scope=scope))
            except Rejected as rejected:
                app = rejected.response
        await app(scope, receive, send)

    def _check(self, headers: Headers) -> None:
        host, origin = headers.get("host", "").lower(), headers.get("origin", "").lower()
        if not self._is_allowed(host):
            raise Rejected(421, "This server does not accept this Host header. Allow the name in CORE13_HTTP_HOSTS.")
        if origin and origin not in (f"http://{host}", f"https://{host}") and origin not in self._origins:
            raise Rejected(
                403, "Web pages of this origin may not call this server. Allow the origin in CORE13_HTTP_ORIGINS."
            )

    def _is_allowed(self, host: str) -> bool:
        name, colon, port = host.rpartition(":")
        if not (colon and port.isdigit()):
            name = host
        if host in self._names or name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return any(address in network for network in self._networks)
