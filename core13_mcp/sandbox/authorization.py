"""The sandbox's authorization server: log in, allow, get a `pha_` token that the rest of the sandbox takes.

The protocol's own rules (PKCE, redirect addresses, client authentication) are the MCP SDK's handlers; what is here is
what they ask for: where clients, codes and tokens are kept, how long they live, and the page on which a person agrees.
Ada is signed in, always.
"""

from __future__ import annotations

import html
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from mcp.server.auth.handlers.authorize import AuthorizationHandler
from mcp.server.auth.handlers.register import RegistrationHandler
from mcp.server.auth.handlers.revoke import RevocationHandler
from mcp.server.auth.handlers.token import TokenHandler
from mcp.server.auth.middleware.client_auth import ClientAuthenticator
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    IdentityAssertionParams,
    RefreshToken,
    TokenError,
    construct_redirect_uri,
)
from mcp.server.auth.settings import ClientRegistrationOptions
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from .door import House
from .times import moment, stamp

CODE_LIVES: Final = timedelta(minutes=5)
ACCESS_LIVES: Final = timedelta(hours=1)
REFRESH_LIVES: Final = timedelta(days=30)
GRACE: Final = timedelta(minutes=2)
"""How long a refresh token still works after it was used: an answer may have been lost."""

SCOPES: Final = (
    *("openid", "profile", "email", "introspection"),
    *(f"{name}:{what}" for name in ("sharing_configuration", "subscription", "user") for what in ("read", "write")),
)
ADA: Final = 1
BASE: Final = "/oauth"

Model = TypeVar("Model", bound=BaseModel)


def routes(house: House) -> list[Route]:
    """Metadata, authorize, consent, token, register, revoke and introspect, as PostHog spells their paths."""
    options = ClientRegistrationOptions(enabled=True, valid_scopes=list(SCOPES), default_scopes=["openid"])
    handled: dict[str, Callable[[Grants], Callable[[Request], Awaitable[Response]]]] = {
        "authorize": lambda grants: AuthorizationHandler(grants).handle,
        "token": lambda grants: TokenHandler(grants, ClientAuthenticator(grants)).handle,
        "register": lambda grants: RegistrationHandler(grants, options).handle,
        "revoke": lambda grants: RevocationHandler(grants, ClientAuthenticator(grants)).handle,
        "consent": lambda grants: grants.consent,
        "introspect": lambda grants: grants.introspect,
    }

    def route(name: str) -> Route:
        async def answer(request: Request) -> Response:
            return await handled[name](Grants(house, _origin(request)))(request)

        return Route(f"{BASE}/{name}/", answer, methods=["GET", "POST"])

    return [Route("/.well-known/oauth-authorization-server", _metadata), *map(route, handled)]


async def _metadata(request: Request) -> Response:
    issuer = _origin(request)
    places = {"authorization": "authorize", "token": "token", "registration": "register"}
    places |= {"revocation": "revoke", "introspection": "introspect"}
    return JSONResponse(
        {
            "issuer": issuer,
            **{f"{what}_endpoint": f"{issuer}{BASE}/{path}/" for what, path in places.items()},
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
        }
    )


def _origin(request: Request) -> str:
    return str(request.base_url).rstrip("/")


@dataclass(frozen=True)
class Grants:
    """What the SDK's handlers ask for, kept among the sandbox's other credentials."""

    house: House
    issuer: str

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        doc = self._find("client", client_id)
        return OAuthClientInformationFull.model_validate(doc) if doc else None

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        self._keep("client", str(client_info.client_id), client_info.model_dump(mode="json"))

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        number = secrets.token_urlsafe(20)
        asked = {"client_id": client.client_id, "client_name": client.client_name, **params.model_dump(mode="json")}
        self._keep("consent", number, asked, CODE_LIVES)
        return f"{self.issuer}{BASE}/consent/?request={number}"

    async def consent(self, request: Request) -> Response:
        """The page on which Ada agrees, and her answer."""
        number = request.query_params.get("request", "")
        asked = self._find("consent", number)
        if asked is None:
            return HTMLResponse("<p>This request is over. Start again in your client.</p>", 400)
        if request.method == "GET":
            return HTMLResponse(_page(asked))
        self._drop(number)
        answered = await request.form()
        ticked = [scope for scope in asked["scopes"] or ["openid"] if scope in answered.getlist("scope")]
        allowed = answered.get("answer") == "allow" and ticked
        told = {"code": self._code({**asked, "scopes": ticked})} if allowed else {"error": "access_denied"}
        return RedirectResponse(construct_redirect_uri(asked["redirect_uri"], **told, state=asked["state"]), 302)

    def _code(self, asked: dict[str, Any]) -> str:
        code = secrets.token_urlsafe(32)
        self._keep("code", code, {**asked, "code": code}, CODE_LIVES)
        return code

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        return _of(AuthorizationCode, self._find("code", authorization_code))

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        self._drop(authorization_code.code)
        return self._issue(authorization_code.client_id, authorization_code.scopes, secrets.token_urlsafe(8))

    async def load_refresh_token(self, client: OAuthClientInformationFull, refresh_token: str) -> RefreshToken | None:
        return _of(RefreshToken, self._find("refresh", refresh_token))

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        doc = self._find("refresh", refresh_token.token) or {}
        used, now = doc.get("used_at"), self.house.clock()
        if used and now - moment(used) > GRACE:
            # Somebody else has it: whoever came second, the family ends.
            self._end(doc["family"])
            raise TokenError("invalid_grant", "This refresh token was used before.")
        lives = moment(doc["expires_on"]) - now
        self._keep("refresh", refresh_token.token, {**doc, "used_at": used or stamp(now)}, lives)
        return self._issue(refresh_token.client_id, scopes or refresh_token.scopes, doc["family"])

    async def load_access_token(self, token: str) -> AccessToken | None:
        doc = self._find("oauth", token)
        if doc is None:
            return None
        return AccessToken(token=token, client_id=doc["client_id"], scopes=doc["scopes"].split())

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        kind = "refresh" if isinstance(token, RefreshToken) else "oauth"
        self._end((self._find(kind, token.token) or {}).get("family"))

    async def exchange_identity_assertion(
        self, client: OAuthClientInformationFull, params: IdentityAssertionParams
    ) -> OAuthToken:
        raise TokenError("unsupported_grant_type", "The sandbox knows no other identity provider.")

    async def introspect(self, request: Request) -> Response:
        """What a token may do (RFC 7662), told to a token with the scope `introspection`."""
        asking = self._find("oauth", request.headers.get("authorization", "").removeprefix("Bearer ").strip())
        if asking is None:
            return JSONResponse({"error": "invalid_token"}, 401, {"WWW-Authenticate": "Bearer"})
        if "introspection" not in asking["scopes"].split():
            return JSONResponse({"error": "insufficient_scope"}, 403)
        found = self._find("oauth", str((await request.form()).get("token", "")))
        if found is None:
            return JSONResponse({"active": False})
        told = {"scope": found["scopes"], "client_id": found.get("client_id"), "token_type": "Bearer", "sub": str(ADA)}
        return JSONResponse({"active": True, **told})

    def _issue(self, client_id: str, scopes: list[str], family: str) -> OAuthToken:
        access, refresh = f"pha_{secrets.token_urlsafe(32)}", f"phr_{secrets.token_urlsafe(32)}"
        shared = {"client_id": client_id, "family": family}
        self._keep("oauth", access, {**shared, "scopes": " ".join(scopes)}, ACCESS_LIVES)
        self._keep("refresh", refresh, {**shared, "token": refresh, "scopes": scopes}, REFRESH_LIVES)
        return OAuthToken(
            access_token=access,
            refresh_token=refresh,
            expires_in=int(ACCESS_LIVES.total_seconds()),
            scope=" ".join(scopes),
        )

    def _keep(self, kind: str, secret: str, doc: dict[str, Any], lives: timedelta | None = None) -> None:
        until = self.house.clock() + lives if lives else None
        dates = {"expires_at": stamp(until), "expires_on": stamp(until)} if until else {}
        with self.house.store.transaction():
            self.house.store.execute("delete from credential where secret = ?", secret)
            self.house.store.insert("credential", secret=secret, kind=kind, person_id=ADA, doc=doc | dates)

    def _find(self, kind: str, secret: str) -> dict[str, Any] | None:
        found = self.house.store.one("select doc from credential where secret = ? and kind = ?", secret, kind)
        doc: dict[str, Any] | None = found["doc"] if found else None
        return None if doc is None or _over(doc, self.house.clock()) else doc

    def _drop(self, secret: str) -> None:
        with self.house.store.transaction():
            self.house.store.execute("delete from credential where secret = ?", secret)

    def _end(self, family: str | None) -> None:
        with self.house.store.transaction():
            self.house.store.execute("delete from credential where json_extract(doc, '$.family') = ?", family)


def _over(doc: dict[str, Any], now: datetime) -> bool:
    until = doc.get("expires_at")
    return until is not None and moment(until) <= now


def _of(model: type[Model], doc: dict[str, Any] | None) -> Model | None:
    """A grant as the SDK knows it, with the end of its life in seconds."""
    if doc is None:
        return None
    until = int(moment(doc["expires_on"]).timestamp())
    return model.model_validate({**doc, "expires_at": until})


def _page(asked: dict[str, Any]) -> str:
    box = '<li><label><input type="checkbox" name="scope" value="{0}" checked> {0}</label></li>'
    wanted = "".join(box.format(html.escape(scope)) for scope in asked["scopes"] or ["openid"])
    client = html.escape(str(asked["client_name"] or asked["client_id"]))
    return (
        f'<!doctype html><html lang="en"><title>Sandbox: allow {client}?</title><main><h1>Allow {client}?</h1>'
        f"<p>You are Ada. Untick what it may not do.</p><form method='post'><ul>{wanted}</ul>"
        "<button name='answer' value='allow'>Allow</button> <button name='answer' value='deny'>Deny</button>"
        "</form></main></html>"
    )
