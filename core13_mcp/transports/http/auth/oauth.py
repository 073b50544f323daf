"""An OAuth protected resource whose authorization server is the API's own.

The token that the API issued goes back to the API that issued it, and nowhere else. This server adds nothing to what
the token may do: it asks the issuer whether the token holds and what for, so that a client learns in OAuth's own words
when to renew it or to ask for more. It keeps nothing of the answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx2
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ....api.client import APIClient
from ....api.credentials import Credentials
from ....api.exchange import APIRequest, APIResponse
from ....api.session import APISession
from ....pipeline.call import CallContext
from ..errors import Rejected
from .authenticator import Authenticator, bearer, identified

WELL_KNOWN = "/.well-known/oauth-protected-resource"
INTROSPECT = "/oauth/introspect/"
INTROSPECTION = "introspection"
"""The scope by which a token may ask about itself."""

TOKEN_PREFIX = "pha_"
INTROSPECTION_TIMEOUT = 10.0
"""Seconds for the issuer to answer."""


class ProtectedResource:
    """This server as a protected resource.

    Args:
        url: Its identifier: the URL that callers use.
        issuer: The API, which is not read-only to questions about tokens.
        scopes: The scope that each tool needs, by its name; None for a tool that no token opens.
    """

    def __init__(self, url: str, issuer: APIClient, scopes: Mapping[str, str | None]) -> None:
        parts = urlsplit(url)
        self._url = url
        self._issuer = issuer
        self._scopes = scopes
        self._path = WELL_KNOWN + parts.path
        self._metadata = f"{parts.scheme}://{parts.netloc}{self._path}"
        self._wanted = " ".join(sorted({INTROSPECTION, *filter(None, scopes.values())}))

    def admission(self, template: CallContext) -> Authenticator:
        """Whoever presents a token that its issuer vouches for."""

        def admit(request: Request) -> CallContext:
            token = bearer(request)
            if token is None:
                raise self._challenge(401, "Log in: this server takes OAuth access tokens.", scope=self._wanted)
            if not token.startswith(TOKEN_PREFIX):
                raise self._invalid(f"This is not an access token of {self._issuer.origin}.")
            return identified(template, Credentials(SecretStr(token)))

        return Authenticator(admit, self._verify)

    @property
    def route(self) -> Route:
        """The metadata document (RFC 9728)."""
        told = {
            "resource": self._url,
            "resource_name": "PostHog Core-13",
            "authorization_servers": [self._issuer.origin],
            "scopes_supported": self._wanted.split(),
            "bearer_methods_supported": ["header"],
        }

        async def metadata(_: Request) -> Response:
            return JSONResponse(told, headers={"Cache-Control": "public, max-age=3600"})

        return Route(self._path, metadata)

    async def _verify(self, caller: CallContext, body: bytes) -> None:
        granted = await self._granted(caller)
        needed = self._scopes.get(_tool(body) or "")
        if needed is not None and not _covers(granted, needed):
            why = f"The token lacks the scope {needed}."
            raise self._challenge(403, why, error="insufficient_scope", scope=f"{INTROSPECTION} {needed}")

    async def _granted(self, caller: CallContext) -> set[str]:
        """The scopes of a caller's token, asked of its issuer with the token itself."""
        answer = await self._ask(caller)
        if answer.status == 403:
            why = f"The token lacks the scope {INTROSPECTION}, by which it can be checked."
            raise self._challenge(403, why, error="insufficient_scope", scope=self._wanted)
        told = _object(answer.body)
        if answer.status == 401 or (answer.status == 200 and told.get("active") is False):
            raise self._invalid("The token has expired or was taken back.")
        if answer.status != 200 or told.get("active") is not True:
            raise _nobody_can_say(f"answered {answer.status}")
        return set(str(told.get("scope", "")).split())

    async def _ask(self, caller: CallContext) -> APIResponse:
        token = caller.credentials.secrets[0]
        question = APIRequest(method="POST", path=INTROSPECT, form={"token": token})
        try:
            return await APISession(self._issuer, caller.credentials, INTROSPECTION_TIMEOUT).send(question)
        except httpx2.RequestError as error:
            raise _nobody_can_say(f"did not answer ({type(error).__name__})") from None

    def _invalid(self, why: str) -> Rejected:
        return self._challenge(401, why, error="invalid_token", scope=self._wanted)

    def _challenge(self, status: int, why: str, **parts: str) -> Rejected:
        described = {"error_description": why} if "error" in parts else {}
        told = {**parts, **described, "resource_metadata": self._metadata}
        challenge = ", ".join(f'{name}="{value}"' for name, value in told.items())
        return Rejected(status, why, {"WWW-Authenticate": f"Bearer {challenge}"})


def _nobody_can_say(what: str) -> Rejected:
    return Rejected(503, f"The token could not be checked: its issuer {what}. Try again in 5 s.", {"Retry-After": "5"})


def _covers(granted: set[str], needed: str) -> bool:
    """Whether scopes suffice: writing includes reading."""
    return bool({"*", needed, needed.replace(":read", ":write")} & granted)


def _tool(body: bytes) -> str | None:
    """The tool that a request calls; None for any other request. What is malformed is refused further on."""
    said = _object(body)
    params = said.get("params")
    name = params.get("name") if isinstance(params, dict) else None
    return name if said.get("method") == "tools/call" and isinstance(name, str) else None


def _object(body: bytes) -> dict[str, object]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
