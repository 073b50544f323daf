"""PostHog's authorization server: metadata, login, consent, tokens and introspection.

The MCP SDK's handlers implement the protocol: PKCE, redirect URIs and client authentication. The user Ada is always
signed in.
"""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from mcp.server.auth.handlers.authorize import AuthorizationHandler
from mcp.server.auth.handlers.register import RegistrationHandler
from mcp.server.auth.handlers.revoke import RevocationHandler
from mcp.server.auth.handlers.token import TokenHandler
from mcp.server.auth.middleware.client_auth import ClientAuthenticator
from mcp.server.auth.provider import construct_redirect_uri
from mcp.server.auth.settings import ClientRegistrationOptions
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from .dispatch import Services
from .oauth_provider import BASE_PATH, USER_ID, Provider
from .store import Doc

SCOPES: Final = (
    *("openid", "profile", "email", "introspection"),
    *(f"{name}:{access}" for name in ("sharing_configuration", "subscription", "user") for access in ("read", "write")),
)
# Metadata name, and path below BASE_PATH.
ENDPOINTS: Final = {
    "authorization": "authorize", "token": "token", "registration": "register", "revocation": "revoke",
    "introspection": "introspect",
}  # fmt: skip


def routes(services: Services) -> list[Route]:
    """The routes of the authorization server, with the paths of PostHog."""
    options = ClientRegistrationOptions(enabled=True, valid_scopes=list(SCOPES), default_scopes=["openid"])
    handlers: dict[str, Callable[[Provider], Callable[[Request], Awaitable[Response]]]] = {
        "authorize": lambda provider: AuthorizationHandler(provider).handle,
        "token": lambda provider: TokenHandler(provider, ClientAuthenticator(provider)).handle,
        "register": lambda provider: RegistrationHandler(provider, options).handle,
        "revoke": lambda provider: RevocationHandler(provider, ClientAuthenticator(provider)).handle,
        "consent": lambda provider: partial(consent, provider),
        "introspect": lambda provider: partial(introspect, provider),
    }

    def route(name: str) -> Route:
        async def handle(request: Request) -> Response:
            return await handlers[name](Provider(services, _origin(request)))(request)

        return Route(f"{BASE_PATH}/{name}/", handle, methods=["GET", "POST"])

    return [Route("/.well-known/oauth-authorization-server", _metadata), *map(route, handlers)]


async def _metadata(request: Request) -> Response:
    issuer = _origin(request)
    endpoints = {f"{name}_endpoint": f"{issuer}{BASE_PATH}/{path}/" for name, path in ENDPOINTS.items()}
    supported = {
        "scopes": list(SCOPES),
        "response_types": ["code"],
        "response_modes": ["query"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods": ["none", "client_secret_post"],
        "code_challenge_methods": ["S256"],
    }
    lists = {f"{name}_supported": values for name, values in supported.items()}
    return JSONResponse({"issuer": issuer, **endpoints, **lists})


def _origin(request: Request) -> str:
    return str(request.base_url).rstrip("/")


async def consent(provider: Provider, request: Request) -> Response:
    """Show the page on which Ada allows or denies a request, or redirect the client with her answer."""
    request_id = request.query_params.get("request", "")
    pending = provider.find("consent", request_id)
    if pending is None:
        return HTMLResponse("<p>This request has expired. Start again in your client.</p>", 400)
    requested = pending["scopes"] or ["openid"]
    if request.method == "GET":
        return HTMLResponse(_consent_page(pending, requested))
    provider.delete(request_id)
    form = await request.form()
    scopes = [scope for scope in requested if scope in form.getlist("scope")]
    answer = {"error": "access_denied"}
    if form.get("answer") == "allow" and scopes:
        answer = {"code": provider.create_code({**pending, "scopes": scopes})}
    return RedirectResponse(construct_redirect_uri(pending["redirect_uri"], **answer, state=pending["state"]), 302)


def _consent_page(pending: Doc, requested: list[str]) -> str:
    checkbox = '<li><label><input type="checkbox" name="scope" value="{0}" checked> {0}</label></li>'
    scopes = "".join(checkbox.format(html.escape(scope)) for scope in requested)
    client = html.escape(str(pending["client_name"] or pending["client_id"]))
    return (
        f'<!doctype html><html lang="en"><title>Sandbox: allow {client}?</title><main><h1>Allow {client}?</h1>'
        f"<p>You are signed in as Ada. Clear a scope to deny it.</p><form method='post'><ul>{scopes}</ul>"
        "<button name='answer' value='allow'>Allow</button> <button name='answer' value='deny'>Deny</button>"
        "</form></main></html>"
    )


async def introspect(provider: Provider, request: Request) -> Response:
    """Return whether a token is active, and its scopes (RFC 7662).

    A token may introspect itself. For another token it needs the scope `introspection`.
    """
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    caller = provider.find("oauth", bearer)
    if caller is None:
        return JSONResponse({"error": "invalid_token"}, 401, {"WWW-Authenticate": "Bearer"})
    secret = await _introspected_token(request)
    if secret != bearer and "introspection" not in caller["scopes"].split():
        return JSONResponse({"error": "insufficient_scope"}, 403)
    token = provider.find("oauth", secret)
    if token is None:
        return JSONResponse({"active": False})
    facts = {"scope": token["scopes"], "client_id": token.get("client_id"), "token_type": "access_token"}
    scoped = {"scoped_teams": token.get("projects", []), "scoped_organizations": token.get("organizations", [])}
    return JSONResponse({"active": True, **facts, **scoped, "sub": str(USER_ID)})


async def _introspected_token(request: Request) -> str:
    """The token in the body, a form or JSON."""
    if request.headers.get("content-type", "").startswith("application/json"):
        body = await request.json()
        return str(body.get("token", "")) if isinstance(body, dict) else ""
    return str((await request.form()).get("token", ""))
