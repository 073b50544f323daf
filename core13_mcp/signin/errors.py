"""The failures of a sign-in and of its renewal."""

from __future__ import annotations

from ..errors import Core13Error

USE_A_KEY = "Use a personal API key: create one in PostHog under Settings > Personal API keys."


class SignInFailed(Core13Error):
    """A sign-in failed and nothing was stored. The message says what failed, why, and what to do."""


class ServerUnavailable(Core13Error):
    """The authorization server gave no answer that decides anything. A later attempt may succeed."""


class GrantRefused(Core13Error):
    """The authorization server refused a grant. `error` is its error code (RFC 6749, section 5.2)."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error

    @property
    def is_final(self) -> bool:
        """Whether the server no longer knows the code, the refresh token or the client."""
        return self.error in ("invalid_grant", "invalid_client", "unauthorized_client")
