"""Why a host cannot be reached, and what stands between. Pure, but for the proxy variables."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2

from ...api.proxy import proxy_url
from .finding import Finding


def proxy(origin: str) -> str | None:
    """The proxy that requests to this origin go through, without the credentials that its URL may hold."""
    named = proxy_url(origin)
    if named is None:
        return None
    try:
        return httpx2.URL(named).netloc.decode()
    except httpx2.InvalidURL:
        return "whose URL cannot be read"


def unreachable(error: httpx2.RequestError, origin: str) -> Finding:
    """What stands between this machine and the API."""
    host, through = urlsplit(origin).hostname, proxy(origin)
    causes = list(_chain(error))
    if through and not any(isinstance(cause, ssl.SSLError) for cause in causes):
        return Finding(
            "proxy",
            "wrong",
            f"{origin} cannot be reached through the proxy {through} ({type(error).__name__})",
            f"correct HTTPS_PROXY (http:// or https://), or go past it with NO_PROXY={host}",
        )
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = cause.verify_message or "it does not verify"
            fix = "add your organization's root certificate to the system's trust store, or name its file in SSL_CERT_FILE"
            return Finding("tls", "wrong", f"the certificate of {host} is not trusted: {why}", fix)
        if isinstance(cause, ssl.SSLError):
            fix = "whatever answers there does not speak https: correct POSTHOG_HOST and its port, or the proxy"
            return Finding("tls", "wrong", f"no TLS with {origin} ({cause.reason or 'broken off'})", fix)
        if isinstance(cause, socket.gaierror):
            fix = "correct POSTHOG_HOST, or look at the network: DNS, VPN, HTTPS_PROXY"
            return Finding("host", "wrong", f"no host is known by the name {host}", fix)
    if isinstance(error, httpx2.TimeoutException):
        fix = "a firewall may be in between: set HTTPS_PROXY if there is a proxy; CORE13_TIMEOUT waits longer"
        return Finding("host", "wrong", f"{origin} does not answer in time", fix)
    fix = "correct POSTHOG_HOST and its port, or start what should answer there"
    return Finding("host", "wrong", f"{origin} takes no connections ({type(error).__name__})", fix)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
