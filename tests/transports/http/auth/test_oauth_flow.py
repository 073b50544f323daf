"""A complete OAuth flow, an expired token, a missing scope and a revoked token.

The SDK's OAuth client, this server, and the sandbox's authorization server each use a socket of their own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from mcp import Client

from core13_mcp import sandbox
from core13_mcp.settings import Settings

from ....asgi import listening
from ....clients import CLIENT_MODES
from ..http_server import message, serving
from .oauth_client import Storage, User, logged_in

pytestmark = pytest.mark.anyio


@dataclass
class Servers:
    """The URL of this server, and the origin and the time of the authorization server."""

    url: str
    issuer: str
    now: datetime


@pytest.fixture
async def servers() -> AsyncIterator[Servers]:
    servers = Servers("", "", datetime.now(UTC))
    async with (
        listening(sandbox.build(oauth=True, clock=lambda: servers.now)) as issuer,
        serving(Settings(host=issuer, auth="oauth", log_level="error")) as server,
    ):
        servers.url, servers.issuer = server.url, issuer
        yield servers


async def first_name(client: Client) -> Any:
    """Return the first name of the user whose token the client has."""
    result = await client.call_tool("users-retrieve", {})
    assert not result.is_error, result.content
    return result.structured_content["first_name"]


@pytest.mark.parametrize("mode", CLIENT_MODES)
async def test_a_client_that_has_only_the_url_logs_in_and_calls_a_tool(servers: Servers, mode: str) -> None:
    user = User()
    async with logged_in(servers.url, user, Storage(), mode) as client:
        assert await first_name(client) == "Ada"
    [requested] = user.requested
    assert {"introspection", "user:read", "subscription:write"} <= requested


@pytest.mark.parametrize(("client_knows", "logins"), [(True, 1), (False, 2)])
async def test_an_expired_token_is_refreshed_or_else_the_user_logs_in_again(
    servers: Servers, client_knows: bool, logins: int
) -> None:
    user, storage = User(), Storage()
    async with logged_in(servers.url, user, storage, "auto") as client:
        assert await first_name(client) == "Ada"
        first = storage.tokens
        servers.now += timedelta(days=8)
        if client_knows:
            storage.expire()
        assert await first_name(client) == "Ada"
    assert first is not None and storage.tokens is not None
    assert storage.tokens.access_token != first.access_token
    assert len(user.requested) == logins


async def test_a_missing_scope_is_requested_when_a_tool_needs_it(servers: Servers) -> None:
    user = User(refused={"subscription:read", "subscription:write"})
    storage = Storage()
    # The SDK registers with scopes, and PostHog lets no user remove the scopes of a registration.
    await storage.register(servers.issuer)
    async with logged_in(servers.url, user, storage, "auto") as client:
        assert await first_name(client) == "Ada"
        user.refused = set()
        result = await client.call_tool("subscriptions-list", {})
    assert not result.is_error
    assert len(user.requested) == 2
    assert "subscription:read" in user.requested[1]


async def test_a_revoked_token_is_rejected(servers: Servers) -> None:
    storage = Storage()
    async with logged_in(servers.url, User(), storage, "auto") as client:
        await first_name(client)
    assert storage.tokens is not None and storage.client is not None
    token = storage.tokens.access_token
    async with httpx2.AsyncClient() as http:
        metadata = (await http.get(f"{servers.issuer}/.well-known/oauth-authorization-server")).json()
        form = {"token": token, "client_id": storage.client.client_id}
        form |= {"client_secret": storage.client.client_secret or ""}
        revocation = await http.post(metadata["revocation_endpoint"], data=form)
        response = await http.post(servers.url, json=message(), headers={"Authorization": f"Bearer {token}"})
    assert revocation.status_code == 200
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
