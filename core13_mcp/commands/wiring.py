"""From settings to something that can make calls: the only place where the engine and the sandbox meet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx2

from ..call import Caller
from ..credentials import Credentials, Source, source
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
    transport, origin, credentials = _behind(settings)
    set_up(settings.log_level, settings.log_format, credentials().secrets)
    async with Upstream(origin, read_only=settings.read_only, transport=transport) as upstream:

        def caller() -> Caller:
            return Caller(
                upstream=upstream,
                credentials=credentials(),
                project_id=settings.project_id,
                confirm=settings.confirm,
                timeout=settings.timeout,
                budget=settings.max_result_chars,
            )

        yield caller


def _behind(settings: Settings) -> tuple[httpx2.AsyncBaseTransport | None, str, Source]:
    if not settings.sandbox:
        return None, settings.host, source(settings)
    from .. import sandbox  # Starlette and SQLite are for those who ask for them

    fixed = _in_sandbox(settings, sandbox.FULL_KEY, sandbox.SESSION_ID, sandbox.CSRF_TOKEN)
    app = sandbox.build(settings.sandbox_db or ":memory:")
    return httpx2.ASGITransport(app, raise_app_exceptions=False), SANDBOX_ORIGIN, lambda: fixed


def _in_sandbox(settings: Settings, key: str, session: str, csrf: str) -> Credentials:
    """The full key, unless one of the sandbox's own was given: a real key must not end up in a sandbox file."""
    given = Settings(personal_api_key=key, session_id=session, csrf_token=csrf)  # type: ignore[arg-type] # coerced
    own = settings.personal_api_key
    if own is not None and "sandbox" in own.get_secret_value():
        return Credentials(own, settings.session_id, settings.csrf_token)
    return Credentials(given.personal_api_key, given.session_id, given.csrf_token)
