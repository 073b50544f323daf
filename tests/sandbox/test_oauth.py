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

pytestmark = pytest.mark.anyio

VERIFIER = "a-verifier-that-is-long-enough-for-the-rules-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
CALLBACK = "http://127.0.0.1:3000/callback"


class Client:
    """A registered OAuth client, and the clock of the sandbox."""

    def __init__(self, http: httpx2.AsyncClient, registered: dict[str, Any], now: list[datetime]) -> None:
        self.http, self.me, self.now = http, registered, now

    async def ask(self, scope: str, **more: str) -> httpx2.Response:
        query = {"client_id": self.me["client_id"], "response_type": "code", "redirect_uri": CALLBACK, "state": "s"}
        challenge = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        return await self.http.get("/oauth/authorize/", params={**query, **challenge, "scope": scope, **more})

    async def answer(self, asked: httpx2.Response, **form: Any) -> dict[str, str]:
        sent = await self.http.post(asked.headers["Location"], data=form)
        return {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["Location"]).query).items()}

    async def token(self, grant: str, **form: str) -> httpx2.Response:
        about = {"client_id": self.me["client_id"], "client_secret": self.me["client_secret"]}
        return await self.http.post("/oauth/token/", data={"grant_type": grant, **about, **form})

    async def log_in(self, scope: str = "introspection user:read") -> dict[str, Any]:
        told = await self.answer(await self.ask(scope), answer="allow", scope=scope.split())
        form = {"code": told["code"], "code_verifier": VERIFIER, "redirect_uri": CALLBACK}
        tokens: dict[str, Any] = (await self.token("authorization_code", **form)).json()
        return tokens

    async def refresh(self, token: str) -> httpx2.Response:
        return await self.token("refresh_token", refresh_token=token)

    async def me_as(self, token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return (await self.http.get("/api/users/@me/", headers=headers)).status_code


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    now = [datetime.now(UTC)]
    app = sandbox.build(oauth=True, clock=lambda: now[0])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as http:
        about = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_post"}
        about |= {"scope": "introspection user:read user:write"}
        registered = await http.post("/oauth/register/", json=about)
        yield Client(http, registered.json(), now)


async def test_a_login_returns_an_access_token_that_the_api_accepts(client: Client) -> None:
    tokens = await client.log_in()
    assert tokens["access_token"].startswith("pha_") and tokens["refresh_token"].startswith("phr_")
    assert tokens["expires_in"] == 3600
    assert await client.me_as(tokens["access_token"]) == 200


async def test_a_denied_request_returns_access_denied(client: Client) -> None:
    told = await client.answer(await client.ask("user:read"), answer="deny")
    assert told == {"error": "access_denied", "state": "s"}


async def test_a_user_can_deny_single_scopes(client: Client) -> None:
    told = await client.answer(await client.ask("user:read user:write"), answer="allow", scope=["user:read"])
    form = {"code": told["code"], "code_verifier": VERIFIER, "redirect_uri": CALLBACK}
    assert (await client.token("authorization_code", **form)).json()["scope"] == "user:read"


async def test_a_consent_page_works_once(client: Client) -> None:
    asked = await client.ask("user:read")
    await client.answer(asked, answer="allow", scope=["user:read"])
    assert (await client.http.get(asked.headers["Location"])).status_code == 400


@pytest.mark.parametrize("wrong", [{"code_challenge_method": "plain"}, {"scope": "everything"}])
async def test_plain_pkce_and_unknown_scopes_are_rejected(client: Client, wrong: dict[str, str]) -> None:
    asked = await client.ask(wrong.pop("scope", "user:read"), **wrong)
    assert "error=" in asked.headers.get("Location", "") or asked.status_code == 400


async def test_an_authorization_code_works_once_and_only_with_its_verifier(client: Client) -> None:
    told = await client.answer(await client.ask("user:read"), answer="allow", scope=["user:read"])
    form = {"code": told["code"], "redirect_uri": CALLBACK}
    wrong = await client.token("authorization_code", **form, code_verifier="another" * 8)
    right = await client.token("authorization_code", **form, code_verifier=VERIFIER)
    again = await client.token("authorization_code", **form, code_verifier=VERIFIER)
    assert [wrong.status_code, right.status_code, again.status_code] == [400, 200, 400]


async def test_an_access_token_expires_after_an_hour_and_can_be_refreshed(client: Client) -> None:
    tokens = await client.log_in()
    client.now[0] += timedelta(hours=1, seconds=1)
    assert await client.me_as(tokens["access_token"]) == 401
    renewed = (await client.refresh(tokens["refresh_token"])).json()
    assert await client.me_as(renewed["access_token"]) == 200
    assert renewed["refresh_token"] != tokens["refresh_token"]


async def test_reuse_of_a_refresh_token_after_two_minutes_revokes_its_family(client: Client) -> None:
    tokens = await client.log_in()
    renewed = (await client.refresh(tokens["refresh_token"])).json()
    assert (await client.refresh(tokens["refresh_token"])).status_code == 200  # within the two minutes
    client.now[0] += timedelta(minutes=3)
    assert (await client.refresh(tokens["refresh_token"])).status_code == 400
    assert await client.me_as(renewed["access_token"]) == 401


async def test_revocation_ends_access_and_refresh_tokens(client: Client) -> None:
    tokens = await client.log_in()
    about = {"client_id": client.me["client_id"], "client_secret": client.me["client_secret"]}
    await client.http.post("/oauth/revoke/", data={"token": tokens["access_token"], **about})
    assert await client.me_as(tokens["access_token"]) == 401
    assert (await client.refresh(tokens["refresh_token"])).status_code == 400


async def test_introspection_requires_a_token_with_its_scope(client: Client) -> None:
    tokens, weak = await client.log_in(), await client.log_in("user:read")

    async def ask(about: str, by: str) -> tuple[int, Any]:
        answer = await client.http.post(
            "/oauth/introspect/", data={"token": about}, headers={"Authorization": f"Bearer {by}"}
        )
        return answer.status_code, answer.json().get("scope", answer.json().get("active"))

    own = tokens["access_token"]
    assert await ask(own, own) == (200, "introspection user:read")
    assert await ask("pha_unknown", own) == (200, False)
    assert (await ask(own, weak["access_token"]))[0] == 403
    assert (await ask(own, "pha_unknown"))[0] == 401


async def test_the_metadata_describes_the_server(client: Client) -> None:
    told = (await client.http.get("/.well-known/oauth-authorization-server")).json()
    assert told["issuer"] == "http://127.0.0.1"
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert "*" not in told["scopes_supported"]
