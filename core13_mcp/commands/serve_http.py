"""`core13-mcp serve --http`: MCP over Streamable HTTP."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from ..call import Caller
from ..catalog import load, offered
from ..credentials import Credentials
from ..errors import ConfigurationError
from ..http.address import Address, endpoint, names
from ..http.admission import Admit, anyone, by_own_key, by_token
from ..http.app import app
from ..http.gate import whose
from ..http.operations import Duty
from ..http.serving import serve
from ..http.startup import refuse_unsafe
from ..http.tokens import CallerTokens
from ..instructions import instructions
from ..log import set_up
from ..server import build
from ..settings import Settings
from ..upstream import Upstream
from .wiring import caller, held, upstreams

log = logging.getLogger("core13_mcp")


async def run(settings: Settings, where: str) -> int:
    """Serve until the process is told to end.

    Raises:
        Core13Error: It cannot start as it is set up, or would not be safe.
    """
    address = Address.read(where)
    refuse_unsafe(settings, address)
    set_up(settings.log_level, settings.log_format, _secrets(settings))
    catalog = offered(settings)
    told = instructions(settings, catalog, len(load(settings.tools_dir)))
    server = build(catalog, whose, told, _seal_keys(settings))
    duty = Duty()
    async with upstreams(settings) as reached:
        served = app(
            server,
            admission(settings, reached),
            hosts=names(settings, address),
            origins=settings.http_origins,
            max_body=settings.http_max_body,
            duty=duty,
        )
        with address.listen() as listener:
            at, front = endpoint(settings, listener), "the embedded sandbox" if settings.sandbox else settings.host
            log.info("serving %d tools at %s (auth %s), in front of %s", len(catalog), at, settings.auth, front)
            await serve(served, listener, duty, drain=settings.http_drain, grace=settings.timeout + 5)
    return 0


def admission(settings: Settings, reached: Sequence[Upstream]) -> Admit:
    """Who may call, and whose key goes upstream.

    Raises:
        ConfigurationError: A key or a file that this needs is missing.
    """
    if settings.auth == "own-key":
        return by_own_key(caller(settings, reached[0], Credentials()), reached, settings.http_bearer_keys)
    if settings.auth == "oauth":
        raise ConfigurationError("CORE13_AUTH=oauth is not served yet")
    credentials = held(settings)

    def own() -> Caller:
        return caller(settings, reached[0], credentials())

    own()
    if settings.auth == "token":
        tokens = CallerTokens(Path(settings.caller_tokens_file or ""))
        tokens.read()
        return by_token(own, tokens)
    return anyone(own)


def _seal_keys(settings: Settings) -> tuple[str, ...]:
    return tuple(key.get_secret_value() for key in settings.seal_keys)


def _secrets(settings: Settings) -> tuple[str, ...]:
    """What must not come out in a log; what callers bring is nowhere logged."""
    ours = held(settings)().secrets if settings.auth in ("none", "token") else ()
    return (*ours, *_seal_keys(settings))
