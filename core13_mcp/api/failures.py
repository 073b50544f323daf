"""Failures to connect that another attempt does not change, described for people."""

from __future__ import annotations

import socket
import ssl
from typing import Literal

import httpx2

_HOST_MISMATCH = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
_NOT_YET_VALID, _EXPIRED = 9, 10

# The answers of DNS that a name does not exist, or has no address. Windows and macOS have one error for both.
NO_SUCH_HOST = (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))

# OpenSSL's names for an answer that is not TLS.
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "RECORD_LAYER_FAILURE")


class ConnectFailure(httpx2.ConnectError):
    """A connection that cannot be opened. The message names the host and the reason, and contains no secret.

    Attributes:
        check: What is wrong: `host`, `tls` or `proxy`.
        fix: What to change.
    """

    def __init__(self, check: Literal["host", "tls", "proxy"], message: str, fix: str) -> None:
        super().__init__(message)
        self.check = check
        self.fix = fix


def unknown_host_failure(host: str) -> ConnectFailure:
    """Return the failure for a host name that DNS does not have."""
    fix = "correct POSTHOG_HOST, or check DNS, VPN and HTTPS_PROXY"
    return ConnectFailure("host", f"the host name {host} cannot be resolved", fix)


class RenewalFailed(httpx2.ConnectError):
    """The access token of a sign-in cannot be renewed now. The message gives the reason and contains no secret."""


def tls_failure(error: ssl.SSLError, host: str) -> ConnectFailure:
    """Return the failure of a TLS handshake with a host."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        fix = "correct POSTHOG_HOST and its port, or the proxy, to use https"
        if error.reason in _NO_TLS:
            return ConnectFailure("tls", f"{host} does not answer with TLS (https) on this port", fix)
        reason = (error.reason or "unknown reason").replace("_", " ").lower()
        return ConnectFailure("tls", f"the TLS handshake with {host} failed: {reason}", fix)
    if error.verify_code in _HOST_MISMATCH:
        fix = "correct POSTHOG_HOST, or install a certificate for this name on the server"
        return ConnectFailure("tls", f"the certificate of {host} is not valid for this name", fix)
    if error.verify_code in (_NOT_YET_VALID, _EXPIRED):
        problem = "has expired" if error.verify_code == _EXPIRED else "is not valid yet"
        fix = "check the clock of this machine, or renew the certificate on the server"
        return ConnectFailure("tls", f"the certificate of {host} {problem}", fix)
    fix = "add your organization's root certificate to the system's trust store, or set SSL_CERT_FILE to its file"
    reason = error.verify_message or "it cannot be verified"
    return ConnectFailure("tls", f"the certificate of {host} is not trusted: {reason}", fix)


def trust_store_failure(error: OSError) -> ConnectFailure:
    """Return the failure for a trust store that became unusable after the start."""
    fix = "correct SSL_CERT_FILE and SSL_CERT_DIR, or unset them"
    reason = "there are none" if isinstance(error, ssl.SSLError) else error.strerror
    return ConnectFailure("tls", f"the certificates of this machine cannot be loaded: {reason}", fix)
