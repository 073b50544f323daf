"""POST /oauth/revoke/, and events that a client cannot cause."""

from __future__ import annotations

import pytest

from core13_mcp import sandbox

from .oauth_client import OAuthClient

pytestmark = pytest.mark.anyio


async def test_a_refresh_token_ends_everything_of_its_user_and_client(client: OAuthClient) -> None:
    first, second = await client.sign_in(), await client.sign_in()
    code = await client.code("user:read")
    other = await (await OAuthClient.register(client.http)).sign_in()
    assert (await client.revoke(first["refresh_token"])).status_code == 200
    assert [await client.status(tokens["access_token"]) for tokens in (first, second, other)] == [401, 401, 200]
    assert (await client.exchange(code)).status_code == 400
    assert (await client.refresh(second["refresh_token"])).json() == {"error": "invalid_grant"}


async def test_an_access_token_ends_alone(client: OAuthClient) -> None:
    tokens = await client.sign_in()
    assert (await client.revoke(tokens["access_token"])).status_code == 200
    assert await client.status(tokens["access_token"]) == 401
    assert (await client.refresh(tokens["refresh_token"])).status_code == 200


async def test_tokens_that_are_unknown_or_of_another_client_are_left_alone(client: OAuthClient) -> None:
    tokens = await client.sign_in()
    other = await OAuthClient.register(client.http)
    own = await other.sign_in()
    for token in ("phr_unknown", sandbox.FULL_KEY, tokens["refresh_token"], tokens["access_token"]):
        assert (await other.revoke(token)).status_code == 200
    remaining = (tokens["access_token"], own["access_token"], sandbox.FULL_KEY)
    assert [await client.status(token) for token in remaining] == [200, 200, 200]


async def test_all_issued_access_tokens_can_expire_now(client: OAuthClient) -> None:
    tokens = await client.sign_in()
    assert (await client.http.post("/_sandbox/tokens/expire")).status_code == 204
    assert [await client.status(token) for token in (tokens["access_token"], sandbox.OAUTH_TOKEN)] == [401, 200]
    assert (await client.refresh(tokens["refresh_token"])).status_code == 200


async def test_a_user_can_disconnect_the_application(client: OAuthClient) -> None:
    tokens = await client.sign_in()
    assert (await client.http.post("/_sandbox/tokens/revoke")).status_code == 204
    assert [await client.status(token) for token in (tokens["access_token"], sandbox.OAUTH_TOKEN)] == [401, 200]
    assert (await client.refresh(tokens["refresh_token"])).json() == {"error": "invalid_grant"}


async def test_clients_can_be_deleted(client: OAuthClient) -> None:
    tokens = await client.sign_in()
    assert (await client.http.post("/_sandbox/clients/delete")).status_code == 204
    assert (await client.authorize("user:read")).status_code == 400
    assert (await client.refresh(tokens["refresh_token"])).json() == {"error": "invalid_client"}
