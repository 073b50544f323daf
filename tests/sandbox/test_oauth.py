"""The authorization server, used by an OAuth client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from core13_mcp import sandbox

from .oauth_client import CALLBACK, REGISTERED, REGISTRATION, ConsentForm, OAuthClient, redirect_query
from .sandbox_client import PROJECT, SUBSCRIPTIONS, Clock

pytestmark = pytest.mark.anyio

WEEK = 604_800
OTHER_PROJECT = "/api/projects/2/subscriptions/"


def connected(clock: Clock, **options: Any) -> httpx2.AsyncClient:
    app = sandbox.build(oauth=True, clock=clock, **options)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1")


@pytest.fixture
async def http(clock: Clock) -> AsyncIterator[httpx2.AsyncClient]:
    async with connected(clock) as client:
        yield client


@pytest.fixture
async def client(http: httpx2.AsyncClient) -> OAuthClient:
    return await OAuthClient.register(http)


@pytest.fixture
async def rotating(clock: Clock) -> AsyncIterator[OAuthClient]:
    """A client of a server that replaces refresh tokens."""
    async with connected(clock, refresh_rotation=True) as http:
        yield await OAuthClient.register(http)


async def test_the_metadata_describes_the_server(http: httpx2.AsyncClient) -> None:
    metadata = (await http.get("/.well-known/oauth-authorization-server")).json()
    assert metadata["issuer"] == "http://127.0.0.1"
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert "*" not in metadata["scopes_supported"]
    for name in ("token", "registration", "revocation", "introspection"):
        assert (await http.get(metadata[f"{name}_endpoint"])).status_code == 405


async def test_a_sign_in_returns_tokens_for_seven_days_that_the_api_accepts(client: OAuthClient) -> None:
    tokens = await client.sign_in("user:read user:write")
    assert tokens.pop("access_token").startswith("pha_")
    assert tokens.pop("refresh_token").startswith("phr_")
    assert tokens == {
        "expires_in": WEEK,
        "token_type": "Bearer",
        "scope": "user:read user:write",
        "scoped_teams": [],
        "scoped_organizations": [],
    }


class TestRegistration:
    """POST /oauth/register/"""

    async def test_a_public_client_gets_an_id_and_no_secret(self, http: httpx2.AsyncClient) -> None:
        response = await http.post("/oauth/register/", json=REGISTRATION)
        assert response.status_code == 201
        registered = response.json()
        assert registered.items() >= REGISTRATION.items()
        assert registered.keys() - REGISTRATION.keys() == {"client_id", "client_id_issued_at"}

    async def test_a_confidential_client_must_prove_its_secret(self, http: httpx2.AsyncClient) -> None:
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
            ({"redirect_uris": ["http://127.0.0.1:port/"]}, "invalid_redirect_uri", "port"),
        ],
    )
    async def test_an_invalid_registration_names_the_problem(
        self, http: httpx2.AsyncClient, changes: dict[str, Any], error: str, part: str
    ) -> None:
        response = await http.post("/oauth/register/", json=REGISTRATION | changes)
        assert response.status_code == 400
        assert response.json()["error"] == error
        assert part in response.json()["error_description"]

    async def test_more_than_60_registrations_per_minute_are_a_429(self, http: httpx2.AsyncClient) -> None:
        statuses = [(await http.post("/oauth/register/", json=REGISTRATION)).status_code for _ in range(61)]
        assert statuses == [201] * 60 + [429]
        assert int((await http.post("/oauth/register/", json=REGISTRATION)).headers["Retry-After"]) == 60


class TestAuthorization:
    """GET and POST /oauth/authorize/"""

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
            (REGISTERED, "http://127.0.0.1:port/callback", False),
            ("http://localhost/callback", "http://localhost:38123/callback", True),
            ("http://localhost:1/callback", "http://localhost:2/callback", False),
            ("https://example.com/callback", "https://example.com:8443/callback", False),
            ("myapp://callback", "myapp://callback", True),
        ],
    )
    async def test_only_the_port_of_a_loopback_address_is_free(
        self, http: httpx2.AsyncClient, registered: str, requested: str, allowed: bool
    ) -> None:
        client = await OAuthClient.register(http, redirect_uris=[registered])
        response = await client.authorize("user:read", redirect_uri=requested)
        assert response.status_code == (200 if allowed else 400)
        assert allowed or response.json()["error_description"] == "Mismatching redirect URI."

    async def test_an_unknown_client_is_an_error_that_the_browser_shows(self, client: OAuthClient) -> None:
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
        self, client: OAuthClient, changes: dict[str, str], error: str
    ) -> None:
        response = await client.authorize("user:read", **changes)
        assert response.headers["Location"].startswith(f"{CALLBACK}?")
        assert redirect_query(response).items() >= {"error": error, "state": "s"}.items()

    async def test_the_page_escapes_the_name_of_the_client(self, http: httpx2.AsyncClient) -> None:
        client = await OAuthClient.register(http, client_name="<script>alert(1)</script>")
        assert "<script" not in (await client.authorize("user:read")).text

    async def test_a_user_can_decline(self, client: OAuthClient) -> None:
        response = await client.answer(await client.authorize("user:read"), "deny")
        assert redirect_query(response) == {"error": "access_denied", "state": "s"}

    async def test_a_user_can_remove_each_scope(self, client: OAuthClient) -> None:
        tokens = await client.sign_in("user:read user:write", scope=["user:read"])
        assert tokens["scope"] == "user:read"
        nothing = await client.answer(await client.authorize("user:read"), scope=[])
        assert (nothing.status_code, "at least one scope" in nothing.text) == (400, True)

    async def test_a_user_cannot_remove_the_scopes_of_the_registration(self, http: httpx2.AsyncClient) -> None:
        client = await OAuthClient.register(http, scope="user:read subscription:read")
        page = await client.authorize("user:read user:write openid")
        form = ConsentForm(page.text)
        assert (form.locked, form.submitted["scope"]) == (["user:read"], ["openid"])
        tokens = await client.sign_in("user:read user:write openid", scope=[])
        assert tokens["scope"] == "user:read"

    async def test_scopes_that_cannot_be_granted_are_dropped(self, client: OAuthClient) -> None:
        form = ConsentForm((await client.authorize("user:read everything *")).text)
        assert form.choices["scope"] == ["user:read"]
        everything = ConsentForm((await client.authorize("")).text).choices["scope"]
        assert ConsentForm((await client.authorize("everything")).text).choices["scope"] == everything
        assert {"openid", "subscription:write"} <= set(everything)

    async def test_a_grant_can_be_limited_to_projects(self, client: OAuthClient) -> None:
        tokens = await client.sign_in("subscription:read user:read", access="project", project=["2"])
        assert tokens["scoped_teams"] == [2]
        token = tokens["access_token"]
        refused = await client.get(token, SUBSCRIPTIONS)
        assert refused.status_code == 403
        assert refused.json()["detail"].endswith("requested project: ID 1.")
        assert [await client.status(token, path) for path in (OTHER_PROJECT, "/api/users/@me/")] == [200, 200]

    async def test_a_grant_can_be_limited_to_organizations(self, client: OAuthClient) -> None:
        page = await client.authorize("subscription:read", user="3")
        _, hobby = ConsentForm(page.text).choices["organization"]
        redirect = redirect_query(await client.answer(page, access="organization", organization=[hobby]))
        tokens = (await client.exchange(redirect["code"])).json()
        assert tokens["scoped_organizations"] == [hobby]
        assert await client.status(tokens["access_token"], SUBSCRIPTIONS) == 403

    async def test_a_client_can_require_a_selection_and_suggest_a_project(self, client: OAuthClient) -> None:
        page = await client.authorize("user:read", required_access_level="project", team_id="2")
        form = ConsentForm(page.text)
        assert (form.choices.keys() & {"access", "organization"}, form.submitted["project"]) == (set(), ["2"])
        code = redirect_query(await client.answer(page))["code"]
        assert (await client.exchange(code)).json()["scoped_teams"] == [2]
        nothing = await client.answer(page, project=[])
        assert (nothing.status_code, "at least one project" in nothing.text) == (400, True)
        foreign = await client.answer(page, project=["4"])
        assert foreign.status_code == 400

    async def test_another_user_can_sign_in(self, client: OAuthClient) -> None:
        page = await client.authorize("user:read")
        assert "Ada Lovelace" in page.text
        [link] = [link for link in ConsentForm(page.text).links if link.endswith("user=5")]
        page = await client.http.get(link)
        assert ConsentForm(page.text).choices["project"] == ["4"]
        tokens = (await client.exchange(redirect_query(await client.answer(page))["code"])).json()
        assert (await client.get(tokens["access_token"])).json()["first_name"] == "Grace"


class TestTokens:
    """POST /oauth/token/, and the tokens at the API."""

    async def test_a_code_works_once_and_only_for_its_request(self, client: OAuthClient) -> None:
        other = await OAuthClient.register(client.http)
        code = await client.code("user:read")
        refused = [
            await client.exchange(code, code_verifier="other" * 9),
            await client.exchange(code, redirect_uri=REGISTERED),
            await other.exchange(code),
        ]
        assert [(response.status_code, response.json()) for response in refused] == [
            (400, {"error": "invalid_grant"})
        ] * 3
        assert [(await client.exchange(code)).status_code for _ in range(2)] == [200, 400]

    async def test_a_code_expires_after_five_minutes(self, client: OAuthClient, clock: Clock) -> None:
        early, late = await client.code("user:read"), await client.code("user:read")
        clock.advance(299)
        assert (await client.exchange(early)).status_code == 200
        clock.advance(2)
        assert (await client.exchange(late)).json() == {"error": "invalid_grant"}

    async def test_an_unknown_client_and_an_unknown_grant_type_are_refused(self, client: OAuthClient) -> None:
        unknown = await client.exchange("code", client_id="unknown")
        assert (unknown.status_code, unknown.json()) == (401, {"error": "invalid_client"})
        device = await client.exchange("code", grant_type="urn:ietf:params:oauth:grant-type:device_code")
        assert (device.status_code, device.json()) == (400, {"error": "unsupported_grant_type"})

    async def test_the_body_may_be_json(self, client: OAuthClient) -> None:
        tokens = await client.sign_in()
        body = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **client.credentials}
        assert (await client.http.post("/oauth/token/", json=body)).status_code == 200

    async def test_an_access_token_expires_after_seven_days(self, client: OAuthClient, clock: Clock) -> None:
        token = (await client.sign_in())["access_token"]
        clock.advance(WEEK - 1)
        assert await client.status(token) == 200
        clock.advance(1)
        expired, unknown = await client.get(token), await client.get("pha_unknown")
        assert (expired.status_code, expired.json()["detail"]) == (401, "Access token has expired.")
        assert (unknown.status_code, unknown.json()["detail"]) == (401, "Invalid access token.")

    async def test_a_refresh_keeps_the_refresh_token_and_the_older_access_token(self, client: OAuthClient) -> None:
        first = await client.sign_in("user:read")
        second = (await client.refresh(first["refresh_token"])).json()
        assert [name for name in first if second[name] != first[name]] == ["access_token"]
        assert [await client.status(tokens["access_token"]) for tokens in (first, second)] == [200, 200]

    async def test_an_unused_refresh_token_ends_60_days_after_its_access_token(
        self, client: OAuthClient, clock: Clock
    ) -> None:
        used, unused = await client.sign_in(), await client.sign_in()
        clock.advance(WEEK)
        assert (await client.refresh(used["refresh_token"])).status_code == 200
        clock.advance(60 * 24 * 3600)
        statuses = [(await client.refresh(tokens["refresh_token"])).status_code for tokens in (used, unused)]
        assert statuses == [200, 400]

    async def test_a_client_cannot_use_the_refresh_token_of_another(self, client: OAuthClient) -> None:
        other = await OAuthClient.register(client.http)
        refused = await other.refresh((await client.sign_in())["refresh_token"])
        assert (refused.status_code, refused.json()) == (400, {"error": "invalid_grant"})

    async def test_the_lifetime_of_access_tokens_is_an_option(self, clock: Clock) -> None:
        async with connected(clock, token_seconds=5) as http:
            client = await OAuthClient.register(http)
            tokens = await client.sign_in()
            clock.advance(5)
            assert (tokens["expires_in"], await client.status(tokens["access_token"])) == (5, 401)

    async def test_only_a_session_may_change_the_e_mail_address(self, client: OAuthClient) -> None:
        headers = {"Authorization": f"Bearer {(await client.sign_in('user:write'))['access_token']}"}
        change = await client.http.patch("/api/users/@me/", json={"email": "new@analytical.example"}, headers=headers)
        assert change.status_code == 403
        current_key = await client.http.get("/api/personal_api_keys/@current/", headers=headers)
        assert current_key.status_code == 401


class TestRotation:
    """The mode in which each refresh replaces the refresh token."""

    async def test_a_refresh_replaces_both_tokens(self, rotating: OAuthClient) -> None:
        first = await rotating.sign_in()
        second = (await rotating.refresh(first["refresh_token"])).json()
        assert second["refresh_token"] != first["refresh_token"]
        assert [await rotating.status(tokens["access_token"]) for tokens in (first, second)] == [401, 200]

    async def test_a_replaced_token_returns_the_same_successor_for_two_minutes(
        self, rotating: OAuthClient, clock: Clock
    ) -> None:
        first = await rotating.sign_in()
        second = (await rotating.refresh(first["refresh_token"])).json()
        clock.advance(120)
        assert (await rotating.refresh(first["refresh_token"])).json() == second

    async def test_a_replaced_token_gets_new_tokens_if_its_successor_was_replaced_too(
        self, rotating: OAuthClient
    ) -> None:
        first = await rotating.sign_in()
        second = (await rotating.refresh(first["refresh_token"])).json()
        third = (await rotating.refresh(second["refresh_token"])).json()
        again = (await rotating.refresh(first["refresh_token"])).json()
        assert again["access_token"] not in (second["access_token"], third["access_token"])
        assert [await rotating.status(tokens["access_token"]) for tokens in (third, again)] == [200, 200]

    async def test_a_use_after_two_minutes_ends_the_sign_in(self, rotating: OAuthClient, clock: Clock) -> None:
        other = await rotating.sign_in()
        first = await rotating.sign_in()
        second = (await rotating.refresh(first["refresh_token"])).json()
        clock.advance(121)
        assert (await rotating.refresh(first["refresh_token"])).json() == {"error": "invalid_grant"}
        assert await rotating.status(second["access_token"]) == 401
        assert (await rotating.refresh(second["refresh_token"])).status_code == 400
        assert await rotating.status(other["access_token"]) == 200


class TestRevocation:
    """POST /oauth/revoke/"""

    async def test_a_refresh_token_ends_everything_of_its_user_and_client(self, client: OAuthClient) -> None:
        first, second = await client.sign_in(), await client.sign_in()
        code = await client.code("user:read")
        other = await (await OAuthClient.register(client.http)).sign_in()
        assert (await client.revoke(first["refresh_token"])).status_code == 200
        assert [await client.status(tokens["access_token"]) for tokens in (first, second, other)] == [401, 401, 200]
        assert (await client.exchange(code)).status_code == 400
        assert (await client.refresh(second["refresh_token"])).json() == {"error": "invalid_grant"}

    async def test_an_access_token_ends_alone(self, client: OAuthClient) -> None:
        tokens = await client.sign_in()
        assert (await client.revoke(tokens["access_token"])).status_code == 200
        assert await client.status(tokens["access_token"]) == 401
        assert (await client.refresh(tokens["refresh_token"])).status_code == 200

    async def test_tokens_that_are_unknown_or_of_another_client_are_left_alone(self, client: OAuthClient) -> None:
        tokens = await client.sign_in()
        other = await OAuthClient.register(client.http)
        for token in ("phr_unknown", sandbox.FULL_KEY, tokens["refresh_token"], tokens["access_token"]):
            assert (await other.revoke(token)).status_code == 200
        assert await client.status(tokens["access_token"]) == 200
        assert await client.status(sandbox.FULL_KEY) == 200


class TestIntrospection:
    """POST /oauth/introspect/"""

    @staticmethod
    async def introspect(client: OAuthClient, subject: str, bearer: str, **kind: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {bearer}"}
        body = kind or {"data": {"token": subject}}
        response = await client.http.post("/oauth/introspect/", headers=headers, **body)
        return response.status_code, response.json() if response.content else None

    async def test_a_token_without_the_scope_introspects_itself(self, client: OAuthClient, clock: Clock) -> None:
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
        assert await self.introspect(client, token, token) == (200, expected)
        assert await self.introspect(client, token, token, json={"token": token}) == (200, expected)
        clock.advance(WEEK)
        assert await self.introspect(client, token, token) == (200, {"active": False})

    async def test_other_tokens_require_the_scope_and_the_same_client(self, client: OAuthClient) -> None:
        strong = (await client.sign_in("introspection"))["access_token"]
        weak = (await client.sign_in("user:read"))["access_token"]
        foreign = (await (await OAuthClient.register(client.http)).sign_in())["access_token"]
        assert (await self.introspect(client, weak, strong))[1]["scope"] == "user:read"
        assert await self.introspect(client, strong, weak) == (403, None)
        assert await self.introspect(client, foreign, strong) == (200, {"active": False})
        assert await self.introspect(client, "pha_unknown", strong) == (200, {"active": False})
        assert await self.introspect(client, "pha_unknown", "pha_unknown") == (403, None)
        seeded = await self.introspect(client, sandbox.OAUTH_TOKEN, sandbox.OAUTH_TOKEN)
        assert (seeded[0], "exp" in seeded[1]) == (200, False)


class TestControl:
    """Events that a client cannot cause."""

    async def test_all_issued_access_tokens_can_expire_now(self, client: OAuthClient) -> None:
        tokens = await client.sign_in()
        assert (await client.http.post("/_sandbox/tokens/expire")).status_code == 204
        assert [await client.status(token) for token in (tokens["access_token"], sandbox.OAUTH_TOKEN)] == [401, 200]
        assert (await client.refresh(tokens["refresh_token"])).status_code == 200

    async def test_a_user_can_disconnect_the_application(self, client: OAuthClient) -> None:
        tokens = await client.sign_in()
        assert (await client.http.post("/_sandbox/tokens/revoke")).status_code == 204
        assert [await client.status(token) for token in (tokens["access_token"], sandbox.OAUTH_TOKEN)] == [401, 200]
        assert (await client.refresh(tokens["refresh_token"])).json() == {"error": "invalid_grant"}

    async def test_clients_can_be_deleted(self, client: OAuthClient) -> None:
        tokens = await client.sign_in()
        assert (await client.http.post("/_sandbox/clients/delete")).status_code == 204
        assert (await client.authorize("user:read")).status_code == 400
        assert (await client.refresh(tokens["refresh_token"])).json() == {"error": "invalid_client"}


async def test_a_server_without_sign_in_has_none_of_the_endpoints(clock: Clock) -> None:
    app = sandbox.build(clock=clock)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://sandbox") as http:
        assert (await http.get("/.well-known/oauth-authorization-server")).status_code == 404
        assert (await http.post("/oauth/register/", json=REGISTRATION)).status_code == 404
        assert (await http.get(PROJECT + "subscriptions/")).status_code == 401
