"""The result of one check."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import httpx2

from ...api.proxy import proxy_url
from ...errors import ConfigurationError, Core13Error

# `ok`: it works. `note`: it works, with a limitation. `wrong`: it does not work.
Status = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was checked, the result, and how to fix a problem."""

    check: str
    status: Status
    message: str
    fix: str = ""


def from_error(check: str, error: Core13Error) -> Finding:
    """Return the text of an error as a finding: the message, and then the fix."""
    first, *rest = str(error).split("\n")
    if rest:
        # The first line of a tool error begins with the name of the tool.
        return Finding(check, "wrong", first.partition(": ")[2], " ".join(rest))
    if isinstance(error, ConfigurationError) and error.fix:
        return Finding(check, "wrong", error.message, error.fix)
    message, _, fix = first.partition("; ")
    return Finding(check, "wrong", message, fix)


def from_network_error(error: httpx2.RequestError, origin: str) -> Finding:
    """Return the reason why the API at an origin cannot be reached."""
    host, proxy = urlsplit(origin).hostname, proxy_host(origin)
    causes = list(_causes(error))
    tls_error = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
    check = "tls" if tls_error else "proxy" if proxy else "host"
    if isinstance(tls_error, ssl.SSLCertVerificationError):
        message = f"the certificate of {host} is not trusted: {tls_error.verify_message or 'it cannot be verified'}"
        fix = "add your organization's root certificate to the system's trust store, or set SSL_CERT_FILE to its file"
    elif tls_error:
        message = f"the TLS handshake with {origin} failed ({tls_error.reason or 'connection closed'})"
        fix = "correct POSTHOG_HOST and its port, or the proxy, to use https"
    elif proxy:
        message = f"{origin} cannot be reached through the proxy {proxy}"
        fix = f"correct HTTPS_PROXY (an http:// or https:// URL), or bypass the proxy with NO_PROXY={host}"
    elif any(isinstance(cause, socket.gaierror) for cause in causes):
        message = f"the host name {host} cannot be resolved"
        fix = "correct POSTHOG_HOST, or check DNS, VPN and HTTPS_PROXY"
    elif isinstance(error, httpx2.TimeoutException):
        message = f"{origin} did not answer before the timeout"
        fix = "check for a firewall; if there is a proxy, set HTTPS_PROXY; CORE13_TIMEOUT sets a longer timeout"
    else:
        message = f"{origin} does not accept connections"
        fix = "correct POSTHOG_HOST and its port, or start the server at this address"
    return Finding(check, "wrong", message, fix)


def proxy_host(origin: str) -> str | None:
    """Return host and port of the proxy for an origin, without credentials, if there is one."""
    url = proxy_url(origin)
    try:
        return url and httpx2.URL(url).netloc.decode()
    except httpx2.InvalidURL:
        return "with an invalid URL"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
