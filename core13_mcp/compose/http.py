"""`core13-mcp serve --http`: the HTTP server, built from the settings."""

from __future__ import annotations

import gc
import logging
import os
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mcp.server.context import ServerMiddleware
from starlette.types import ASGIApp

from ..api.client import APIClient
from ..api.credentials import CredentialProvider, Credentials
from ..declarations.catalog import enabled_tools, load
from ..logs import configure_logging
from ..pipeline.call import CallContext
from ..pipeline.key_info import KeyInfoCache
from ..server.handlers import build_server
from ..server.instructions import instructions, mode_notices
from ..server.lists import ListCache
from ..server.seal_keys import read_seal_keys
from ..settings import Settings
from ..setup.snippets import links, snippets
from ..tracing import export_spans
from ..transports.http.address import Address, allowed_hosts, endpoint
from ..transports.http.app import app
from ..transports.http.auth.authenticator import Authenticator, api_key_auth, no_auth, token_auth
from ..transports.http.auth.oauth import ProtectedResource
from ..transports.http.auth.tokens import CallerTokens
from ..transports.http.endpoint import MCPEndpoint, resolve_context
from ..transports.http.landing.page import PageContent, page
from ..transports.http.limits import LimitOptions, Limits
from ..transports.http.metrics import Metrics, by_port
from ..transports.http.requests import RequestRunner
from ..transports.http.serving import Lifecycle, Server, raise_fd_limit
from ..transports.http.validation import validate_http
from .engine import api_clients, credential_provider, log_credentials, make_context

log = logging.getLogger("core13_mcp")


@dataclass(frozen=True, slots=True)
class HTTPServer:
    """A complete HTTP server that is not started yet; `url` is the URL that callers use."""

    app: ASGIApp
    # For MCP, and then for the metrics, if they are on.
    listeners: Sequence[socket.socket]
    url: str
    lifecycle: Lifecycle

    @property
    def metrics_url(self) -> str:
        """The URL of the metrics, on an address of this machine."""
        host, port = self.listeners[1].getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}/metrics"


async def run(settings: Settings, address: str) -> int:
    """Serve until a signal ends the process, and return the exit status: 0 for SIGTERM, 130 for SIGINT.

    Raises:
        Core13Error: The settings are not valid, or the server would not be safe.
    """
    raise_fd_limit()
    target = "the embedded sandbox" if settings.sandbox else settings.host
    async with build_http(settings, address) as server:

        def ready() -> None:
            # Modules stay in memory. A collection that searches them blocks all calls for 50 ms.
            gc.freeze()
            log.info("serving at %s, auth %s, calls go to %s", server.url, settings.auth, target)
            if settings.http_metrics:
                log.info("serving metrics at %s", server.metrics_url)
            if settings.http_url and not (settings.seal_keys or settings.seal_keys_file):
                log.warning(
                    "CORE13_SEAL_KEYS is not set: with several replicas, an answer to a confirmation is valid only on "
                    "the replica that asked; set the same keys on all replicas"
                )

        with export_spans(os.environ):
            process = Server(server.app, server.lifecycle, ready)
            await process.serve([*server.listeners])
    return 130 if process.interrupted else 0


@asynccontextmanager
async def build_http(settings: Settings, address: str, **limits: Any) -> AsyncIterator[HTTPServer]:
    """Validate the settings, open the port and build the application.

    `limits` are fields of `LimitOptions` that no setting controls.

    Raises:
        Core13Error: The settings are not valid, or the server would not be safe.
    """
    parsed = Address.read(address)
    validate_http(settings, parsed)
    seal_keys = read_seal_keys(settings)
    credentials = _service_credentials(settings)
    configure_logging(settings.log_level, settings.log_format, (*credentials().secrets, *seal_keys))
    declared = load(settings.tools_dir)
    catalog = enabled_tools(settings, declared)
    async with api_clients(settings) as clients, APIClient(settings.host) as issuer:
        with parsed.listen() as listener, _listen_for_metrics(settings) as metrics_listeners:
            url = endpoint(settings, listener)
            metrics = Metrics(catalog) if settings.http_metrics else None
            # An open call may take as long as its timeout, and its response a little longer.
            lifecycle = Lifecycle(drain=settings.http_drain, grace=settings.timeout + 5)
            resource = ProtectedResource(url, issuer, {name: tool.endpoint.scope for name, tool in catalog.items()})
            text = instructions(settings, len(catalog), len(declared))
            limiter = _limits(settings, parsed, limits)
            runner = RequestRunner(limiter.slots, lifecycle.stop)
            middleware: list[ServerMiddleware[Any]] = [
                runner,
                *([metrics.observe_operation] if metrics else []),
                ListCache(),
            ]
            server = build_server(catalog, resolve_context, text, seal_keys, middleware)
            content = _page_content(settings, url, mode_notices(settings, len(catalog), len(declared)))
            authenticator = _authenticator(settings, clients, resource, credentials)
            mcp = MCPEndpoint(server, authenticator, limiter, lifecycle, page(catalog, content))
            routes = [resource.route] if settings.auth == "oauth" else []
            application: ASGIApp = app(settings, mcp, lifecycle, metrics, routes)
            if metrics:
                port = metrics_listeners[0].getsockname()[1]
                application = by_port(application, port, metrics.app(allowed_hosts(settings)))
            log_credentials(credentials())
            yield HTTPServer(application, [listener, *metrics_listeners], url, lifecycle)


@contextmanager
def _listen_for_metrics(settings: Settings) -> Iterator[list[socket.socket]]:
    if not settings.http_metrics:
        yield []
        return
    with Address.read(settings.http_metrics_port, "CORE13_HTTP_METRICS_PORT").listen() as listener:
        yield [listener]


def _limits(settings: Settings, address: Address, limits: Mapping[str, Any]) -> Limits:
    options: dict[str, Any] = {
        # The only caller is the person at this machine.
        "per_minute": None if settings.auth == "none" and address.local else settings.http_rate,
        "at_once": settings.http_at_once,
        "max_body": settings.http_max_body,
        "sessions": settings.http_sessions,
    }
    return Limits(LimitOptions(**options, **limits))


def _service_credentials(settings: Settings) -> CredentialProvider:
    """Return the credentials of this server, if its callers do not have their own.

    A sign-in belongs to one person, so only that person may use it: callers on this machine.
    """
    if settings.auth in ("none", "token"):
        return credential_provider(settings, sign_in=settings.auth == "none")
    return Credentials


def _authenticator(
    settings: Settings, clients: Sequence[APIClient], resource: ProtectedResource, credentials: CredentialProvider
) -> Authenticator:
    template = make_context(settings, clients[0], Credentials(), KeyInfoCache())
    if settings.auth == "own-key":
        return api_key_auth(template, clients, settings.http_bearer_keys)
    if settings.auth == "oauth":
        return resource.authenticator(template)

    def get_context() -> CallContext:
        return replace(template, credentials=credentials())

    if settings.auth == "none":
        return no_auth(get_context)
    return token_auth(get_context, CallerTokens(Path(settings.caller_tokens_file or "")))


def _page_content(settings: Settings, url: str, notices: Sequence[str]) -> PageContent:
    auth = settings.auth
    return PageContent(
        auth=auth,
        url=url,
        posthog=settings.host,
        notices=notices,
        links=links(auth, url),
        snippets=snippets(auth, url),
    )
