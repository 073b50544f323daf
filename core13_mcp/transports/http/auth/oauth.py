"""OAuth: this server as a protected resource, with PostHog as the authorization server.

A token that PostHog issued is sent to PostHog only. PostHog decides what the token may do. This server asks PostHog by
introspection whether the token is active and which scopes it has, so that a client learns in OAuth's terms when to
refresh the token or to request more scopes. It stores no introspection response.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ....api.client import APIClient
from ....api.exchange import APIRequest
from ....api.session import APISession
from ....identity import TITLE
from ....jsonio import parse_json
from ....keys import OAUTH_PREFIX, key_problem
from ....pipeline.call import CallContext
from ..errors import Rejected
from .authenticator import Authenticator, bearer, identified

METADATA_PATH = "/.well-known/oauth-protected-resource"

# Servers before January 2026 introspect no token without this scope.
INTROSPECTION_SCOPE = "introspection"

# Seconds.
INTROSPECTION_TIMEOUT = 10.0


class ProtectedResource:
    """This server as an OAuth protected resource.

    Args:
        url: The resource identifier, which is the URL that callers use.
        issuer: A client for PostHog's API. It must not be read-only, because introspection is a POST.
        scopes: The scope that each tool needs, by tool name; None for a tool that accepts no token.
    """

    def __init__(self, url: str, issuer: APIClient, scopes: Mapping[str, str | None]) -> None:
        parts = urlsplit(url)
        self.url = url
        self._issuer = issuer
        self._scopes = scopes
        self._path = METADATA_PATH + parts.path
        self._metadata_url = f"{parts.scheme}://{parts.netloc}{self._path}"
        self._all_scopes = " ".join(sorted({INTROSPECTION_SCOPE, *filter(None, scopes.values())}))

    def authenticator(self, template: CallContext) -> Authenticator:
        """Accept callers with a token that its issuer reports as active."""

        def authenticate(request: Request) -> CallContext:
            token = bearer(request)
            if token is None:
                raise self._challenge(401, "Log in: this server accepts OAuth access tokens.", scope=self._all_scopes)
            # A token with other characters cannot be sent to its issuer.
            if not token.startswith(OAUTH_PREFIX) or key_problem(token):
                raise self._invalid_token(f"This is not an access token of {self._issuer.origin}.")
            return identified(template, token)

        return Authenticator(authenticate, self._verify)

    @property
    def route(self) -> Route:
        """The route of the metadata document (RFC 9728)."""
        document = {
            "resource": self.url,
            "resource_name": TITLE,
            "authorization_servers": [self._issuer.origin],
            "scopes_supported": self._all_scopes.split(),
            "bearer_methods_supported": ["header"],
        }

        async def metadata(_: Request) -> Response:
            return JSONResponse(document, headers={"Cache-Control": "public, max-age=3600"})

        return Route(self._path, metadata)

    async def _verify(self, caller: CallContext, body: bytes) -> None:
        granted = await self._granted_scopes(caller)
        required = self._scopes.get(_called_tool(body))
        # A write scope includes the read scope.
        if required and not granted & {"*", required, required.replace(":read", ":write")}:
            raise self._insufficient_scope(required, f"{INTROSPECTION_SCOPE} {required}")

    async def _granted_scopes(self, caller: CallContext) -> set[str]:
        # The token itself authenticates the request.
        form = {"token": caller.credentials.secrets[0]}
        request = APIRequest(method="POST", path="/oauth/introspect/", form=form)
        try:
            response = await APISession(self._issuer, caller.credentials, INTROSPECTION_TIMEOUT).send(request)
        except httpx2.RequestError:
            raise _unavailable("its issuer did not respond") from None
        payload = _json_object(response.body)
        # PostHog returns 403 for an unknown or revoked token. Servers before January 2026 also return it for a token
        # without the scope `introspection`. In both cases the client needs a new token.
        if response.status in (401, 403) or (response.status == 200 and payload.get("active") is False):
            raise self._invalid_token("The token has expired or was revoked.")
        if response.status != 200 or payload.get("active") is not True:
            raise _unavailable(f"its issuer returned status {response.status}")
        return set(str(payload.get("scope", "")).split())

    def _invalid_token(self, reason: str) -> Rejected:
        return self._challenge(401, reason, error="invalid_token", scope=self._all_scopes)

    def _insufficient_scope(self, missing: str, scope: str) -> Rejected:
        return self._challenge(403, f"The token lacks the scope {missing}.", error="insufficient_scope", scope=scope)

    def _challenge(self, status: int, message: str, **parameters: str) -> Rejected:
        """Return a rejection with the `WWW-Authenticate` header of RFC 6750 and RFC 9728."""
        if "error" in parameters:
            parameters["error_description"] = message
        parameters["resource_metadata"] = self._metadata_url
        challenge = ", ".join(f'{name}="{value}"' for name, value in parameters.items())
        return Rejected(status, message, {"WWW-Authenticate": f"Bearer {challenge}"}, {"auth": "oauth"})


def _unavailable(reason: str) -> Rejected:
    return Rejected(503, f"The token cannot be checked: {reason}. Try again in 5 s.", {"Retry-After": "5"})


def _called_tool(body: bytes) -> str:
    """Return the tool that a request calls; empty if it calls none or is not valid."""
    match _json_object(body):
        case {"method": "tools/call", "params": {"name": str(name)}}:
            return name
    return ""


def _json_object(data: bytes) -> dict[str, Any]:
    """Parse a JSON object; return an empty one for anything else."""
    try:
        value = parse_json(data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
