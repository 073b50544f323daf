"""Validation of the settings for HTTP: the server is safe, and every setting has an effect."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from itertools import chain

from ...errors import ConfigurationError
from ...origins import is_loopback, is_origin, split_url
from ...settings import Settings
from .address import Address, public_url


def validate_http(settings: Settings, address: Address) -> None:
    """Check the settings for HTTP.

    Raises:
        ConfigurationError: The server would not be safe, or a setting would have no effect. The message names the
            setting to change.
    """
    for problem in chain(_unsafe(settings, address), _missing(settings, address), _without_effect(settings)):
        raise ConfigurationError(problem)


def _unsafe(settings: Settings, address: Address) -> Iterator[str]:
    if not address.local:
        if settings.auth == "none":
            yield (
                f"{address.host} is not a loopback address, and with CORE13_AUTH=none everyone who can connect would "
                "use the PostHog credentials of this server; set CORE13_AUTH to token, own-key or oauth, or listen on 127.0.0.1"
            )
        if not (settings.http_url or settings.http_hosts):
            yield (
                f"{address.host} is not a loopback address, so the server needs the name that callers use; set "
                "CORE13_HTTP_URL=https://... or CORE13_HTTP_HOSTS"
            )
    # With a proxy, a loopback address is not private.
    for variable, name in _public_names(settings) if settings.auth == "none" else ():
        yield (
            f"{variable} shows that callers come through {name}, and with CORE13_AUTH=none each of them would use the "
            "PostHog credentials of this server; set CORE13_AUTH to token, own-key or oauth"
        )


def _public_names(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield each variable that allows a name of another machine, and the name."""
    public = public_url(settings.http_url).hostname if settings.http_url else None
    if public and not is_loopback(public):
        yield "CORE13_HTTP_URL", public
    for host in settings.http_hosts:
        if not _is_local(host):
            yield "CORE13_HTTP_HOSTS", host


def _is_local(host: str) -> bool:
    """Return whether a name, a name with a port or a network leads to this machine only."""
    if "/" in host:
        try:
            return ipaddress.ip_network(host).is_loopback
        except ValueError:
            # `_without_effect` reports this value.
            return True
    url = split_url(f"http://{host}")
    return is_loopback(host) or is_loopback(url.hostname or "" if url else "")


def _missing(settings: Settings, address: Address) -> Iterator[str]:
    if settings.auth == "token" and not settings.caller_tokens_file:
        yield (
            "CORE13_AUTH=token needs CORE13_CALLER_TOKENS_FILE, a file with a line `name: token` for each caller; "
            "create a token with `openssl rand -hex 32`"
        )
    if settings.auth == "oauth" and not settings.http_url and not address.local:
        yield "CORE13_AUTH=oauth needs CORE13_HTTP_URL, because OAuth metadata contains the URL that callers use"
    if settings.auth == "oauth" and settings.sandbox:
        yield (
            "CORE13_AUTH=oauth needs an authorization server that a browser can reach, and --sandbox has none; "
            "run `core13-mcp sandbox --port 8013` and set POSTHOG_HOST=http://127.0.0.1:8013"
        )


def _without_effect(settings: Settings) -> Iterator[str]:
    if settings.auth != "token" and settings.caller_tokens_file:
        yield (
            f"CORE13_CALLER_TOKENS_FILE has no effect with CORE13_AUTH={settings.auth}; "
            "set CORE13_AUTH=token, or remove the file setting"
        )
    if settings.auth != "own-key" and (settings.http_bearer_keys or settings.http_posthog_hosts):
        yield "CORE13_HTTP_BEARER_KEYS and CORE13_HTTP_POSTHOG_HOSTS have an effect with CORE13_AUTH=own-key only"
    if settings.http_metrics_port != Settings().http_metrics_port and not settings.http_metrics:
        yield "CORE13_HTTP_METRICS_PORT has an effect with CORE13_HTTP_METRICS=1 only"
    for host in settings.http_hosts:
        try:
            if "/" in host:
                ipaddress.ip_network(host)
        except ValueError:
            yield f"CORE13_HTTP_HOSTS: {host!r} is not a name, a name with a port, or a network such as 10.0.0.0/8"
    for origin in settings.http_origins:
        url = split_url(origin)
        if url is None or not is_origin(url):
            yield f"CORE13_HTTP_ORIGINS: {origin!r} is not an origin such as https://app.example.com"
