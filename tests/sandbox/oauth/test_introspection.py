"""POST /oauth/introspect/"""

from __future__ import annotations

from typing import Any

import pytest

from core13_mcp import sandbox

from ..sandbox_client import Clock
from .oauth_client import OAuthClient

WEEK = 604_800

pytestmark = pytest.mark.anyio


async def introspect(client: OAuthClient, subject: str, bearer: str, **kind: Any) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {bearer}"}
    body = kind or {"data": {"token": subject}}
    response = await client.http.post("/oauth/introspect/", headers=headers, **body)
    return response.status_code, response.json() if response.content else None


async def test_a_token_without_the_scope_introspects_itself(client: OAuthClient, clock: Clock) -> None:
    token = (await client.sign_in("user:read"))["access_token"]
    expected = {
        "active": True,
        "token_type": "access_token",
        "scope": "user:read",
        "is_impersonated": False,
        "scoped_teams": [],
        "scoped_organizations": [],
        "exp": int(clock.now.timestamp()) + WEEK,
        "client_id": client.credentials["client_id"],
        "client_name": "core13-mcp on laptop",
    }
    assert await introspect(client, token, token) == (200, expected)
    assert await introspect(client, token, token, json={"token": token}) == (200, expected)
    clock.advance(WEEK)
    assert await introspect(client, token, token) == (200, {"active": False})


async def test_other_tokens_require_the_scope_and_the_same_client(client: OAuthClient, clock: Clock) -> None:
    strong = (await client.sign_in("introspection"))["access_token"]
    weak = (await client.sign_in("user:read"))["access_token"]
    foreign = (await (await OAuthClient.register(client.http)).sign_in())["access_token"]
    assert (await introspect(client, weak, strong))[1]["scope"] == "user:read"
    assert await introspect(client, strong, weak) == (403, None)
    assert await introspect(client, foreign, strong) == (200, {"active": False})
    assert await introspect(client, "pha_unknown", strong) == (200, {"active": False})
    assert await introspect(client, "pha_unknown", "pha_unknown") == (403, None)
    seeded = await introspect(client, sandbox.OAUTH_TOKEN, sandbox.OAUTH_TOKEN)
    assert (seeded[0], "exp" in seeded[1]) == (200, False)
    clock.advance(WEEK)
    assert await introspect(client, weak, strong) == (403, None)
