"""From a request's headers to the caller on whose behalf it is answered, for each way to be known."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from pydantic import SecretStr
from starlette.requests import Request

from ..call import Caller
from ..credentials import Credentials
from ..errors import ConfigurationError
from ..settings import origin, why_unusable
from ..upstream import Upstream
from .answers import Turned
from .tokens import CallerTokens

KEY, HOST, PROJECT = "X-PostHog-Api-Key", "X-PostHog-Host", "X-PostHog-Project-Id"

Admit = Callable[[Request], Caller]
"""Says from the headers alone on whose behalf a request is made.

Raises:
    Turned: Nobody's.
"""

Verify = Callable[[Caller, bytes], Awaitable[None]]
"""Asks elsewhere whether the caller may make the request that a body holds.

Raises:
    Turned: It may not, or nobody can say.
"""


async def nothing_more(_: Caller, __: bytes) -> None:
    """Ask nobody: the API itself judges the key that calls it."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Who may call: first by what the headers say, then by what is known elsewhere.

    Attributes:
        vouches: Whether this server knows by itself whom it admits, so that nobody can be many callers.
    """

    admit: Admit
    verify: Verify = nothing_more
    vouches: bool = False


def anyone(own: Callable[[], Caller]) -> Admission:
    """Anyone who can connect, with this server's key."""

    def admit(_: Request) -> Caller:
        return _ours(own)

    return Admission(admit, vouches=True)


def by_token(own: Callable[[], Caller], tokens: CallerTokens) -> Admission:
    """Who presents a token that this server knows, with this server's key. The token goes no further."""

    def admit(request: Request) -> Caller:
        given = bearer(request)
        try:
            name = tokens.name(given) if given else None
        except ConfigurationError as error:
            raise Turned(503, "This server cannot read its callers' tokens; whoever runs it must mend that.") from error
        if name is None:
            why = "This token is not known here." if given else "Send `Authorization: Bearer TOKEN`."
            raise Turned(401, f"{why} Ask whoever runs this server for one.", {"WWW-Authenticate": "Bearer"})
        return replace(_ours(own), name=name)

    return Admission(admit, vouches=True)


def by_own_key(template: Caller, upstreams: Sequence[Upstream], bearer_too: bool) -> Admission:
    """Whoever brings a PostHog key; it is used for this request and forgotten."""

    def admit(request: Request) -> Caller:
        key = request.headers.get(KEY) or (bearer(request) if bearer_too else None)
        if not key:
            raise Turned(401, f"Send your PostHog personal API key in {KEY}.", _challenge(bearer_too))
        if why := why_unusable(key):
            raise Turned(401, f"{KEY}: {why}.", _challenge(bearer_too))
        return replace(
            named(template, Credentials(SecretStr(key))),
            upstream=_asked_for(request, upstreams),
            project_id=_project(request) or template.project_id,
        )

    return Admission(admit)


def named(template: Caller, credentials: Credentials) -> Caller:
    """A caller who is known by a key only; the logs tell it from others by the beginning of the key's hash."""
    return replace(template, credentials=credentials, name=credentials.principal[:8])


def bearer(request: Request) -> str | None:
    """What `Authorization: Bearer` carries."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def _ours(own: Callable[[], Caller]) -> Caller:
    try:
        return own()
    except ConfigurationError as error:
        raise Turned(503, "This server cannot read its PostHog key; whoever runs it must mend that.") from error


def _challenge(bearer_too: bool) -> dict[str, str]:
    return {"WWW-Authenticate": "Bearer" if bearer_too else f'ApiKey header="{KEY}"'}


def _asked_for(request: Request, upstreams: Sequence[Upstream]) -> Upstream:
    said = request.headers.get(HOST)
    if said is None:
        return upstreams[0]
    allowed = ", ".join(upstream.origin for upstream in upstreams)
    try:
        wanted = origin(said.strip())
    except ValueError:
        raise Turned(400, f"{HOST} is not us, eu or an origin; allowed here: {allowed}.") from None
    for upstream in upstreams:
        if upstream.origin == wanted:
            return upstream
    raise Turned(403, f"{HOST}: this server does not call {wanted}; allowed here: {allowed}.")


def _project(request: Request) -> int | None:
    said = request.headers.get(PROJECT, "").strip()
    if not said:
        return None
    if not (said.isascii() and said.isdigit() and 0 < int(said[:18]) == int(said[:19])):
        raise Turned(400, f"{PROJECT} is not a project's number.")
    return int(said)
