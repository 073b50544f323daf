"""The storage behind the authorization server: clients, consents, codes and tokens, with their lifetimes."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    TokenError,
)
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import BaseModel

from .auth import is_expired
from .dispatch import Services
from .store import Doc, format_timestamp

BASE_PATH: Final = "/oauth"
# Ada, the user who is always signed in.
USER_ID: Final = 1
CODE_LIFETIME: Final = timedelta(minutes=5)
REFRESH_LIFETIME: Final = timedelta(days=30)
# How long a used refresh token still works, in case the client lost the response.
REUSE_PERIOD: Final = timedelta(minutes=2)

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Provider(OAuthAuthorizationServerProvider[AuthorizationCode, RefreshToken, AccessToken]):
    """The storage that the SDK's handlers use. It keeps everything in the table of credentials."""

    services: Services
    issuer: str

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        doc = self.find("client", client_id)
        return OAuthClientInformationFull.model_validate(doc) if doc else None

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        self._store("client", str(client_info.client_id), client_info.model_dump(mode="json"))

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        request_id = secrets.token_urlsafe(20)
        names = {"client_id": client.client_id, "client_name": client.client_name}
        self._store("consent", request_id, {**names, **params.model_dump(mode="json")}, CODE_LIFETIME)
        return f"{self.issuer}{BASE_PATH}/consent/?request={request_id}"

    def create_code(self, authorization: Doc) -> str:
        code = secrets.token_urlsafe(32)
        self._store("code", code, {**authorization, "code": code}, CODE_LIFETIME)
        return code

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        return _parse(AuthorizationCode, self.find("code", authorization_code))

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        self.delete(authorization_code.code)
        return self._issue(authorization_code.client_id, authorization_code.scopes, secrets.token_urlsafe(8))

    async def load_refresh_token(self, client: OAuthClientInformationFull, refresh_token: str) -> RefreshToken | None:
        return _parse(RefreshToken, self.find("refresh", refresh_token))

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        doc = self.find("refresh", refresh_token.token) or {}
        if not self.services.options.era.rotates_refresh_tokens:
            return self._issue(refresh_token.client_id, scopes or refresh_token.scopes, doc["family"], doc["token"])
        used, now = doc.get("used_at"), self.services.clock()
        if used and now - datetime.fromisoformat(used) > REUSE_PERIOD:
            # A copy of the token may be stolen, so all tokens of this login end.
            self._delete_family(doc["family"])
            raise TokenError("invalid_grant", "This refresh token was used before.")
        lifetime = datetime.fromisoformat(doc["expires_on"]) - now
        self._store("refresh", refresh_token.token, {**doc, "used_at": used or format_timestamp(now)}, lifetime)
        return self._issue(refresh_token.client_id, scopes or refresh_token.scopes, doc["family"])

    async def load_access_token(self, token: str) -> AccessToken | None:
        doc = self.find("oauth", token)
        if doc is None:
            return None
        return AccessToken(token=token, client_id=doc["client_id"], scopes=doc["scopes"].split())

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        kind = "refresh" if isinstance(token, RefreshToken) else "oauth"
        self._delete_family((self.find(kind, token.token) or {}).get("family"))

    def _issue(self, client_id: str, scopes: list[str], family: str, refresh: str = "") -> OAuthToken:
        """Issue an access token, and a refresh token unless an existing one stays valid."""
        seconds = self.services.options.era.access_seconds
        access = f"pha_{secrets.token_urlsafe(32)}"
        doc: Doc = {"client_id": client_id, "family": family}
        self._store("oauth", access, {**doc, "scopes": " ".join(scopes)}, timedelta(seconds=seconds))
        if not refresh:
            refresh = f"phr_{secrets.token_urlsafe(32)}"
            self._store("refresh", refresh, {**doc, "token": refresh, "scopes": scopes}, REFRESH_LIFETIME)
        return OAuthToken(access_token=access, refresh_token=refresh, expires_in=seconds, scope=" ".join(scopes))

    def find(self, kind: str, secret: str) -> Doc | None:
        """Return a stored document that is not expired."""
        row = self.services.store.one("select doc from credential where secret = ? and kind = ?", secret, kind)
        doc: Doc | None = row["doc"] if row else None
        return None if doc is None or is_expired(doc.get("expires_at"), self.services.clock()) else doc

    def delete(self, secret: str) -> None:
        with self.services.store.transaction():
            self.services.store.execute("delete from credential where secret = ?", secret)

    def _store(self, kind: str, secret: str, doc: Doc, lifetime: timedelta | None = None) -> None:
        if lifetime:
            # A grant's model has a field `expires_at` in seconds, so its own dates need a second name.
            expiry = format_timestamp(self.services.clock() + lifetime)
            doc = doc | {"expires_at": expiry, "expires_on": expiry}
        store = self.services.store
        with store.transaction():
            store.execute("delete from credential where secret = ?", secret)
            store.insert("credential", secret=secret, kind=kind, person_id=USER_ID, doc=doc)

    def _delete_family(self, family: str | None) -> None:
        with self.services.store.transaction():
            self.services.store.execute("delete from credential where json_extract(doc, '$.family') = ?", family)


def _parse(model: type[Model], doc: Doc | None) -> Model | None:
    """A grant as the SDK's model, with its expiry in seconds since the epoch."""
    if doc is None:
        return None
    expires_at = int(datetime.fromisoformat(doc["expires_on"]).timestamp())
    return model.model_validate({**doc, "expires_at": expires_at})
