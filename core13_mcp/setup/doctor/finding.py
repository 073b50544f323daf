"""The result of one check."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import httpx2

from ...api.failures import ConnectFailure, RenewalFailed, unknown_host_failure
from ...api.proxy import proxy_url
from ...errors import ConfigurationError, Core13Error

# `ok`: it works. `note`: it works, with a limitation. `wrong`: it does not work. `skip`: it could not be checked.
Status = Literal["ok", "note", "wrong", "skip"]


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
    if any(isinstance(cause, socket.gaierror) for cause in _causes(error)) and not isinstance(error, ConnectFailure):
        error = unknown_host_failure(urlsplit(origin).hostname or "")
    if isinstance(error, RenewalFailed):
        return Finding("key", "wrong", str(error), "run this command again later")
    if isinstance(error, ConnectFailure):
        return Finding(error.check, "wrong", str(error), error.fix)
    if isinstance(error, httpx2.TimeoutException):
        message = f"{origin} did not answer before the timeout"
        fix = "check for a firewall; if there is a proxy, set HTTPS_PROXY; CORE13_TIMEOUT sets a longer timeout"
    else:
        message = f"{origin} does not accept connections"
        fix = "correct POSTHOG_HOST and its port, or start the server at this address"
    return Finding("host", "wrong", message, fix)


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
