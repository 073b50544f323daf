"""The discovery document of the authorization server (RFC 8414)."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from ..context import RequestContext
from ..responses import json_response

PATH: Final = "/.well-known/oauth-authorization-server"
# Scopes of the identity, which every client may request.
IDENTITY_SCOPES: Final = ("openid", "profile", "email", "introspection")
RESOURCE_SCOPES: Final = tuple(
    f"{name}:{access}" for name in ("sharing_configuration", "subscription", "user") for access in ("read", "write")
)
SCOPES: Final = (*IDENTITY_SCOPES, *RESOURCE_SCOPES)
# Name in the document, and path below /oauth.
ENDPOINTS: Final = {
    "authorization": "authorize", "token": "token", "registration": "register", "revocation": "revoke",
    "introspection": "introspect",
}  # fmt: skip


def metadata(context: RequestContext) -> Response:
    """Return the endpoints and what they support."""
    issuer = str(context.request.base_url).rstrip("/")
    endpoints = {f"{name}_endpoint": f"{issuer}/oauth/{path}/" for name, path in ENDPOINTS.items()}
    supported = {
        "scopes": SCOPES,
        "response_types": ["code"],
        "response_modes": ["query"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods": ["none", "client_secret_post"],
        "code_challenge_methods": ["S256"],
    }
    lists = {f"{name}_supported": values for name, values in supported.items()}
    return json_response(200, {"issuer": issuer, **endpoints, **lists})
