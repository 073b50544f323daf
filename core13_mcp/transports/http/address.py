"""Where the server listens, and by which names callers may reach it."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from ...errors import ConfigurationError
from ...origins import is_loopback
from ...settings import Settings

PATH = "/mcp"
LOCAL = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    @property
    def local(self) -> bool:
        """Whether only this machine can connect."""
        return is_loopback(self.host)

    @classmethod
    def read(cls, said: str) -> Address:
        """Read `[HOST:]PORT`; 127.0.0.1 where no host is said, and any free port for 0.

        Raises:
            ConfigurationError: It is neither.
        """
        host, _, port = said.rpartition(":")
        if not (port.isascii() and port.isdigit() and int(port) < 65536):
            raise ConfigurationError(f"CORE13_HTTP: {said!r} is not [HOST:]PORT, such as 8080 or 0.0.0.0:8080")
        return cls(host.strip("[]") or "127.0.0.1", int(port))

    def listen(self) -> socket.socket:
        """A socket that takes connections from now on.

        Raises:
            ConfigurationError: The address cannot be listened on.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            return _named_tcp(socket.create_server((self.host, self.port), family=family, backlog=1024))
        except OSError as error:
            # What Python adds in brackets is the address once more.
            why = (error.strerror or str(error)).partition(" (")[0]
            raise ConfigurationError(f"cannot listen on {self.host} port {self.port}: {why}") from None


def _named_tcp(listener: socket.socket) -> socket.socket:
    """The same socket, with its protocol said: asyncio turns Nagle's algorithm off only where it reads "TCP".

    Without that, an answer of two writes waits for the client's delayed acknowledgement: 40 ms a call, measured.
    """
    return socket.socket(listener.family, listener.type, socket.IPPROTO_TCP, fileno=listener.detach())


def endpoint(settings: Settings, listener: socket.socket) -> str:
    """The URL that callers use: what the settings say, or where the socket is."""
    if settings.http_url:
        return public_url(settings.http_url)
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{PATH}"


def public_url(url: str) -> str:
    """The public URL of the MCP endpoint; its path is `/mcp` where none is given.

    Raises:
        ConfigurationError: It is not a URL, or would carry secrets in the clear.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ConfigurationError(f"CORE13_HTTP_URL: {url!r} is not a URL such as https://mcp.example.com{PATH}")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ConfigurationError("CORE13_HTTP_URL: it must be https://, because callers' secrets travel to it")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/') or PATH}"


def allowed_hosts(settings: Settings) -> tuple[str, ...]:
    """What a Host header may say: this machine's own names, which no page can rebind, the public URL's, and those allowed."""
    shown = (urlsplit(public_url(settings.http_url)).netloc,) if settings.http_url else ()
    return (*LOCAL, *shown, *settings.http_hosts)


def network(said: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The network that an allowed host names, if it names one."""
    try:
        return ipaddress.ip_network(said)
    except ValueError:
        return None
