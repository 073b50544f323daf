"""The authorization request of a client, and the answer of a user on the consent page."""

from __future__ import annotations

import httpx2
import pytest

from ..sandbox_client import SUBSCRIPTIONS
from .oauth_client import CALLBACK, REGISTERED, ConsentForm, OAuthClient, redirect_query

OTHER_PROJECT = "/api/projects/2/subscriptions/"

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("registered", "requested", "allowed"),
    [
        (REGISTERED, CALLBACK, True),
        (REGISTERED, REGISTERED, True),
        (REGISTERED, "http://127.0.0.1:38123/other", False),
        (REGISTERED, "http://127.0.0.1:38123/callback?more=1", False),
        (REGISTERED, "https://127.0.0.1:38123/callback", False),
        (REGISTERED, "http://localhost:38123/callback", False),
        (REGISTERED, "http://127.0.0.1:38123@example.com/callback", False),
        (REGISTERED, "http://user@127.0.0.1:38123/callback", False),
        (REGISTERED, "http://127.0.0.1:port/callback", False),
        ("http://localhost/callback", "http://localhost:38123/callback", True),
        ("http://localhost:1/callback", "http://localhost:2/callback", False),
        ("https://example.com/callback", "https://example.com:8443/callback", False),
        ("myapp://callback", "myapp://callback", True),
    ],
)
async def test_only_the_port_of_a_loopback_address_is_free(
    http: httpx2.AsyncClient, registered: str, requested: str, allowed: bool
) -> None:
    client = await OAuthClient.register(http, redirect_uris=[registered])
    response = await client.authorize("user:read", redirect_uri=requested)
    assert response.status_code == (200 if allowed else 400)
    assert allowed or response.json()["error_description"] == "Mismatching redirect URI."


async def test_an_unknown_client_is_an_error_that_the_browser_shows(client: OAuthClient) -> None:
    response = await client.authorize("user:read", client_id="unknown")
    assert response.status_code == 400
    assert response.json()["error_description"].startswith("No OAuth application is registered")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ],
)
async def test_an_invalid_request_returns_to_the_client(
    client: OAuthClient, changes: dict[str, str], error: str
) -> None:
    response = await client.authorize("user:read", **changes)
    assert response.headers["Location"].startswith(f"{CALLBACK}?")
    assert redirect_query(response).items() >= {"error": error, "state": "s"}.items()


async def test_the_page_escapes_the_name_of_the_client(http: httpx2.AsyncClient) -> None:
    client = await OAuthClient.register(http, client_name="<script>alert(1)</script>")
    assert "<script" not in (await client.authorize("user:read")).text


async def test_a_user_can_decline(client: OAuthClient) -> None:
    response = await client.answer(await client.authorize("user:read"), "deny")
    assert redirect_query(response) == {"error": "access_denied", "state": "s"}


async def test_a_user_can_remove_each_scope(client: OAuthClient) -> None:
    tokens = await client.sign_in("user:read user:write", scope=["user:read"])
    assert tokens["scope"] == "user:read"
    nothing = await client.answer(await client.authorize("user:read"), scope=[])
    assert (nothing.status_code, "at least one scope" in nothing.text) == (400, True)


async def test_a_user_cannot_remove_the_scopes_of_the_registration(http: httpx2.AsyncClient) -> None:
    client = await OAuthClient.register(http, scope="user:read subscription:read")
    page = await client.authorize("user:read user:write openid")
    form = ConsentForm(page.text)
    assert (form.locked, form.submitted["scope"]) == (["user:read"], ["openid"])
    tokens = await client.sign_in("user:read user:write openid", scope=[])
    assert tokens["scope"] == "user:read"


async def test_scopes_that_cannot_be_granted_are_dropped(client: OAuthClient) -> None:
    form = ConsentForm((await client.authorize("user:read everything *")).text)
    assert form.choices["scope"] == ["user:read"]
    everything = ConsentForm((await client.authorize("")).text).choices["scope"]
    assert ConsentForm((await client.authorize("everything")).text).choices["scope"] == everything
    assert {"openid", "subscription:write"} <= set(everything)


async def test_a_grant_can_be_limited_to_projects(client: OAuthClient) -> None:
    tokens = await client.sign_in("subscription:read user:read", access="project", project=["2"])
    assert tokens["scoped_teams"] == [2]
    token = tokens["access_token"]
    refused = await client.get(token, SUBSCRIPTIONS)
    assert refused.status_code == 403
    assert refused.json()["detail"].endswith("requested project: ID 1.")
    assert [await client.status(token, path) for path in (OTHER_PROJECT, "/api/users/@me/")] == [200, 200]


async def test_a_grant_can_be_limited_to_organizations(client: OAuthClient) -> None:
    page = await client.authorize("subscription:read", user="3")
    _, hobby = ConsentForm(page.text).choices["organization"]
    redirect = redirect_query(await client.answer(page, access="organization", organization=[hobby]))
    tokens = (await client.exchange(redirect["code"])).json()
    assert tokens["scoped_organizations"] == [hobby]
    assert await client.status(tokens["access_token"], SUBSCRIPTIONS) == 403


async def test_a_client_can_require_a_selection_and_suggest_a_project(client: OAuthClient) -> None:
    page = await client.authorize("user:read", required_access_level="project", team_id="2")
    form = ConsentForm(page.text)
    assert (form.choices.keys() & {"access", "organization"}, form.submitted["project"]) == (set(), ["2"])
    code = redirect_query(await client.answer(page))["code"]
    assert (await client.exchange(code)).json()["scoped_teams"] == [2]
    nothing = await client.answer(page, project=[])
    assert (nothing.status_code, "at least one project" in nothing.text) == (400, True)
    foreign = await client.answer(page, project=["4"])
    assert foreign.status_code == 400


async def test_another_user_can_sign_in(client: OAuthClient) -> None:
    page = await client.authorize("user:read")
    assert "Ada Lovelace" in page.text
    assert "Gone Away" not in page.text
    [link] = [link for link in ConsentForm(page.text).links if link.endswith("user=5")]
    page = await client.http.get(link)
    assert ConsentForm(page.text).choices["project"] == ["4"]
    tokens = (await client.exchange(redirect_query(await client.answer(page))["code"])).json()
    assert (await client.get(tokens["access_token"])).json()["first_name"] == "Grace"
