"""Which Host and Origin a request may carry: in front of every route, so that no web page can reach any."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from .address import network
from .errors import Rejected


class HostOriginMiddleware:
    """Turns away what was sent to another name (421) or by a page of another origin (403).

    A page that rebinds its own name to this address sends that name as Host. An address as Host cannot be
    rebound, so whole networks may be allowed, for probes.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str], origins: Iterable[str]) -> None:
        self._app = app
        self._names = {host.lower() for host in hosts if "/" not in host}
        self._networks = [found for host in hosts if "/" in host and (found := network(host))]
        self._origins = {origin.lower().rstrip("/") for origin in origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._check(Headers(scope=scope))
        except Rejected as turned:
            await turned.response(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _check(self, headers: Headers) -> None:
        host, origin = headers.get("host", "").lower(), headers.get("origin", "").lower()
        if not self._known(host):
            raise Rejected(421, "This server does not answer to the name in the Host header; see CORE13_HTTP_HOSTS.")
        if origin and origin not in (f"http://{host}", f"https://{host}") and origin not in self._origins:
            raise Rejected(403, "Pages of this origin may not call this server; see CORE13_HTTP_ORIGINS.")

    def _known(self, host: str) -> bool:
        name = _name(host)
        return host in self._names or name in self._names or self._is_in_networks(name)

    def _is_in_networks(self, name: str) -> bool:
        try:
            address = ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return any(address in held for held in self._networks)


def _name(host: str) -> str:
    """The host without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
