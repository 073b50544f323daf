"""When the server refuses to start over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from urllib.parse import urlsplit

from ...errors import ConfigurationError
from ...origins import is_loopback
from ...settings import Settings
from .address import Address, network, public_url


def validate_http(settings: Settings, address: Address) -> None:
    """Let only what is safe to serve be served.

    Raises:
        ConfigurationError: It is not, or a setting would do nothing; the text says what to set.
    """
    wrong = (_open_to_anyone(settings, address), _lacking(settings, address), _idle(settings), _misspelled(settings))
    for why in chain.from_iterable(wrong):
        raise ConfigurationError(why)


def _open_to_anyone(settings: Settings, address: Address) -> Iterator[str]:
    if address.local:
        yield from _shown_to_anyone(settings)
        return
    if settings.auth == "none":
        yield (
            f"{address.host} is not loopback, and with CORE13_AUTH=none anyone who can connect would use this server's "
            "key; set CORE13_AUTH to token, own-key or oauth, or listen on 127.0.0.1"
        )
    if not (settings.http_url or settings.http_hosts):
        yield (
            f"{address.host} is not loopback, so say by which name callers reach it: "
            "CORE13_HTTP_URL=https://... or CORE13_HTTP_HOSTS"
        )


def _shown_to_anyone(settings: Settings) -> Iterator[str]:
    """On loopback too, where a proxy brings others."""
    shown = urlsplit(public_url(settings.http_url)).hostname if settings.http_url else None
    if settings.auth == "none" and shown and not is_loopback(shown):
        yield (
            f"CORE13_HTTP_URL says that others come by {shown}, and with CORE13_AUTH=none anyone of them would use this "
            "server's key; set CORE13_AUTH to token, own-key or oauth"
        )


def _lacking(settings: Settings, address: Address) -> Iterator[str]:
    if settings.auth == "token" and not settings.caller_tokens_file:
        yield (
            "CORE13_AUTH=token needs CORE13_CALLER_TOKENS_FILE, a file with a line `name: token` for each caller; "
            "`openssl rand -hex 32` makes a token"
        )
    if settings.auth == "oauth" and not settings.http_url and not address.local:
        yield "CORE13_AUTH=oauth needs CORE13_HTTP_URL: tokens and metadata name the URL that callers use"
    if settings.auth == "oauth" and settings.sandbox:
        yield (
            "CORE13_AUTH=oauth needs an authorization server that a browser can reach, which --sandbox is not; "
            "run `core13-mcp sandbox --port 8013` and set POSTHOG_HOST=http://127.0.0.1:8013"
        )


def _idle(settings: Settings) -> Iterator[str]:
    """What somebody set and would believe to hold, and does not."""
    if settings.auth != "token" and settings.caller_tokens_file:
        yield f"CORE13_CALLER_TOKENS_FILE is set, but CORE13_AUTH={settings.auth} asks for no token; set it to token"
    if settings.auth != "own-key" and (settings.http_bearer_keys or settings.http_posthog_hosts):
        yield "CORE13_HTTP_BEARER_KEYS and CORE13_HTTP_POSTHOG_HOSTS need CORE13_AUTH=own-key"


def _misspelled(settings: Settings) -> Iterator[str]:
    """What would fit no request."""
    for host in settings.http_hosts:
        if "/" in host and network(host) is None:
            yield f"CORE13_HTTP_HOSTS: {host!r} is not a name, a name with a port, or a network such as 10.0.0.0/8"
    for origin in settings.http_origins:
        if not re.fullmatch(r"https?://[^/?#@]+/?", origin):
            yield f"CORE13_HTTP_ORIGINS: {origin!r} is not an origin such as https://app.example.com"
