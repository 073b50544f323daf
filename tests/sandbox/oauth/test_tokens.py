"""POST /oauth/token/, and the tokens at the API."""

from __future__ import annotations

import pytest

from ..sandbox_client import Clock
from .conftest import connected
from .oauth_client import REGISTERED, OAuthClient

WEEK = 604_800

pytestmark = pytest.mark.anyio


async def test_a_sign_in_returns_tokens_for_seven_days_that_the_api_accepts(client: OAuthClient) -> None:
    response = await client.exchange(await client.code("user:read user:write"))
    assert response.headers["Cache-Control"] == "no-store"
    tokens = response.json()
    assert await client.status(tokens["access_token"]) == 200
    assert tokens.pop("access_token").startswith("pha_")
    assert tokens.pop("refresh_token").startswith("phr_")
    assert tokens == {
        "expires_in": WEEK,
        "token_type": "Bearer",
        "scope": "user:read user:write",
        "scoped_teams": [],
        "scoped_organizations": [],
    }


async def test_a_code_works_once_and_only_for_its_request(client: OAuthClient) -> None:
    other = await OAuthClient.register(client.http)
    code = await client.code("user:read")
    refused = [
        await client.exchange(code, code_verifier="other" * 9),
        await client.exchange(code, redirect_uri=REGISTERED),
        await other.exchange(code),
    ]
    assert [(response.status_code, response.json()) for response in refused] == [(400, {"error": "invalid_grant"})] * 3
    assert [(await client.exchange(code)).status_code for _ in range(2)] == [200, 400]


async def test_a_code_expires_after_five_minutes(client: OAuthClient, clock: Clock) -> None:
    early, late = await client.code("user:read"), await client.code("user:read")
    clock.advance(299)
    assert (await client.exchange(early)).status_code == 200
    clock.advance(2)
    assert (await client.exchange(late)).json() == {"error": "invalid_grant"}


async def test_an_unknown_client_and_an_unknown_grant_type_are_refused(client: OAuthClient) -> None:
    unknown = await client.exchange("code", client_id="unknown")
    assert (unknown.status_code, unknown.json()) == (401, {"error": "invalid_client"})
    device = await client.exchange("code", grant_type="urn:ietf:params:oauth:grant-type:device_code")
    assert (device.status_code, device.json()) == (400, {"error": "unsupported_grant_type"})


async def test_the_body_may_be_json(client: OAuthClient) -> None:
    tokens = await client.sign_in()
    body = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **client.credentials}
    assert (await client.http.post("/oauth/token/", json=body)).status_code == 200


async def test_an_access_token_expires_after_seven_days(client: OAuthClient, clock: Clock) -> None:
    token = (await client.sign_in())["access_token"]
    clock.advance(WEEK - 1)
    assert await client.status(token) == 200
    clock.advance(1)
    expired, unknown = await client.get(token), await client.get("pha_unknown")
    assert (expired.status_code, expired.json()["detail"]) == (401, "Access token has expired.")
    assert (unknown.status_code, unknown.json()["detail"]) == (401, "Invalid access token.")


async def test_a_refresh_keeps_the_refresh_token_and_the_older_access_token(client: OAuthClient) -> None:
    first = await client.sign_in("user:read")
    second = (await client.refresh(first["refresh_token"])).json()
    assert [name for name in first if second[name] != first[name]] == ["access_token"]
    assert [await client.status(tokens["access_token"]) for tokens in (first, second)] == [200, 200]


async def test_an_unused_refresh_token_ends_60_days_after_its_access_token(client: OAuthClient, clock: Clock) -> None:
    used, unused = await client.sign_in(), await client.sign_in()
    clock.advance(WEEK)
    assert (await client.refresh(used["refresh_token"])).status_code == 200
    clock.advance(60 * 24 * 3600)
    statuses = [(await client.refresh(tokens["refresh_token"])).status_code for tokens in (used, unused)]
    assert statuses == [200, 400]


async def test_a_client_cannot_use_the_refresh_token_of_another(client: OAuthClient) -> None:
    other = await OAuthClient.register(client.http)
    refused = await other.refresh((await client.sign_in())["refresh_token"])
    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_grant"})


async def test_the_lifetime_of_access_tokens_is_an_option(clock: Clock) -> None:
    async with connected(clock, token_seconds=5) as http:
        client = await OAuthClient.register(http)
        tokens = await client.sign_in()
        clock.advance(5)
        assert (tokens["expires_in"], await client.status(tokens["access_token"])) == (5, 401)


async def test_only_a_session_may_change_the_e_mail_address(client: OAuthClient) -> None:
    headers = {"Authorization": f"Bearer {(await client.sign_in('user:write'))['access_token']}"}
    change = await client.http.patch("/api/users/@me/", json={"email": "new@analytical.example"}, headers=headers)
    assert change.status_code == 403
    current_key = await client.http.get("/api/personal_api_keys/@current/", headers=headers)
    assert current_key.status_code == 401
