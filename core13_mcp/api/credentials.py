"""The credentials that requests to the API carry, and where they are read from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from ..errors import ConfigurationError
from ..files import WatchedFile
from ..keys import HOW_TO_GET_A_KEY, SecretStr, key_problem
from ..settings import Settings

# Why a tool that needs a login session cannot be used, although a key or a sign-in would be easy to get.
_SESSION_ONLY = "only a login session is accepted here, neither an API key nor a sign-in"
_SET_A_SESSION = "The person does it in PostHog, or the operator sets POSTHOG_SESSION_ID and POSTHOG_CSRF_TOKEN."


class KeyInfo(NamedTuple):
    """The scopes of a key or a sign-in, and the projects and organizations to which it is restricted, if any."""

    scopes: frozenset[str]
    projects: frozenset[int]
    organizations: frozenset[str]

    def has(self, scope: str) -> bool:
        """Whether it has a scope. A `:write` scope includes `:read`."""
        return not self.scopes.isdisjoint({"*", scope, scope.replace(":read", ":write")})

    def reaches(self, project: int) -> bool:
        """Whether the restriction to projects includes a project."""
        return not self.projects or project in self.projects


class Credentials(NamedTuple):
    """A personal API key or the access token of a sign-in and, optionally, a login session. The repr shows no secret.

    Attributes:
        source: Where the key comes from, for the log and `doctor`.
        problem: Why there is no key, and what to do. A call that needs a key fails with this text.
        sign_in: The sign-in to which the key belongs, if it is an access token.
    """

    key: SecretStr | None = None
    session_id: SecretStr | None = None
    csrf_token: SecretStr | None = None
    source: str = ""
    problem: str = ""
    sign_in: SignIn | None = None

    @property
    def kind(self) -> str:
        """What a person calls these credentials: `key` or `sign-in`."""
        return "sign-in" if self.sign_in else "key"

    @property
    def principal(self) -> str:
        """A hash of the key, which identifies a caller without revealing the key. A sign-in keeps it when it is renewed."""
        import hashlib  # takes 3 ms, and a start over stdio only reads the credentials

        return hashlib.sha256((self.sign_in.id if self.sign_in else _plain(self.key)).encode()).hexdigest()

    @property
    def secrets(self) -> tuple[str, ...]:
        return tuple(filter(None, map(_plain, (self.key, self.session_id, self.csrf_token))))

    def supports(self, auth: str) -> bool:
        """Whether these credentials can authenticate at an endpoint that takes `auth`."""
        return auth != "session" or self.session_id is not None

    def require(self, auth: str) -> None:
        """Raise ConfigurationError if there is nothing to send to an endpoint that takes `auth`."""
        if self.problem and auth == "key":
            raise ConfigurationError(self.problem)
        if self.problem and not self.supports(auth):
            raise ConfigurationError(_SESSION_ONLY, _SET_A_SESSION)

    def headers(self, auth: str, origin: str) -> dict[str, str]:
        """Return the authentication headers: the session if the endpoint takes it and there is one, else the key."""
        # Django requires the CSRF token as a cookie and as a header, and on https a Referer.
        if auth == "session" and self.session_id:
            csrf = _plain(self.csrf_token)
            cookies = f"sessionid={_plain(self.session_id)}; posthog_csrftoken={csrf}"
            return {"Cookie": cookies, "X-CSRFToken": csrf, "Referer": f"{origin}/"}
        return {"Authorization": f"Bearer {_plain(self.key)}"} if auth != "none" else {}


class SignIn(Protocol):
    """A sign-in of a person. Its access token can be renewed.

    Attributes:
        id: A secret that identifies this sign-in. It stays the same when the token is renewed.
        granted: What the person has granted.
    """

    @property
    def id(self) -> str: ...

    @property
    def granted(self) -> KeyInfo: ...

    def is_due(self) -> bool:
        """Whether the access token should be renewed before the next request."""

    async def renew(self, timeout: float, *, rejected: bool) -> Credentials:
        """Return credentials with another access token, or the same ones if a valid token cannot be renewed now.

        Args:
            rejected: Whether the API has rejected the access token.

        Raises:
            ConfigurationError: The person has to sign in again.
            RenewalFailed: There is no valid access token now. Nothing was changed.
        """


CredentialProvider = Callable[[], Credentials]
"""Returns the current credentials for one call. It raises ConfigurationError if the key file has no usable key."""


def key_provider(settings: Settings) -> CredentialProvider | None:
    """Return a provider for the key, or the key file, that the settings name; None if they name neither.

    Raises:
        ConfigurationError: The file has no usable key.
    """
    session = (settings.session_id, settings.csrf_token)
    if settings.personal_api_key is not None:
        fixed = Credentials(settings.personal_api_key, *session, source="POSTHOG_PERSONAL_API_KEY")
        return lambda: fixed
    if settings.personal_api_key_file is None:
        return None
    path = settings.personal_api_key_file
    file = WatchedFile(Path(path), "the API key", _parse_key)
    file.read()
    return lambda: Credentials(file.read(), *session, source=f"the key file {path}")


def _parse_key(text: str) -> SecretStr:
    key = text.strip()
    problem = key_problem(key) if key else f"it is empty; {HOW_TO_GET_A_KEY}"
    if problem:
        raise ValueError(problem)
    return SecretStr(key)


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
