"""POST /oauth/register/"""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from .oauth_client import REGISTRATION, OAuthClient

pytestmark = pytest.mark.anyio


async def test_a_public_client_gets_an_id_and_no_secret(http: httpx2.AsyncClient) -> None:
    response = await http.post("/oauth/register/", json=REGISTRATION)
    assert response.status_code == 201
    registered = response.json()
    assert registered.items() >= REGISTRATION.items()
    assert registered.keys() - REGISTRATION.keys() == {"client_id", "client_id_issued_at"}


async def test_a_confidential_client_must_prove_its_secret(http: httpx2.AsyncClient) -> None:
    client = await OAuthClient.register(http, token_endpoint_auth_method="client_secret_post")
    code = await client.code("user:read")
    wrong = await client.exchange(code, client_secret="wrong")
    assert (wrong.status_code, wrong.json()) == (401, {"error": "invalid_client"})
    assert (await client.exchange(code)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "error", "part"),
    [
        ({"client_name": "PostHog login"}, "invalid_client_metadata", "client_name"),
        ({"client_name": "my Official tool"}, "invalid_client_metadata", "official"),
        ({"client_name": "unverified"}, "invalid_client_metadata", "verified"),
        ({"client_name": "TRUSTED"}, "invalid_client_metadata", "trusted"),
        ({"client_name": "x" * 256}, "invalid_client_metadata", "255"),
        ({"grant_types": ["password"]}, "invalid_client_metadata", "grant_types"),
        ({"response_types": ["token"]}, "invalid_client_metadata", "response_types"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "invalid_client_metadata", "auth_method"),
        ({"scope": "everything"}, "invalid_client_metadata", "scope"),
        ({"redirect_uris": []}, "invalid_client_metadata", "redirect_uris"),
        ({"redirect_uris": [1]}, "invalid_client_metadata", "redirect_uris"),
        ({"redirect_uris": ["http://example.com/callback"]}, "invalid_redirect_uri", "example.com"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri", "javascript"),
        ({"redirect_uris": ["http://127.0.0.1/call back"]}, "invalid_redirect_uri", "call back"),
        ({"redirect_uris": ["http://127.0.0.1/callback#part"]}, "invalid_redirect_uri", "#part"),
        ({"redirect_uris": ["http://127.0.0.1:port/"]}, "invalid_redirect_uri", "port"),
    ],
)
async def test_an_invalid_registration_names_the_problem(
    http: httpx2.AsyncClient, changes: dict[str, Any], error: str, part: str
) -> None:
    response = await http.post("/oauth/register/", json=REGISTRATION | changes)
    assert response.status_code == 400
    assert response.json()["error"] == error
    assert part in response.json()["error_description"]


async def test_more_than_60_registrations_per_minute_are_a_429(http: httpx2.AsyncClient) -> None:
    statuses = [(await http.post("/oauth/register/", json=REGISTRATION)).status_code for _ in range(61)]
    assert statuses == [201] * 60 + [429]
    assert int((await http.post("/oauth/register/", json=REGISTRATION)).headers["Retry-After"]) == 60
