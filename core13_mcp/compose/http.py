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

from ..api.client import APIClient
from ..api.credentials import Credentials
from ..declarations.catalog import Catalog, enabled_tools, load
from ..logs import configure_logging
from ..pipeline.call import CallContext
from ..server.handlers import build_server
from ..server.instructions import instructions, mode_notices
from ..settings import Settings
from ..setup.snippets import Connection, links, snippets
from ..tracing import export_spans
from ..transports.http.address import Address, allowed_hosts, endpoint
from ..transports.http.app import app
from ..transports.http.auth.authenticator import Authenticator, api_key_auth, no_auth, token_auth
from ..transports.http.auth.oauth import ProtectedResource
from ..transports.http.auth.tokens import CallerTokens
from ..transports.http.endpoint import resolve_context
from ..transports.http.health import Lifecycle
from ..transports.http.landing.page import Instructions, page
from ..transports.http.limits import Limits
from ..transports.http.metrics import Metrics
from ..transports.http.serving import serve
from ..transports.http.validation import validate_http
from .engine import api_clients, credential_provider, make_context

log = logging.getLogger("core13_mcp")


@dataclass(frozen=True, slots=True)
class HTTPServer:
    """Everything that serving needs, made and not yet started."""

    app: ASGIApp
    listener: socket.socket
    url: str
    lifecycle: Lifecycle


async def run(settings: Settings, where: str) -> int:
    """Serve until the process is told to end.

    Raises:
        Core13Error: It cannot start as it is set up, or would not be safe.
    """
    front = "the embedded sandbox" if settings.sandbox else settings.host
    drain, grace = settings.http_drain, settings.timeout + 5
    async with build_http(settings, where) as made:

        def ready() -> None:
            log.info("serving at %s, auth %s, in front of %s", made.url, settings.auth, front)
            if settings.http_url and not settings.seal_keys:
                log.warning("CORE13_SEAL_KEYS is not set: a confirmation holds only on the replica that asked for it")

        with export_spans(os.environ):
            await serve(made.app, made.listener, made.lifecycle, drain=drain, grace=grace, ready=ready)
    return 0


@asynccontextmanager
async def build_http(settings: Settings, where: str) -> AsyncIterator[HTTPServer]:
    """Make the app and take the port, if it is safe to.

    Raises:
        Core13Error: It cannot start as it is set up, or would not be safe.
    """
    address = Address.read(where)
    validate_http(settings, address)
    configure_logging(settings.log_level, settings.log_format, _secrets(settings))
    declared, duty = load(settings.tools_dir), Lifecycle()
    catalog = enabled_tools(settings, declared)
    async with api_clients(settings) as reached, APIClient(settings.host) as issuer:
        with address.listen() as listener:
            url = endpoint(settings, listener)
            admission, routes = build_auth(settings, reached, issuer, catalog, url)
            made = app(
                build_server(
                    catalog, resolve_context, instructions(settings, len(catalog), len(declared)), _seal_keys(settings)
                ),
                admission,
                hosts=allowed_hosts(settings),
                origins=settings.http_origins,
                limits=Limits(settings.http_at_once, settings.http_rate),
                max_body=settings.http_max_body,
                lifecycle=duty,
                page=page(catalog, _connect(settings, url), mode_notices(settings, len(catalog), len(declared))),
                metrics=Metrics(catalog) if settings.http_metrics else None,
                routes=routes,
            )
            yield HTTPServer(made, listener, url, duty)


def build_auth(
    settings: Settings, reached: Sequence[APIClient], issuer: APIClient, catalog: Catalog, at: str
) -> tuple[Authenticator, list[Route]]:
    """Who may call and whose key goes upstream, and the routes that this needs.

    Raises:
        ConfigurationError: A key or a file that this needs is missing.
    """
    theirs = make_context(settings, reached[0], Credentials())
    if settings.auth == "own-key":
        return api_key_auth(theirs, reached, settings.http_bearer_keys), []
    if settings.auth == "oauth":
        scopes = {name: tool.endpoint.scope for name, tool in catalog.items()}
        resource = ProtectedResource(at, issuer, scopes)
        return resource.admission(theirs), [resource.route]
    credentials = credential_provider(settings)

    def ours() -> CallContext:
        return make_context(settings, reached[0], credentials())

    return (token_auth(ours, _tokens(settings)) if settings.auth == "token" else no_auth(ours)), []


def _connect(settings: Settings, url: str) -> Instructions:
    connection = Connection.for_auth(settings.auth, url)
    return Instructions(settings.auth, url, links(connection), snippets(connection))


def _tokens(settings: Settings) -> CallerTokens:
    tokens = CallerTokens(Path(settings.caller_tokens_file or ""))
    tokens.check()
    return tokens


def _seal_keys(settings: Settings) -> tuple[str, ...]:
    return tuple(key.get_secret_value() for key in settings.seal_keys)


def _secrets(settings: Settings) -> tuple[str, ...]:
    """What must not come out in a log; what callers bring is nowhere logged."""
    ours = credential_provider(settings)().secrets if settings.auth in ("none", "token") else ()
    return (*ours, *_seal_keys(settings))
