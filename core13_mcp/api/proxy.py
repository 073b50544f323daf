"""The HTTP proxy between this machine and the API."""

from __future__ import annotations

import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.request import getproxies, proxy_bypass

import anyio
import httpcore2
import httpx2
from anyio.abc import ByteStream

from ..origins import is_loopback
from .failures import ConnectFailure

# Bytes of a response to CONNECT.
MAX_RESPONSE = 16 * 1024

DEFAULT_PORTS = {"http": 80, "https": 443}

_UNREACHABLE = (OSError, httpcore2.ConnectError)
_ENDED = (anyio.EndOfStream, anyio.BrokenResourceError)


def proxy_url(origin: str) -> str | None:
    """Return the URL of the proxy that the environment sets for an origin; None on loopback."""
    url = httpx2.URL(origin)
    if is_loopback(url.host) or proxy_bypass(url.netloc.decode()):
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
    def from_url(cls, url: str, ssl_context: ssl.SSLContext | None) -> Proxy:
        """Read the host, the port and the credentials of a proxy from its URL.

        Raises:
            ConnectFailure: The URL is not one of an HTTP proxy. The message does not repeat it, because it can
                contain a password.
        """
        fix = "correct HTTPS_PROXY or ALL_PROXY; an example is http://proxy.example.com:3128"
        try:
            parts = httpx2.URL(url)
        except httpx2.InvalidURL:
            raise ConnectFailure("proxy", "the URL of the proxy is invalid", fix) from None
        if not parts.host:
            raise ConnectFailure("proxy", "the URL of the proxy names no host", fix)
        if parts.scheme not in DEFAULT_PORTS:
            message = f"the URL of the proxy {parts.netloc.decode()} does not start with http:// or https://"
            raise ConnectFailure("proxy", message, fix)
        user = f"{parts.username}:{parts.password}"
        return cls(
            parts.raw_host.decode(),
            parts.port or DEFAULT_PORTS[parts.scheme],
            None if user == ":" else "Basic " + b64encode(user.encode()).decode(),
            ssl_context if parts.scheme == "https" else None,
        )

    async def open_tunnel(self, stream: ByteStream, host: str, port: int) -> None:
        """Let the proxy, which is connected to `stream`, connect it to a host.

        Raises:
            ConnectFailure: The proxy refuses, or it does not answer as an HTTP proxy.
        """
        authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        credentials = f"Proxy-Authorization: {self.authorization}\r\n" if self.authorization else ""
        await stream.send(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{credentials}\r\n".encode())
        response = b""
        while b"\r\n\r\n" not in response and len(response) < MAX_RESPONSE:
            response += await stream.receive()
        status = re.match(rb"HTTP/1\.[01] ([1-5][0-9][0-9])[ \r]", response)
        # The client speaks first in TLS, so nothing may follow a successful response.
        is_open = status and status[1].startswith(b"2")
        if status is None or (is_open and not response.endswith(b"\r\n\r\n")):
            raise self.failure("does not answer as an HTTP proxy", host)
        if not is_open:
            raise self.failure(self.refusal(int(status[1]), host), host)

    def refusal(self, status: int, host: str) -> str:
        """Return what a status of a response to CONNECT means."""
        if status == 407 and self.authorization:
            return "does not accept the user name and the password in its URL (status 407)"
        if status == 407:
            return "requires a user name and a password (status 407)"
        if status >= 500:
            return f"cannot connect to {host} (status {status})"
        return f"refuses connections to {host} (status {status})"

    def failure(self, problem: str, host: str) -> ConnectFailure:
        """Return the failure of a connection to `host` through this proxy."""
        fix = f"correct HTTPS_PROXY (an http:// or https:// URL), or bypass the proxy with NO_PROXY={host}"
        if "407" in problem:
            fix = "set HTTPS_PROXY to http://USER:PASSWORD@HOST:PORT, with the user name and the password of the proxy"
        address = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        return ConnectFailure("proxy", f"{host} cannot be reached: the proxy {address} {problem}", fix)

    @contextmanager
    def failures(self, host: str, timeout: float | None) -> Iterator[None]:
        """Name the proxy in every failure of a block that connects through it within `timeout` seconds."""
        try:
            with anyio.fail_after(timeout):
                yield
        except TimeoutError as error:
            raise self.failure("does not answer in time", host) from error
        except socket.gaierror as error:
            raise self.failure("cannot be found: its host name does not resolve", host) from error
        except _UNREACHABLE as error:
            raise self.failure("does not accept the connection", host) from error
        except _ENDED as error:
            raise self.failure("closes the connection without an answer", host) from error
