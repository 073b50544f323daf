"""Whose key goes upstream."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from ..errors import ConfigurationError
from ..files import WatchedFile
from ..keys import HOW_TO_GET_A_KEY, key_problem
from ..settings import Settings


@dataclass(frozen=True, slots=True)
class Credentials:
    """What proves to the API who is calling. Its repr shows nothing."""

    key: SecretStr | None = None
    session_id: SecretStr | None = None
    csrf_token: SecretStr | None = None

    @property
    def principal(self) -> str:
        """Tells one caller from another without telling who it is: a hash of the key."""
        return hashlib.sha256(_plain(self.key).encode()).hexdigest()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Everything that must never be shown."""
        return tuple(filter(None, map(_plain, (self.key, self.session_id, self.csrf_token))))

    def supports(self, auth: str) -> bool:
        """Whether an endpoint that takes only this can be reached at all."""
        return auth != "session" or self.session_id is not None

    def headers(self, auth: str, origin: str) -> dict[str, str]:
        """The headers for an endpoint: a login session where it takes only that and there is one, else the key.

        PostHog's session authentication wants the CSRF token twice, and a Referer on https.
        """
        if auth == "session" and self.session_id:
            csrf = _plain(self.csrf_token)
            cookies = f"sessionid={_plain(self.session_id)}; posthog_csrftoken={csrf}"
            return {"Cookie": cookies, "X-CSRFToken": csrf, "Referer": f"{origin}/"}
        return {"Authorization": f"Bearer {_plain(self.key)}"}


class CredentialProvider(Protocol):
    """Where credentials come from, asked anew for every call."""

    def __call__(self) -> Credentials:
        """The credentials that hold now.

        Raises:
            ConfigurationError: There are none.
        """
        ...


def credentials_from(settings: Settings) -> CredentialProvider:
    """Where the settings say that the key is.

    Raises:
        ConfigurationError: Nowhere, or in a file that cannot be read.
    """
    session = (settings.session_id, settings.csrf_token)
    if settings.personal_api_key is not None:
        fixed = Credentials(settings.personal_api_key, *session)
        return lambda: fixed
    if settings.personal_api_key_file is None:
        raise ConfigurationError(
            f"POSTHOG_PERSONAL_API_KEY is not set; {HOW_TO_GET_A_KEY}, or try it without an account: --sandbox"
        )
    file = WatchedFile(Path(settings.personal_api_key_file), "the API key", _parse_key)
    file.read()
    return lambda: Credentials(file.read(), *session)


def _parse_key(text: str) -> SecretStr:
    """Return the key in the text of a key file.

    Raises:
        ValueError: The text is not a usable key.
    """
    key = text.strip()
    problem = key_problem(key) if key else f"it is empty; {HOW_TO_GET_A_KEY}"
    if problem:
        raise ValueError(problem)
    return SecretStr(key)


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
