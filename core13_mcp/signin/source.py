"""The stored sign-in as a source of credentials."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..api.credentials import Credentials, KeyInfo
from ..errors import ConfigurationError, Core13Error
from ..keys import HOW_TO_GET_A_KEY
from ..origins import login_command
from ..settings import Settings
from .store import Store, Version, login_directory
from .stored import Record, Tokens

if TYPE_CHECKING:
    from ..api.client import APIClient

log = logging.getLogger("core13_mcp")

# Seconds between two attempts to renew an access token that is still valid.
RETRY_INTERVAL = 60.0

# Seconds for one renewal.
MAX_RENEWAL = 10.0


def open_store(settings: Settings) -> Store:
    """Return the file of the sign-in at the host of these settings.

    Raises:
        ConfigurationError: There is no home directory.
    """
    return Store(login_directory(settings.login_dir, sys.platform, os.environ), settings.host)


class SignInSource:
    """Returns the credentials of the sign-in in a file, which is reloaded when it changes.

    Args:
        settings: The host, the directory of the file, and the login session, which some endpoints need.
        connect: Returns an API client for the authorization server at an origin.
        clock: Returns the seconds since the epoch.
    """

    def __init__(
        self,
        settings: Settings,
        connect: Callable[[str], APIClient] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._connect = connect
        self._clock = clock
        self._version: Version | None = None
        self._credentials: Credentials | None = None
        # The time of the next attempt to renew a valid access token.
        self._retry_at = 0.0

    def __call__(self) -> Credentials:
        """Return the current credentials. They have a `problem` if nobody is signed in or the file cannot be used."""
        try:
            store = open_store(self._settings)
            version = store.version()
            if self._credentials is None or version is None or version != self._version:
                self._version, self._credentials = version, self._active(store.read())
            return self._credentials
        except ConfigurationError as error:
            self._credentials = None
            return self._without_key(str(error))

    def is_due(self, tokens: Tokens) -> bool:
        """Whether an access token should be renewed before the next request."""
        now = self._clock()
        return not tokens.is_valid(now) or (tokens.is_due(now) and now >= self._retry_at)

    async def renew(self, tokens: Tokens, timeout: float, *, rejected: bool) -> Credentials:
        """Return credentials with other tokens than these; see `SignIn.renew`."""
        from ..api.failures import RenewalFailed
        from .renewal import open_client, renew  # imports httpx2, which a start over stdio does not need

        store = open_store(self._settings)
        try:
            async with (self._connect or open_client)(store.origin) as client:
                await renew(store, tokens, client, min(timeout, MAX_RENEWAL))
        except Core13Error as failure:
            log.warning("the sign-in at %s could not be renewed: %s", store.origin, failure)
            self._retry_at = self._clock() + RETRY_INTERVAL
            if rejected or not tokens.is_valid(self._clock()):
                raise RenewalFailed(f"the sign-in could not be renewed: {failure}") from None
        credentials = self()
        if credentials.problem:
            log.warning("%s", credentials.problem)
        credentials.require("key")
        return credentials

    def _active(self, record: Record) -> Credentials:
        sign_in, command = record.sign_in, login_command(record.origin)
        if sign_in is None:
            return self._without_key(
                f"there is no PostHog key and no sign-in for {record.origin}; run `{command}` in a terminal, which takes "
                f"effect at once, or {HOW_TO_GET_A_KEY} and set POSTHOG_PERSONAL_API_KEY, or try it without an account: "
                "--sandbox"
            )
        if sign_in.ended:
            return self._without_key(
                f"your PostHog sign-in at {record.origin} ended ({sign_in.ended}); run `{command}` in a terminal"
            )
        source = f"the sign-in of {sign_in.user or 'an unknown user'} at {record.origin}"
        active = ActiveSignIn(self, sign_in.id.get_secret_value(), sign_in.tokens)
        return self._without_key("")._replace(key=sign_in.tokens.access_token, source=source, sign_in=active)

    def _without_key(self, problem: str) -> Credentials:
        settings = self._settings
        return Credentials(None, settings.session_id, settings.csrf_token, problem=problem)


@dataclass(frozen=True, slots=True)
class ActiveSignIn:
    """A `SignIn` with the tokens that it had when a call began."""

    source: SignInSource
    id: str
    tokens: Tokens

    def __repr__(self) -> str:
        return "ActiveSignIn()"

    @property
    def granted(self) -> KeyInfo:
        return self.tokens.granted

    def is_due(self) -> bool:
        """Whether the access token should be renewed before the next request."""
        return self.source.is_due(self.tokens)

    async def renew(self, timeout: float, *, rejected: bool) -> Credentials:
        """See `SignIn.renew`."""
        return await self.source.renew(self.tokens, timeout, rejected=rejected)
