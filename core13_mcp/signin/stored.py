"""What the file of an origin contains: the registered client, and the sign-in of a person. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ..api.credentials import KeyInfo
from ..keys import SecretStr
from .endpoints import POSTHOG_ENDPOINTS, Endpoints

VERSION = 1

# An access token is renewed in the last part of its lifetime: on the last day of seven.
RENEWAL_PART = 7

# Visible ASCII characters, which fit into a header.
_TOKEN = re.compile("[!-~]{1,2000}")

Item = TypeVar("Item", str, int)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a token response, and what they allow.

    Attributes:
        expires_at, lifetime: End of the access token in seconds since the epoch, and its lifetime in seconds.
        granted: The scopes, and the projects and organizations to which the person has restricted the access.
    """

    access_token: SecretStr
    refresh_token: SecretStr
    expires_at: float
    lifetime: float
    granted: KeyInfo

    @classmethod
    def parse(cls, payload: Mapping[str, Any], now: float) -> Tokens:
        """Read a token response (RFC 6749, section 5.1).

        Raises:
            ValueError: The response does not have this form.
        """
        lifetime = _number(payload, "expires_in")
        granted = KeyInfo(
            frozenset(_text(payload, "scope").split()),
            _items(payload, "scoped_teams", int),
            _items(payload, "scoped_organizations", str),
        )
        return cls(_token(payload, "access_token"), _token(payload, "refresh_token"), now + lifetime, lifetime, granted)

    def is_valid(self, now: float) -> bool:
        """Whether the access token has not expired."""
        return now < self.expires_at

    def is_due(self, now: float) -> bool:
        """Whether the access token is in the last part of its lifetime, in which it is renewed."""
        return self.expires_at - now < self.lifetime / RENEWAL_PART

    def as_json(self) -> dict[str, Any]:
        """Return the tokens as the file contains them."""
        return {
            "access_token": self.access_token.get_secret_value(),
            "refresh_token": self.refresh_token.get_secret_value(),
            "expires_at": self.expires_at,
            "expires_in": self.lifetime,
            "scope": " ".join(sorted(self.granted.scopes)),
            "scoped_teams": sorted(self.granted.projects),
            "scoped_organizations": sorted(self.granted.organizations),
        }


@dataclass(frozen=True, slots=True)
class StoredSignIn:
    """The sign-in of a person.

    Attributes:
        id: A random secret that identifies this sign-in.
        client_id: The client to which the tokens belong. A later sign-in may register another one.
        user: The person, as PostHog names them; empty if it does not.
        ended: Why PostHog no longer accepts the sign-in; empty while it does.
    """

    id: SecretStr
    client_id: str
    tokens: Tokens
    user: str = ""
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """The content of the file. The client stays registered after the person has signed out."""

    origin: str
    client_id: str = ""
    endpoints: Endpoints = POSTHOG_ENDPOINTS
    sign_in: StoredSignIn | None = None

    def to_text(self) -> str:
        """Return the record as JSON."""
        value: dict[str, Any] = {"version": VERSION, "host": self.origin, "client_id": self.client_id}
        value["endpoints"] = self.endpoints._asdict()
        if self.sign_in:
            entry = self.sign_in
            facts = {"client_id": entry.client_id, "user": entry.user, "ended": entry.ended}
            value["sign_in"] = {"id": entry.id.get_secret_value(), **facts, **entry.tokens.as_json()}
        return json.dumps(value, indent=2) + "\n"

    @classmethod
    def from_text(cls, text: str, origin: str) -> Record:
        """Parse the content of the file of an origin.

        Raises:
            ValueError: It is not a record of this origin. The message contains no part of the text.
        """
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("it is not JSON") from None
        if not isinstance(value, dict) or value.get("version") != VERSION:
            raise ValueError("it was not written by this version of core13-mcp")
        if value.get("host") != origin:
            raise ValueError("it belongs to another host")
        sign_in = _sign_in(value["sign_in"]) if "sign_in" in value else None
        return cls(origin, _text(value, "client_id"), Endpoints.parse(value.get("endpoints")), sign_in)


def _sign_in(value: Any) -> StoredSignIn:
    value = value if isinstance(value, dict) else {}
    expires_at = _number(value, "expires_at")
    tokens = Tokens.parse(value, expires_at - _number(value, "expires_in"))
    client_id, user, ended = (_text(value, name) for name in ("client_id", "user", "ended"))
    return StoredSignIn(_token(value, "id"), client_id, tokens, user, ended)


def _items(payload: Mapping[str, Any], name: str, kind: type[Item]) -> frozenset[Item]:
    values = payload.get(name)
    return frozenset(value for value in values if type(value) is kind) if isinstance(values, list) else frozenset()


def _text(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    if isinstance(value, str):
        return value
    raise ValueError(f"{name} is not a string")


def _token(payload: Mapping[str, Any], name: str) -> SecretStr:
    value = _text(payload, name)
    if not _TOKEN.fullmatch(value):
        raise ValueError(f"{name} is not a token")
    return SecretStr(value)


def _number(payload: Mapping[str, Any], name: str) -> float:
    value = payload.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e12:
        raise ValueError(f"{name} is not a number of seconds")
    return float(value)
