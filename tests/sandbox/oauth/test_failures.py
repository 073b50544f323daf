"""The failures that a client of the authorization server meets, on demand."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from core13_mcp.sandbox.testing.errors import OAUTH_ERRORS

from ..sandbox_client import Clock
from .conftest import connected
from .oauth_client import REGISTRATION, OAuthClient, redirect_query

pytestmark = pytest.mark.anyio


@pytest.fixture
async def faulty(clock: Clock) -> AsyncIterator[OAuthClient]:
    """A client of a server that injects faults."""
    async with connected(clock, faults=True) as http:
        yield await OAuthClient.register(http)


async def schedule(client: OAuthClient, *faults: str) -> None:
    assert (await client.http.post("/_sandbox/faults", json=faults)).status_code == 200


@pytest.mark.parametrize("name", list(OAUTH_ERRORS))
async def test_each_error_of_the_authorization_server_can_be_injected(faulty: OAuthClient, name: str) -> None:
    await schedule(faulty, f"error={name}; path=token")
    response = await faulty.exchange("code")
    assert (response.status_code, response.json()) == (OAUTH_ERRORS[name].status, OAUTH_ERRORS[name].body())


async def test_an_injected_error_equals_the_error_of_the_real_state(client: OAuthClient) -> None:
    unknown = await client.authorize("user:read", client_id="unknown")
    no_client, no_code = await client.exchange("code", client_id="unknown"), await client.exchange("code")
    for response, name in ((unknown, "unknown-client"), (no_client, "invalid-client"), (no_code, "invalid-grant")):
        expected = OAUTH_ERRORS[f"oauth-{name}"]
        assert (response.status_code, response.json()) == (expected.status, expected.body())
    named = (await client.http.post("/oauth/register/", json=REGISTRATION | {"client_name": "trusted"})).json()
    assert named["error"] == OAUTH_ERRORS["oauth-client-name"].error


async def test_the_server_can_be_unavailable_for_some_requests(faulty: OAuthClient) -> None:
    code = await faulty.code("user:read")
    await schedule(faulty, "error=oauth-unavailable; retry-after=1; times=2; path=token")
    responses = [await faulty.exchange(code) for _ in range(3)]
    assert [response.status_code for response in responses] == [503, 503, 200]
    assert responses[0].headers["Retry-After"] == "1"


async def test_an_authorization_request_can_return_with_an_error(faulty: OAuthClient) -> None:
    await schedule(faulty, "redirect-error=invalid_scope; path=authorize")
    response = await faulty.authorize("user:read")
    assert redirect_query(response) == {"error": "invalid_scope", "state": "s"}


async def test_a_redirect_can_have_a_wrong_state(faulty: OAuthClient) -> None:
    await schedule(faulty, "wrong-state; method=POST; path=authorize")
    query = redirect_query(await faulty.answer(await faulty.authorize("user:read")))
    assert query["state"] == "wrong"
    assert (await faulty.exchange(query["code"])).status_code == 200


async def test_the_response_of_a_refresh_can_be_lost(faulty: OAuthClient) -> None:
    tokens = await faulty.sign_in()
    await schedule(faulty, "lost; path=token")
    with pytest.raises(ConnectionResetError):
        await faulty.refresh(tokens["refresh_token"])
    assert (await faulty.refresh(tokens["refresh_token"])).status_code == 200


async def test_discovery_can_be_a_web_page(faulty: OAuthClient) -> None:
    await schedule(faulty, "html; path=well-known")
    response = await faulty.http.get("/.well-known/oauth-authorization-server")
    assert response.headers["Content-Type"].startswith("text/html")
