"""A client that logs in through OAuth, and the person who lets it."""

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
class Kept:
    """The client's storage."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None
    provider: OAuthClientProvider | None = None

    def expire(self) -> None:
        assert self.provider is not None
        self.provider.context.token_expiry_time = 1.0

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@dataclass
class Person:
    """Opens the page, unticks what is refused, and presses Allow."""

    refused: set[str] = field(default_factory=set)
    asked: list[set[str]] = field(default_factory=list)
    sent_to: str = ""

    async def open(self, url: str) -> None:
        async with httpx2.AsyncClient() as browser:
            page = await browser.get(url, follow_redirects=True)
            scopes = {part.partition('"')[0] for part in page.text.split('name="scope" value="')[1:]}
            self.asked.append(scopes)
            ticked = {"answer": "allow", "scope": sorted(scopes - self.refused)}
            self.sent_to = (await browser.post(page.url, data=ticked)).headers["Location"]

    async def come_back(self) -> AuthorizationCodeResult:
        told = {name: values[0] for name, values in parse_qs(urlsplit(self.sent_to).query).items()}
        return AuthorizationCodeResult(code=told["code"], state=told.get("state"))


@asynccontextmanager
async def logged_in(url: str, person: Person, kept: Kept, era: str) -> AsyncIterator[Client]:
    about = OAuthClientMetadata(redirect_uris=[AnyUrl(CALLBACK)], client_name="A chat client")
    kept.provider = OAuthClientProvider(url, about, kept, person.open, person.come_back)
    http = httpx2.AsyncClient(auth=kept.provider, timeout=20)
    async with http, Client(streamable_http_client(url, http_client=http), mode=era) as client:
        yield client
