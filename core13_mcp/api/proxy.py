"""The HTTP proxy between this machine and the API."""

from __future__ import annotations

import re
import ssl
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.request import getproxies, proxy_bypass

import httpcore2
import httpx2
from anyio.abc import ByteStream

from ..origins import is_loopback

# Bytes of a response to CONNECT.
MAX_RESPONSE = 16 * 1024

DEFAULT_PORTS = {"http": 80, "https": 443}


def proxy_url(origin: str) -> str | None:
    """Return the URL of the proxy that the environment sets for an origin; None on loopback."""
    url = httpx2.URL(origin)
    if is_loopback(url.host) or proxy_bypass(url.host):
        return None
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that opens tunnels with CONNECT (RFC 9110, section 9.3.6)."""

    host: str
    port: int
    # The value of `Proxy-Authorization`.
    authorization: str | None = field(default=None, repr=False)
    # For TLS with the proxy itself, if its URL is https.
    ssl_context: ssl.SSLContext | None = None

    @classmethod
    def from_url(cls, url: str, ssl_context: ssl.SSLContext) -> Proxy:
        """Read the host, the port and the credentials of a proxy from its URL.

        Raises:
            httpx2.ProxyError: The URL is not one of an HTTP proxy. The message does not repeat it, because it can
                contain a password.
        """
        try:
            parts = httpx2.URL(url)
        except httpx2.InvalidURL:
            raise httpx2.ProxyError("the URL of the proxy is invalid") from None
        if parts.scheme not in DEFAULT_PORTS or not parts.host:
            raise httpx2.ProxyError("the URL of the proxy must start with http:// or https:// and name a host")
        user = f"{parts.username}:{parts.password}"
        return cls(
            parts.raw_host.decode(),
            parts.port or DEFAULT_PORTS[parts.scheme],
            None if user == ":" else "Basic " + b64encode(user.encode()).decode(),
            ssl_context if parts.scheme == "https" else None,
        )

    async def open_tunnel(self, stream: ByteStream, host: str, port: int) -> None:
        """Let the proxy, which is connected to `stream`, connect it to a host."""
        authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        credentials = f"Proxy-Authorization: {self.authorization}\r\n" if self.authorization else ""
        await stream.send(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{credentials}\r\n".encode())
        response = b""
        while b"\r\n\r\n" not in response:
            if len(response) >= MAX_RESPONSE:
                raise httpcore2.ProxyError("the proxy's response to CONNECT is too long")
            response += await stream.receive()
        status = re.match(rb"HTTP/1\.[01] ([1-5][0-9][0-9])[ \r]", response)
        if status is None:
            raise httpcore2.ProxyError("the proxy's response to CONNECT is not HTTP")
        if not status[1].startswith(b"2"):
            raise httpcore2.ProxyError(f"the proxy answered CONNECT with status {status[1].decode()}")
        # The client speaks first in TLS, so nothing may follow.
        if not response.endswith(b"\r\n\r\n"):
            raise httpcore2.ProxyError("the proxy sent data before the TLS handshake")
