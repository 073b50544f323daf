"""`core13-mcp serve --http`: MCP over Streamable HTTP."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.routing import Route
from starlette.types import ASGIApp

from ..call import Caller
from ..catalog import Catalog, load, offered
from ..credentials import Credentials
from ..http.address import Address, endpoint, names
from ..http.admission import Admission, anyone, by_own_key, by_token
from ..http.app import app
from ..http.gate import whose
from ..http.limits import Limits
from ..http.metrics import Metrics
from ..http.oauth import Resource
from ..http.operations import Duty
from ..http.page import page
from ..http.serving import serve
from ..http.startup import refuse_unsafe
from ..http.tokens import CallerTokens
from ..instructions import instructions, modes
from ..log import set_up
from ..server import build
from ..settings import Settings
from ..tracing import exporting
from ..upstream import Upstream
from .wiring import caller, held, upstreams

log = logging.getLogger("core13_mcp")


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that serving needs, made and not yet started."""

    app: ASGIApp
    listener: socket.socket
    url: str
    duty: Duty


async def run(settings: Settings, where: str) -> int:
    """Serve until the process is told to end.

    Raises:
        Core13Error: It cannot start as it is set up, or would not be safe.
    """
    front = "the embedded sandbox" if settings.sandbox else settings.host
    drain, grace = settings.http_drain, settings.timeout + 5
    async with prepared(settings, where) as made:

        def ready() -> None:
            log.info("serving at %s, auth %s, in front of %s", made.url, settings.auth, front)
            if settings.http_url and not settings.seal_keys:
                log.warning("CORE13_SEAL_KEYS is not set: a confirmation holds only on the replica that asked for it")

        with exporting(os.environ):
            await serve(made.app, made.listener, made.duty, drain=drain, grace=grace, ready=ready)
    return 0


@asynccontextmanager
async def prepared(settings: Settings, where: str) -> AsyncIterator[Prepared]:
    """Make the app and take the port, if it is safe to.

    Raises:
        Core13Error: It cannot start as it is set up, or would not be safe.
    """
    address = Address.read(where)
    refuse_unsafe(settings, address)
    set_up(settings.log_level, settings.log_format, _secrets(settings))
    declared, duty = load(settings.tools_dir), Duty()
    catalog = offered(settings, declared)
    async with upstreams(settings) as reached, Upstream(settings.host) as issuer:
        with address.listen() as listener:
            url = endpoint(settings, listener)
            admission, routes = admitting(settings, reached, issuer, catalog, url)
            made = app(
                build(catalog, whose, instructions(settings, catalog, len(declared)), _seal_keys(settings)),
                admission,
                hosts=names(settings),
                origins=settings.http_origins,
                limits=Limits(settings.http_at_once, settings.http_rate),
                max_body=settings.http_max_body,
                duty=duty,
                page=page(catalog, settings.auth, url, modes(settings, len(catalog), len(declared))),
                metrics=Metrics(catalog) if settings.http_metrics else None,
                routes=routes,
            )
            yield Prepared(made, listener, url, duty)


def admitting(
    settings: Settings, reached: Sequence[Upstream], issuer: Upstream, catalog: Catalog, at: str
) -> tuple[Admission, list[Route]]:
    """Who may call and whose key goes upstream, and the routes that this needs.

    Raises:
        ConfigurationError: A key or a file that this needs is missing.
    """
    theirs = caller(settings, reached[0], Credentials())
    if settings.auth == "own-key":
        return by_own_key(theirs, reached, settings.http_bearer_keys), []
    if settings.auth == "oauth":
        scopes = {name: tool.endpoint.scope for name, tool in catalog.items()}
        resource = Resource(at, issuer, scopes)
        return resource.admission(theirs), [resource.route]
    credentials = held(settings)

    def ours() -> Caller:
        return caller(settings, reached[0], credentials())

    return (by_token(ours, _tokens(settings)) if settings.auth == "token" else anyone(ours)), []


def _tokens(settings: Settings) -> CallerTokens:
    tokens = CallerTokens(Path(settings.caller_tokens_file or ""))
    tokens.read()
    return tokens


def _seal_keys(settings: Settings) -> tuple[str, ...]:
    return tuple(key.get_secret_value() for key in settings.seal_keys)


def _secrets(settings: Settings) -> tuple[str, ...]:
    """What must not come out in a log; what callers bring is nowhere logged."""
    ours = held(settings)().secrets if settings.auth in ("none", "token") else ()
    return (*ours, *_seal_keys(settings))
