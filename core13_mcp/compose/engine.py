"""From settings to something that can make calls: the only place where the engine and the sandbox meet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2

from ..api.client import APIClient
from ..api.credentials import CredentialProvider, Credentials, credentials_from
from ..errors import ConfigurationError
from ..logs import configure_logging
from ..pipeline.call import CallContext
from ..settings import Settings

SANDBOX_ORIGIN = "http://sandbox.invalid"


@asynccontextmanager
async def context_provider(settings: Settings) -> AsyncIterator[Callable[[], CallContext]]:
    """A function that gives the caller of the moment: the key is looked up anew for each call.

    Raises:
        ConfigurationError: There is no key, and it is not the sandbox.
    """
    credentials = credential_provider(settings)
    configure_logging(settings.log_level, settings.log_format, credentials().secrets)
    async with api_clients(settings) as reached:
        yield lambda: make_context(settings, reached[0], credentials())


def credential_provider(settings: Settings) -> CredentialProvider:
    """The key that this server holds itself.

    Raises:
        ConfigurationError: There is none, and it is not the sandbox.
    """
    if not settings.sandbox:
        return credentials_from(settings)
    from .. import sandbox  # Starlette and SQLite are for those who ask for them

    fixed = _in_sandbox(settings, sandbox.FULL_KEY, sandbox.SESSION_ID, sandbox.CSRF_TOKEN)
    return lambda: fixed


@asynccontextmanager
async def api_clients(settings: Settings) -> AsyncIterator[list[APIClient]]:
    """An upstream for each origin that calls may go to; the first is where they go unless they say otherwise."""
    origins = [SANDBOX_ORIGIN] if settings.sandbox else [settings.host, *settings.http_posthog_hosts]
    transport = _transport(settings)
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(APIClient(origin, read_only=settings.read_only, transport=transport))
            for origin in dict.fromkeys(origins)
        ]


def make_context(settings: Settings, upstream: APIClient, credentials: Credentials) -> CallContext:
    """Who calls with these credentials, under these settings."""
    return CallContext(
        client=upstream,
        credentials=credentials,
        project_id=settings.project_id,
        confirm=settings.confirm,
        timeout=settings.timeout,
        max_result_chars=settings.max_result_chars,
    )


def _transport(settings: Settings) -> httpx2.AsyncBaseTransport | None:
    if not settings.sandbox:
        return None
    from .. import sandbox

    try:
        app = sandbox.build(settings.sandbox_db or ":memory:")
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"CORE13_SANDBOX_DB: {error}") from None
    return httpx2.ASGITransport(app, raise_app_exceptions=False)


def _in_sandbox(settings: Settings, key: str, session: str, csrf: str) -> Credentials:
    """The full key, unless one of the sandbox's own was given: a real key must not end up in a sandbox file."""
    given = Settings(personal_api_key=key, session_id=session, csrf_token=csrf)  # type: ignore[arg-type] # coerced
    own = settings.personal_api_key
    if own is not None and "sandbox" in own.get_secret_value():
        return Credentials(own, settings.session_id, settings.csrf_token)
    return Credentials(given.personal_api_key, given.session_id, given.csrf_token)
