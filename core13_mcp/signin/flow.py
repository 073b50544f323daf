"""The authorization code flow with PKCE (RFC 6749, RFC 7636, RFC 8252): the request and its answer. Pure."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

from ..text import quote
from .errors import SignInFailed

CALLBACK_PATH = "/callback"

# Characters of the query of a redirect address. PostHog's have about 150.
MAX_QUERY = 8000

# The redirect address of the registered client. PostHog accepts every port with it.
REDIRECT_URI = f"http://127.0.0.1{CALLBACK_PATH}"


class Access(NamedTuple):
    """What a sign-in asks for: the scopes, and the project that the consent page preselects."""

    scopes: frozenset[str]
    project: int | None = None


@dataclass(frozen=True, slots=True)
class Authorization:
    """One authorization request, with the secrets that connect its answer to it."""

    client_id: str
    redirect_uri: str
    access: Access
    state: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(32))
    verifier: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(48))

    def url(self, endpoint: str) -> str:
        """Return the address of the page on which the person signs in and decides."""
        parameters = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "state": self.state,
            "code_challenge": _challenge(self.verifier),
            "code_challenge_method": "S256",
            "scope": " ".join(sorted(self.access.scopes)),
            "required_access_level": "project",
        }
        if self.access.project is not None:
            parameters["team_id"] = str(self.access.project)
        return f"{endpoint}?{urlencode(parameters)}"

    def read_answer(self, query: str) -> str:
        """Return the authorization code in the query of the redirect address.

        Raises:
            SignInFailed: The person declined, PostHog refused, or the answer belongs to another request.
        """
        answer = {name: values[0] for name, values in parse_qs(query[:MAX_QUERY]).items()}
        if "error" in answer:
            raise SignInFailed(self._refusal(answer))
        if not hmac.compare_digest(answer.get("state", "").encode(), self.state.encode()):
            raise SignInFailed("this address belongs to another sign-in. Nothing was stored; start again.")
        if not answer.get("code"):
            raise SignInFailed("the address contains no code. Nothing was stored; start again.")
        return answer["code"]

    def _refusal(self, answer: dict[str, str]) -> str:
        error = answer["error"]
        if error == "access_denied":
            return "you declined in the browser; nothing was stored."
        if error == "invalid_scope":
            scopes = ", ".join(sorted(self.access.scopes))
            return f"PostHog does not grant these scopes: {scopes}. Nothing was stored. Try --read-only, or update PostHog."
        detail = answer.get("error_description", "")
        reason = quote(f"{error}: {detail}" if detail else error, 200)
        return f"PostHog refused the sign-in and says {reason}. Nothing was stored; start again."


def is_callback(target: str) -> bool:
    """Return whether a request target or an address has the path of the redirect address."""
    try:
        return urlsplit(target).path == CALLBACK_PATH
    except ValueError:
        return False


def with_read_scopes(scopes: frozenset[str]) -> frozenset[str]:
    """Add the read scope to each write scope, so that the person can grant reading only."""
    return scopes | {scope.replace(":write", ":read") for scope in scopes}


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
