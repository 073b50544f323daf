"""The credentials that requests to the API carry, and where they are read from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ..errors import ConfigurationError
from ..files import WatchedFile
from ..keys import HOW_TO_GET_A_KEY, SecretStr, key_problem
from ..settings import Settings


class Credentials(NamedTuple):
    """A personal API key and, optionally, a login session. The repr shows no secret."""

    key: SecretStr | None = None
    session_id: SecretStr | None = None
    csrf_token: SecretStr | None = None

    @property
    def principal(self) -> str:
        """A hash of the key, which identifies a caller without revealing the key."""
        import hashlib  # takes 3 ms, and a start over stdio only reads the credentials

        return hashlib.sha256(_plain(self.key).encode()).hexdigest()

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(filter(None, map(_plain, (self.key, self.session_id, self.csrf_token))))

    def supports(self, auth: str) -> bool:
        """Whether these credentials can authenticate at an endpoint that takes `auth`."""
        return auth != "session" or self.session_id is not None

    def headers(self, auth: str, origin: str) -> dict[str, str]:
        """Return the authentication headers: the session if the endpoint takes it and there is one, else the key."""
        # Django requires the CSRF token as a cookie and as a header, and on https a Referer.
        if auth == "session" and self.session_id:
            csrf = _plain(self.csrf_token)
            cookies = f"sessionid={_plain(self.session_id)}; posthog_csrftoken={csrf}"
            return {"Cookie": cookies, "X-CSRFToken": csrf, "Referer": f"{origin}/"}
        return {"Authorization": f"Bearer {_plain(self.key)}"}


CredentialProvider = Callable[[], Credentials]
"""Returns the current credentials for one call. It raises ConfigurationError if there is no usable key."""


def credentials_from(settings: Settings) -> CredentialProvider:
    """Return a provider for the key, or the key file, that the settings name.

    Raises:
        ConfigurationError: The settings name no key, or the file has no usable key.
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
    key = text.strip()
    problem = key_problem(key) if key else f"it is empty; {HOW_TO_GET_A_KEY}"
    if problem:
        raise ValueError(problem)
    return SecretStr(key)


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
