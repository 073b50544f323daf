"""A client that logs in with OAuth, and its user."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

CALLBACK = "http://127.0.0.1:3000/callback"


@dataclass
class Storage:
    """The storage of the SDK's OAuth client."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None
    provider: OAuthClientProvider | None = None

    def expire(self) -> None:
        """Let the client's own clock say that the token has expired."""
        assert self.provider is not None
        self.provider.context.token_expiry_time = 1.0

    async def register(self, issuer: str) -> None:
        """Register the client without scopes, so that its user can remove each scope."""
        async with httpx2.AsyncClient() as http:
            response = await http.post(f"{issuer}/oauth/register/", json={"redirect_uris": [CALLBACK]})
        self.client = OAuthClientInformationFull.model_validate(response.json())

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@dataclass
class User:
    """A user who opens the authorization page, deselects some scopes and selects Allow."""

    refused: set[str] = field(default_factory=set)
    requested: list[set[str]] = field(default_factory=list)
    redirect: str = ""

    async def open(self, url: str) -> None:
        async with httpx2.AsyncClient() as browser:
            page = await browser.get(url, follow_redirects=True)
            scopes = {part.partition('"')[0] for part in page.text.split('name="scope" value="')[1:]}
            self.requested.append(scopes)
            form = {"answer": "allow", "scope": sorted(scopes - self.refused)}
            self.redirect = (await browser.post(page.url, data=form)).headers["Location"]

    async def authorization_code(self) -> AuthorizationCodeResult:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.redirect).query).items()}
        return AuthorizationCodeResult(code=query["code"], state=query.get("state"))


@asynccontextmanager
async def logged_in(url: str, user: User, storage: Storage, mode: str) -> AsyncIterator[Client]:
    metadata = OAuthClientMetadata(redirect_uris=[AnyUrl(CALLBACK)], client_name="A chat client")
    storage.provider = OAuthClientProvider(url, metadata, storage, user.open, user.authorization_code)
    http = httpx2.AsyncClient(auth=storage.provider, timeout=20)
    async with http, Client(streamable_http_client(url, http_client=http), mode=mode) as client:
        yield client
