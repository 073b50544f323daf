"""The protected resource: token introspection, scopes, challenges and metadata."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core13_mcp.compose.http import HTTPServer
from core13_mcp.settings import Settings

from ....asgi import listening
from ....clients import CLIENT_MODES
from ..http_server import client, headers, post, serving

pytestmark = pytest.mark.anyio

GOOD, WEAK, UNKNOWN, EXPIRED = "pha_good", "pha_weak", "pha_unknown", "pha_expired"
SCOPES = {GOOD: "introspection user:write subscription:read", WEAK: "introspection openid"}
METADATA_PATH = "/.well-known/oauth-protected-resource/mcp"


@dataclass
class Issuer:
    """An API with introspection for a few tokens, and one more route.

    Attributes:
        introspected: The tokens of all introspection requests.
        response: A response that replaces the normal introspection response.
    """

    introspected: list[str] = field(default_factory=list)
    response: Response | None = None

    async def introspect(self, request: Request) -> Response:
        """Introspect the token that also authenticates the request."""
        [token] = parse_qs((await request.body()).decode())["token"]
        assert request.headers["Authorization"] == f"Bearer {token}"
        self.introspected.append(token)
        if self.response is not None:
            return self.response
        if token == UNKNOWN:
            return Response(None, 403)
        if token in SCOPES:
            return JSONResponse({"active": True, "scope": SCOPES[token]})
        return JSONResponse({"active": False})

    async def me(self, request: Request) -> Response:
        """Return a user whose email is the Authorization header."""
        return JSONResponse({"uuid": "1", "email": request.headers["Authorization"]})

    @property
    def app(self) -> Starlette:
        introspect = Route("/oauth/introspect/", self.introspect, methods=["POST"])
        return Starlette(routes=[introspect, Route("/api/users/@me/", self.me)])


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def server(issuer: Issuer) -> AsyncIterator[HTTPServer]:
    async with listening(issuer.app) as origin, serving(oauth(origin)) as running:
        yield running


def oauth(origin: str, **fields: Any) -> Settings:
    return Settings(host=origin, auth="oauth", log_level="error", **fields)


async def call(url: str, token: str, name: str = "users-retrieve") -> httpx2.Response:
    """Call a tool with a token."""
    sent = {"Authorization": f"Bearer {token}"}
    response: httpx2.Response = await post(url, "tools/call", sent=sent, name=name, arguments={})
    return response


async def get(url: str, path: str) -> httpx2.Response:
    async with httpx2.AsyncClient(base_url=url.removesuffix("/mcp")) as http:
        return await http.get(path)


def challenge(response: httpx2.Response) -> dict[str, str]:
    """Return the parameters of `WWW-Authenticate: Bearer`."""
    header = response.headers["WWW-Authenticate"]
    assert header.startswith("Bearer ")
    return dict(re.findall(r'(\w+)="([^"]*)"', header))


@pytest.mark.parametrize("mode", CLIENT_MODES)
async def test_the_issuer_introspects_a_token_and_gets_it_with_the_call(url: str, issuer: Issuer, mode: str) -> None:
    async with client(url, mode, {"Authorization": f"Bearer {GOOD}"}) as mcp:
        result = await mcp.call_tool("users-retrieve", {})
    assert result.structured_content is not None
    # The API received the token. The result contains no token, not even the caller's own.
    assert result.structured_content["email"] == "Bearer [withheld]"
    assert set(issuer.introspected) == {GOOD}


async def test_without_a_token_the_challenge_contains_the_metadata_url(url: str) -> None:
    response = await post(url)
    parameters = challenge(response)
    async with httpx2.AsyncClient() as http:
        metadata_response = await http.get(parameters["resource_metadata"])
    metadata = metadata_response.json()
    assert metadata_response.headers["Cache-Control"] == "public, max-age=3600"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", *metadata["authorization_servers"])
    assert response.status_code == 401
    assert "error" not in parameters
    assert metadata["resource"] == url
    assert metadata["bearer_methods_supported"] == ["header"]
    assert metadata["scopes_supported"] == parameters["scope"].split()
    assert {"introspection", "user:read", "subscription:write"} <= set(metadata["scopes_supported"])
    assert "None" not in parameters["scope"]


@pytest.mark.parametrize("token", [EXPIRED, UNKNOWN, "phx_aPersonalKey", "eyJhbGciOi.x.y"])
async def test_an_invalid_token_gets_401_and_the_issuer_gets_only_its_own_tokens(
    url: str, issuer: Issuer, token: str
) -> None:
    response = await call(url, token)
    assert response.status_code == 401
    assert challenge(response)["error"] == "invalid_token"
    assert challenge(response)["resource_metadata"].endswith(METADATA_PATH)
    assert token not in response.text
    assert issuer.introspected == ([token] if token in (EXPIRED, UNKNOWN) else [])


@pytest.mark.parametrize(
    ("token", "tool", "scope"),
    [
        (WEAK, "users-retrieve", "introspection user:read"),
        (GOOD, "subscriptions-create", "introspection subscription:write"),
    ],
)
async def test_a_missing_scope_gets_403_with_the_scope(url: str, token: str, tool: str, scope: str) -> None:
    response = await call(url, token, tool)
    assert response.status_code == 403
    assert challenge(response)["error"] == "insufficient_scope"
    assert re.fullmatch(scope, challenge(response)["scope"])


async def test_a_token_without_tool_scopes_lists_the_tools(url: str) -> None:
    response = await post(url, sent={"Authorization": f"Bearer {WEAK}"})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "introspection",
    [
        JSONResponse({}, 500),
        JSONResponse({}, 404),
        JSONResponse({}, 302),
        JSONResponse({"scope": "*"}),
        Response("<html>"),
    ],
    ids=["500", "404", "302", "no-active-field", "not-json"],
)
async def test_a_failed_introspection_gets_503(
    without_pauses: None, url: str, issuer: Issuer, introspection: Response
) -> None:
    issuer.response = introspection
    response = await call(url, GOOD)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"


async def test_an_unreachable_issuer_gets_503(without_pauses: None) -> None:
    async with serving(oauth("http://127.0.0.1:9")) as server:
        response = await call(server.url, GOOD)
    assert response.status_code == 503


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"null", b'{"method": "tools/call", "params": []}'])
async def test_a_malformed_request_gets_400_from_the_mcp_handler(url: str, body: bytes) -> None:
    async with httpx2.AsyncClient() as http:
        sent = {**headers("tools/call", "users-retrieve"), "Authorization": f"Bearer {GOOD}"}
        response = await http.post(url, content=body, headers=sent)
    assert response.status_code == 400
    assert "error" in response.json()


async def test_a_read_only_server_introspects_tokens(issuer: Issuer) -> None:
    async with listening(issuer.app) as origin, serving(oauth(origin, read_only=True)) as server:
        response = await call(server.url, GOOD)
    assert response.status_code == 200


async def test_the_public_url_is_the_resource(issuer: Issuer) -> None:
    public = "https://tools.example.com/posthog/mcp"
    async with serving(oauth("http://127.0.0.1:9", http_url=public)) as server:
        url = f"http://127.0.0.1:{server.listeners[0].getsockname()[1]}/mcp"
        response = await post(url)
        metadata = await get(url, "/.well-known/oauth-protected-resource/posthog/mcp")
    expected = "https://tools.example.com/.well-known/oauth-protected-resource/posthog/mcp"
    assert challenge(response)["resource_metadata"] == expected
    assert metadata.json()["resource"] == public
