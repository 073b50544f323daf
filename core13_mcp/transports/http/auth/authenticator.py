"""From a request's headers to the caller on whose behalf it is answered, for each way to be known."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from pydantic import SecretStr
from starlette.requests import Request

from ....api.client import APIClient
from ....api.credentials import Credentials
from ....errors import ConfigurationError
from ....keys import KEY_HEADER, key_problem
from ....origins import parse_origin
from ....pipeline.call import CallContext
from ..errors import Rejected
from .tokens import CallerTokens

HOST, PROJECT = "X-PostHog-Host", "X-PostHog-Project-Id"

Authenticate = Callable[[Request], CallContext]
"""Says from the headers alone on whose behalf a request is made.

Raises:
    Turned: Nobody's.
"""

Verify = Callable[[CallContext, bytes], Awaitable[None]]
"""Asks elsewhere whether the caller may make the request that a body holds.

Raises:
    Turned: It may not, or nobody can say.
"""


async def no_check(_: CallContext, __: bytes) -> None:
    """Ask nobody: the API itself judges the key that calls it."""


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Who may call: first by what the headers say, then by what is known elsewhere.

    Attributes:
        vouches: Whether this server knows by itself whom it admits, so that nobody can be many callers.
    """

    authenticate: Authenticate
    verify: Verify = no_check
    trusted: bool = False


def no_auth(own: Callable[[], CallContext]) -> Authenticator:
    """Anyone who can connect, with this server's key."""

    def admit(_: Request) -> CallContext:
        return _ours(own)

    return Authenticator(admit, trusted=True)


def token_auth(own: Callable[[], CallContext], tokens: CallerTokens) -> Authenticator:
    """Who presents a token that this server knows, with this server's key. The token goes no further."""

    def admit(request: Request) -> CallContext:
        given = bearer(request)
        try:
            name = tokens.name(given) if given else None
        except ConfigurationError as error:
            raise Rejected(
                503, "This server cannot read its callers' tokens; whoever runs it must mend that."
            ) from error
        if name is None:
            why = "This token is not known here." if given else "Send `Authorization: Bearer TOKEN`."
            raise Rejected(401, f"{why} Ask whoever runs this server for one.", {"WWW-Authenticate": "Bearer"})
        return replace(_ours(own), name=name)

    return Authenticator(admit, trusted=True)


def api_key_auth(template: CallContext, upstreams: Sequence[APIClient], bearer_too: bool) -> Authenticator:
    """Whoever brings a PostHog key; it is used for this request and forgotten."""

    def admit(request: Request) -> CallContext:
        key = request.headers.get(KEY_HEADER) or (bearer(request) if bearer_too else None)
        if not key:
            raise Rejected(401, f"Send your PostHog personal API key in {KEY_HEADER}.", _challenge(bearer_too))
        if why := key_problem(key):
            raise Rejected(401, f"{KEY_HEADER}: {why}.", _challenge(bearer_too))
        return replace(
            identified(template, Credentials(SecretStr(key))),
            client=_asked_for(request, upstreams),
            project_id=_project(request) or template.project_id,
        )

    return Authenticator(admit)


def identified(template: CallContext, credentials: Credentials) -> CallContext:
    """A caller who is known by a key only; the logs tell it from others by the beginning of the key's hash."""
    return replace(template, credentials=credentials, name=credentials.principal[:8])


def bearer(request: Request) -> str | None:
    """What `Authorization: Bearer` carries."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _ours(own: Callable[[], CallContext]) -> CallContext:
    try:
        return own()
    except ConfigurationError as error:
        raise Rejected(503, "This server cannot read its PostHog key; whoever runs it must mend that.") from error


def _challenge(bearer_too: bool) -> dict[str, str]:
    return {"WWW-Authenticate": "Bearer" if bearer_too else f'ApiKey header="{KEY_HEADER}"'}


def _asked_for(request: Request, upstreams: Sequence[APIClient]) -> APIClient:
    said = request.headers.get(HOST)
    if said is None:
        return upstreams[0]
    allowed = ", ".join(upstream.origin for upstream in upstreams)
    try:
        wanted = parse_origin(said.strip())
    except ValueError:
        raise Rejected(400, f"{HOST} is not us, eu or an origin; allowed here: {allowed}.") from None
    for upstream in upstreams:
        if upstream.origin == wanted:
            return upstream
    raise Rejected(403, f"{HOST}: this server does not call {wanted}; allowed here: {allowed}.")


def _project(request: Request) -> int | None:
    said = request.headers.get(PROJECT, "").strip()
    if not said:
        return None
    if not (said.isascii() and said.isdigit() and 0 < int(said[:18]) == int(said[:19])):
        raise Rejected(400, f"{PROJECT} is not a project's number.")
    return int(said)
