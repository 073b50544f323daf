"""From settings to something that can make calls: the only place where the engine and the sandbox meet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2

from ..call import Caller
from ..credentials import Credentials, Source, source
from ..errors import ConfigurationError
from ..log import set_up
from ..settings import Settings
from ..upstream import Upstream

SANDBOX_ORIGIN = "http://sandbox.invalid"


@asynccontextmanager
async def callers(settings: Settings) -> AsyncIterator[Callable[[], Caller]]:
    """A function that gives the caller of the moment: the key is looked up anew for each call.

    Raises:
        ConfigurationError: There is no key, and it is not the sandbox.
    """
    credentials = held(settings)
    set_up(settings.log_level, settings.log_format, credentials().secrets)
    async with upstreams(settings) as reached:
        yield lambda: caller(settings, reached[0], credentials())


def held(settings: Settings) -> Source:
    """The key that this server holds itself.

    Raises:
        ConfigurationError: There is none, and it is not the sandbox.
    """
    if not settings.sandbox:
        return source(settings)
    from .. import sandbox  # Starlette and SQLite are for those who ask for them

    fixed = _in_sandbox(settings, sandbox.FULL_KEY, sandbox.SESSION_ID, sandbox.CSRF_TOKEN)
    return lambda: fixed


@asynccontextmanager
async def upstreams(settings: Settings) -> AsyncIterator[list[Upstream]]:
    """An upstream for each origin that calls may go to; the first is where they go unless they say otherwise."""
    origins = [SANDBOX_ORIGIN] if settings.sandbox else [settings.host, *settings.http_posthog_hosts]
    transport = _transport(settings)
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(Upstream(origin, read_only=settings.read_only, transport=transport))
            for origin in dict.fromkeys(origins)
        ]


def caller(settings: Settings, upstream: Upstream, credentials: Credentials) -> Caller:
    """Who calls with these credentials, under these settings."""
    return Caller(
        upstream=upstream,
        credentials=credentials,
        project_id=settings.project_id,
        confirm=settings.confirm,
        timeout=settings.timeout,
        budget=settings.max_result_chars,
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
