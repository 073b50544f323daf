"""The address on which the server listens, and the URL and host names that callers use."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from urllib.parse import SplitResult

from ...errors import ConfigurationError
from ...origins import is_loopback, is_secure, split_url
from ...settings import Settings

PATH = "/mcp"

# Bytes of responses that the system stores for a client that does not read them.
SEND_BUFFER = 256 * 1024


@dataclass(frozen=True, slots=True)
class Address:
    """A host and port to listen on."""

    host: str
    port: int

    @property
    def local(self) -> bool:
        """Whether only this machine can connect."""
        return is_loopback(self.host)

    @classmethod
    def read(cls, text: str, variable: str = "CORE13_HTTP") -> Address:
        """Parse `[HOST:]PORT`. The default host is 127.0.0.1. Port 0 selects a free port.

        Raises:
            ConfigurationError: The text is not an address. The message names the variable.
        """
        host, _, port = text.rpartition(":")
        if not (port.isascii() and port.isdigit()):
            raise ConfigurationError(f"{variable}: {text!r} is not [HOST:]PORT, such as 8080 or 0.0.0.0:8080")
        # Python refuses to convert a very long number.
        if len(port) > 5 or int(port) > 65_535:
            raise ConfigurationError(f"{variable}: {port[:20]} is not a port; use a number from 0 to 65535")
        return cls(host.strip("[]") or "127.0.0.1", int(port))

    def listen(self) -> socket.socket:
        """Open a listening socket."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            listener = socket.create_server((self.host, self.port), family=family, backlog=1024)
        except OSError as error:
            # Python appends the address in parentheses, which the message has already.
            reason = (error.strerror or str(error)).partition(" (")[0]
            raise ConfigurationError(f"cannot listen on {self.host} port {self.port}: {reason}") from None
        # Connections inherit this. Without it, the system may keep 4 MB for each client that does not read.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        # asyncio disables Nagle's algorithm only on sockets with the protocol TCP. With Nagle's algorithm, a response
        # in two writes waits for the client's delayed acknowledgement: 40 ms per call, measured.
        return socket.socket(family, listener.type, socket.IPPROTO_TCP, fileno=listener.detach())


def endpoint(settings: Settings, listener: socket.socket) -> str:
    """Return the URL that callers use: the configured public URL, or that of the socket."""
    if settings.http_url:
        return public_url(settings.http_url).geturl()
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{PATH}"


def public_url(text: str) -> SplitResult:
    """Parse the public URL of the MCP endpoint. The default path is `/mcp`."""
    url = split_url(text)
    if url is None or url.query or url.fragment or url.username:
        raise ConfigurationError(f"CORE13_HTTP_URL: {text!r} is not a URL such as https://mcp.example.com{PATH}")
    if not is_secure(url):
        raise ConfigurationError(
            "CORE13_HTTP_URL: the URL must start with https://, because callers send secrets to it"
        )
    return url._replace(path=url.path.rstrip("/") or PATH)


def allowed_hosts(settings: Settings) -> tuple[str, ...]:
    """Return the allowed values of a Host header: local names, the public host and the configured hosts."""
    public = (public_url(settings.http_url).netloc,) if settings.http_url else ()
    # No DNS name can be rebound to the local names.
    return ("127.0.0.1", "localhost", "[::1]", *public, *settings.http_hosts)
