"""API clients, credentials and call contexts, built from the settings.

The functions raise ConfigurationError if there is no usable key, sandbox database or trust store.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from ..api.client import APIClient
from ..api.credentials import CredentialProvider, Credentials, key_provider
from ..api.trust import check_trust_store
from ..errors import ConfigurationError
from ..keys import HOW_TO_GET_A_KEY
from ..logs import configure_logging
from ..pipeline.call import CallContext
from ..pipeline.key_info import KeyInfoCache
from ..server.seal_keys import read_seal_keys
from ..settings import Settings
from ..signin.source import SignInSource

log = logging.getLogger("core13_mcp")

# Requests to the sandbox do not leave the process, so no server has this origin.
SANDBOX_ORIGIN = "http://sandbox.invalid"


@asynccontextmanager
async def context_provider(settings: Settings) -> AsyncIterator[Callable[[], CallContext]]:
    """Yield a function that returns the call context; it reads the key for each call."""
    credentials = credential_provider(settings)
    configure_logging(settings.log_level, settings.log_format, (*credentials().secrets, *read_seal_keys(settings)))
    async with call_contexts(settings, credentials) as get_context:
        yield get_context


@asynccontextmanager
async def call_contexts(
    settings: Settings, credentials: CredentialProvider
) -> AsyncIterator[Callable[[], CallContext]]:
    """Yield a function that returns the call context, with an API client that all calls share."""
    key_info = KeyInfoCache()
    async with api_clients(settings) as clients:
        yield lambda: make_context(settings, clients[0], credentials(), key_info)


def credential_provider(settings: Settings, *, sign_in: bool = True) -> CredentialProvider:
    """Return a function that returns the credentials of this server: the key, the key file, or else the sign-in.

    Without a key and without a sign-in, the credentials have a `problem`. If `sign_in` is false, a key is required.
    """
    if settings.sandbox:
        # Imported here, because most starts do not use the sandbox, which imports Starlette and SQLite.
        from .sandbox import sandbox_credentials

        credentials = sandbox_credentials(settings)
        return lambda: credentials
    provider = key_provider(settings)
    if provider is None and not sign_in:
        raise ConfigurationError(
            f"POSTHOG_PERSONAL_API_KEY is not set; {HOW_TO_GET_A_KEY}, or try it without an account: --sandbox"
        )
    return provider or SignInSource(settings)


def log_credentials(credentials: Credentials) -> None:
    """Log where the credentials come from, or what is missing. Those of the sandbox have no source."""
    if credentials.problem:
        log.warning("%s", credentials.problem)
    elif credentials.source:
        log.info("calls use %s", credentials.source)


def confirmation_keys(settings: Settings, credentials: Credentials) -> tuple[str, ...]:
    """Return the secrets for the codes of a process that makes one call, and that another process must accept."""
    secrets = (credentials.sign_in.id,) if credentials.sign_in else credentials.secrets
    return read_seal_keys(settings) or ("\n".join(secrets),)


@asynccontextmanager
async def api_clients(settings: Settings) -> AsyncIterator[list[APIClient]]:
    """Yield an API client for each origin that calls may use; the first is the default."""
    transport = None
    origins = [settings.host, *settings.http_posthog_hosts]
    if settings.sandbox:
        from .sandbox import sandbox_transport

        transport, origins = sandbox_transport(settings), [SANDBOX_ORIGIN]
    check_trust_store(origins, os.environ)
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(APIClient(origin, read_only=settings.read_only, transport=transport))
            for origin in dict.fromkeys(origins)
        ]


def make_context(
    settings: Settings, client: APIClient, credentials: Credentials, key_info: KeyInfoCache | None = None
) -> CallContext:
    """Return the call context for a client, credentials and the settings."""
    return CallContext(
        client=client,
        credentials=credentials,
        project_id=settings.project_id,
        confirm=settings.confirm,
        confirm_timeout=settings.confirm_timeout,
        timeout=settings.timeout,
        max_result_chars=settings.max_result_chars,
        key_info=key_info,
    )
