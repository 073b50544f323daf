"""The authorization server, used by an OAuth client."""

import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from core13_mcp import sandbox
from core13_mcp.sandbox.eras import Era

pytestmark = pytest.mark.anyio

VERIFIER = "a-verifier-that-is-long-enough-for-the-rules-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
CALLBACK = "http://127.0.0.1:3000/callback"


class OAuthClient:
    """A registered OAuth client, and the clock of the sandbox."""

    def __init__(self, http: httpx2.AsyncClient, registration: dict[str, Any], now: list[datetime]) -> None:
        self.http, self.now = http, now
        self.credentials = {name: registration[name] for name in ("client_id", "client_secret")}

    async def authorize(self, scope: str, **more: str) -> httpx2.Response:
        query = {"client_id": self.credentials["client_id"], "response_type": "code", "redirect_uri": CALLBACK}
        challenge = {"code_challenge": CHALLENGE, "code_challenge_method": "S256", "state": "s"}
        return await self.http.get("/oauth/authorize/", params={**query, **challenge, "scope": scope, **more})

    async def answer(self, consent: httpx2.Response, answer: str, scopes: str = "") -> dict[str, str]:
        """Submit the consent page; return the query of the redirect to the client."""
        form = {"answer": answer, "scope": scopes.split()}
        response = await self.http.post(consent.headers["Location"], data=form)
        return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}

    async def exchange(self, code: str, verifier: str = VERIFIER) -> httpx2.Response:
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier, "redirect_uri": CALLBACK}
        return await self.http.post("/oauth/token/", data=form | self.credentials)

    async def log_in(self, scopes: str = "introspection user:read", requested: str = "") -> dict[str, Any]:
        consent = await self.authorize(requested or scopes)
        code = (await self.answer(consent, "allow", scopes))["code"]
        tokens: dict[str, Any] = (await self.exchange(code)).json()
        return tokens

    async def refresh(self, token: str) -> httpx2.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return await self.http.post("/oauth/token/", data=form | self.credentials)

    async def status(self, token: str) -> int:
        """The status of an API request with an access token."""
        headers = {"Authorization": f"Bearer {token}"}
        return (await self.http.get("/api/users/@me/", headers=headers)).status_code


@pytest.fixture
async def client(era: str) -> AsyncIterator[OAuthClient]:
    now = [datetime.now(UTC)]
    app = sandbox.build(era=era, oauth=True, clock=lambda: now[0])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as http:
        metadata = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_post"}
        metadata |= {"scope": "introspection user:read user:write"}
        registration = (await http.post("/oauth/register/", json=metadata)).json()
        yield OAuthClient(http, registration, now)


async def test_a_login_returns_an_access_token_that_the_api_accepts(client: OAuthClient, rules: Era) -> None:
    tokens = await client.log_in()
    assert tokens["access_token"].startswith("pha_") and tokens["refresh_token"].startswith("phr_")
    assert tokens["expires_in"] == rules.access_seconds
    assert await client.status(tokens["access_token"]) == 200


async def test_a_user_can_deny_a_request_or_single_scopes(client: OAuthClient) -> None:
    answer = await client.answer(await client.authorize("user:read"), "deny")
    assert answer == {"error": "access_denied", "state": "s"}
    assert (await client.log_in("user:read", requested="user:read user:write"))["scope"] == "user:read"


async def test_a_consent_page_works_once(client: OAuthClient) -> None:
    consent = await client.authorize("user:read")
    await client.answer(consent, "allow", "user:read")
    assert (await client.http.get(consent.headers["Location"])).status_code == 400


@pytest.mark.parametrize(("scope", "method"), [("user:read", "plain"), ("everything", "S256")])
async def test_plain_pkce_and_unknown_scopes_are_rejected(client: OAuthClient, scope: str, method: str) -> None:
    response = await client.authorize(scope, code_challenge_method=method)
    assert "error=" in response.headers.get("Location", "") or response.status_code == 400


async def test_an_authorization_code_works_once_and_only_with_its_verifier(client: OAuthClient) -> None:
    code = (await client.answer(await client.authorize("user:read"), "allow", "user:read"))["code"]
    statuses = [(await client.exchange(code, verifier)).status_code for verifier in ("other" * 9, VERIFIER, VERIFIER)]
    assert statuses == [400, 200, 400]


async def test_an_access_token_expires_and_can_be_refreshed(client: OAuthClient, rules: Era) -> None:
    tokens = await client.log_in()
    client.now[0] += timedelta(seconds=rules.access_seconds - 1)
    assert await client.status(tokens["access_token"]) == 200
    client.now[0] += timedelta(seconds=2)
    assert await client.status(tokens["access_token"]) == 401
    renewed = (await client.refresh(tokens["refresh_token"])).json()
    assert await client.status(renewed["access_token"]) == 200
    assert (renewed["refresh_token"] != tokens["refresh_token"]) is rules.rotates_refresh_tokens


async def test_reuse_of_a_replaced_refresh_token_after_two_minutes_revokes_its_family(
    client: OAuthClient, rules: Era
) -> None:
    tokens = await client.log_in()
    renewed = (await client.refresh(tokens["refresh_token"])).json()
    assert (await client.refresh(tokens["refresh_token"])).status_code == 200
    client.now[0] += timedelta(minutes=3)
    reused, status = await client.refresh(tokens["refresh_token"]), await client.status(renewed["access_token"])
    assert (reused.status_code, status) == ((400, 401) if rules.rotates_refresh_tokens else (200, 200))


async def test_revocation_ends_access_and_refresh_tokens(client: OAuthClient) -> None:
    tokens = await client.log_in()
    await client.http.post("/oauth/revoke/", data={"token": tokens["access_token"], **client.credentials})
    assert await client.status(tokens["access_token"]) == 401
    assert (await client.refresh(tokens["refresh_token"])).status_code == 400


async def test_a_token_introspects_itself_and_others_with_the_scope(client: OAuthClient) -> None:
    token, weak = [(await client.log_in(scopes))["access_token"] for scopes in ("introspection user:read", "user:read")]

    async def introspect(subject: str, bearer: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {bearer}"}
        response = await client.http.post("/oauth/introspect/", data={"token": subject}, headers=headers)
        return response.status_code, response.json().get("scope", response.json().get("active"))

    assert await introspect(token, token) == (200, "introspection user:read")
    assert await introspect(weak, weak) == (200, "user:read")
    assert await introspect("pha_unknown", token) == (200, False)
    assert (await introspect(token, weak))[0] == 403
    sent: tuple[Any, ...] = ({"token": weak}, [weak])
    headers = {"Authorization": f"Bearer {weak}"}
    as_json = [await client.http.post("/oauth/introspect/", json=body, headers=headers) for body in sent]
    assert [response.status_code for response in as_json] == [200, 403]
    assert as_json[0].json().items() >= {"active": True, "scoped_teams": [], "scoped_organizations": []}.items()
    assert (await introspect(token, "pha_unknown"))[0] == 401


async def test_the_metadata_describes_the_server(client: OAuthClient) -> None:
    metadata = (await client.http.get("/.well-known/oauth-authorization-server")).json()
    assert metadata["issuer"] == "http://127.0.0.1"
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert "*" not in metadata["scopes_supported"]
