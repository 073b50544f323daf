"""A protected resource: the token's issuer says whether it holds, and the client is told in OAuth's words."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import anyio
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core13_mcp.compose.http import HTTPServer
from core13_mcp.settings import Settings

from ....asgi import listening
from ..http_server import ERAS, client, headers, post, serving

pytestmark = pytest.mark.anyio

GOOD, WEAK, BLIND, OLD = "pha_good", "pha_weak", "pha_blind", "pha_expired"
SCOPES = {GOOD: "introspection user:write subscription:read", WEAK: "introspection openid"}


@dataclass
class Issuer:
    """An API that knows a few tokens, and answers one route."""

    asked: list[str] = field(default_factory=list)
    broken: int | None = None
    vague: bool = False

    async def introspect(self, request: Request) -> Response:
        """What a token may do, to whoever holds one that may ask."""
        token = parse_qs((await request.body()).decode())["token"][0]
        assert request.headers["Authorization"] == f"Bearer {token}"
        self.asked.append(token)
        if self.broken:
            return JSONResponse({}, self.broken)
        if self.vague:
            return JSONResponse({"scope": "*"})
        if token == BLIND:
            return JSONResponse({"detail": "no"}, 403)
        if token in SCOPES:
            return JSONResponse({"active": True, "scope": SCOPES[token]})
        return JSONResponse({"active": False})

    async def me(self, request: Request) -> Response:
        """Who calls."""
        return JSONResponse({"uuid": "1", "email": request.headers["Authorization"]})

    @property
    def app(self) -> Starlette:
        """Both routes."""
        introspect = Route("/oauth/introspect/", self.introspect, methods=["POST"])
        return Starlette(routes=[introspect, Route("/api/users/@me/", self.me)])


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def served(issuer: Issuer) -> AsyncIterator[HTTPServer]:
    async with listening(issuer.app) as origin, serving(by_oauth(origin)) as ready:
        yield ready


def by_oauth(origin: str) -> Settings:
    return Settings(host=origin, auth="oauth", log_level="error")


async def call(url: str, token: str, name: str = "users-retrieve") -> httpx2.Response:
    """One call with a token."""
    answer: httpx2.Response = await post(
        url, "tools/call", sent={"Authorization": f"Bearer {token}"}, name=name, arguments={}
    )
    return answer


def challenge(answer: httpx2.Response) -> dict[str, str]:
    """The parts of `WWW-Authenticate: Bearer`."""
    told = answer.headers["WWW-Authenticate"]
    assert told.startswith("Bearer ")
    return dict(re.findall(r'(\w+)="([^"]*)"', told))


@pytest.mark.parametrize("era", ERAS)
async def test_a_token_is_checked_with_its_issuer_and_goes_to_it(url: str, issuer: Issuer, era: str) -> None:
    with anyio.fail_after(20):
        async with client(url, era, {"Authorization": f"Bearer {GOOD}"}) as mcp:
            result = await mcp.call_tool("users-retrieve", {})
    assert result.structured_content is not None
    # The API saw the token; the caller sees no token, not even its own.
    assert result.structured_content["email"] == "Bearer [withheld]"
    assert set(issuer.asked) == {GOOD}


async def test_without_a_token_a_client_is_pointed_to_the_metadata(url: str, served: HTTPServer) -> None:
    with anyio.fail_after(20):
        answer = await post(url)
        told = challenge(answer)
        async with httpx2.AsyncClient() as http:
            metadata = (await http.get(told["resource_metadata"])).json()
    assert answer.status_code == 401
    assert "error" not in told
    assert metadata["resource"] == url
    assert metadata["bearer_methods_supported"] == ["header"]
    assert metadata["scopes_supported"] == told["scope"].split()
    assert {"introspection", "user:read", "subscription:write"} <= set(metadata["scopes_supported"])
    assert "None" not in told["scope"]


async def test_the_metadata_names_the_api_as_authorization_server(url: str, settings: Settings) -> None:
    path = "/.well-known/oauth-protected-resource/mcp"
    with anyio.fail_after(20):
        async with httpx2.AsyncClient(base_url=url.removesuffix("/mcp")) as http:
            answer = await http.get(path)
    (server,) = answer.json()["authorization_servers"]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", server)
    assert answer.headers["Cache-Control"] == "public, max-age=3600"


@pytest.mark.parametrize("token", [OLD, "phx_aPersonalKey", "eyJhbGciOi.x.y"])
async def test_a_token_that_does_not_hold_is_refused_as_invalid(url: str, token: str) -> None:
    with anyio.fail_after(20):
        answer = await call(url, token)
    assert answer.status_code == 401
    assert challenge(answer)["error"] == "invalid_token"
    assert challenge(answer)["resource_metadata"].endswith("/.well-known/oauth-protected-resource/mcp")
    assert token not in answer.text


async def test_what_is_no_token_of_the_issuer_is_not_shown_to_it(url: str, issuer: Issuer) -> None:
    with anyio.fail_after(20):
        await call(url, "phx_aPersonalKey")
    assert issuer.asked == []


@pytest.mark.parametrize(
    ("token", "tool", "scope"),
    [
        (WEAK, "users-retrieve", "introspection user:read"),
        (GOOD, "subscriptions-create", "introspection subscription:write"),
    ],
)
async def test_a_missing_scope_is_named(url: str, token: str, tool: str, scope: str) -> None:
    with anyio.fail_after(20):
        answer = await call(url, token, tool)
    assert answer.status_code == 403
    assert challenge(answer)["error"] == "insufficient_scope"
    assert challenge(answer)["scope"] == scope


async def test_a_token_that_may_not_ask_about_itself_is_told_which_scope_that_takes(url: str) -> None:
    with anyio.fail_after(20):
        answer = await call(url, BLIND)
    assert answer.status_code == 403
    assert "introspection" in challenge(answer)["scope"].split()


async def test_a_token_without_scopes_may_still_see_the_tools(url: str) -> None:
    with anyio.fail_after(20):
        answer = await post(url, sent={"Authorization": f"Bearer {WEAK}"})
    assert answer.status_code == 200


@pytest.mark.parametrize("status", [500, 404, 302])
async def test_an_issuer_that_cannot_say_is_not_taken_for_a_yes(
    url: str, issuer: Issuer, status: int, without_pauses: None
) -> None:
    issuer.broken = status
    with anyio.fail_after(20):
        answer = await call(url, GOOD)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"


async def test_an_issuer_that_says_neither_yes_nor_no_is_not_taken_for_a_yes(url: str, issuer: Issuer) -> None:
    issuer.vague = True
    with anyio.fail_after(20):
        answer = await call(url, GOOD)
    assert answer.status_code == 503


async def test_an_issuer_that_is_gone_is_not_taken_for_a_yes(without_pauses: None) -> None:
    with anyio.fail_after(20):
        async with serving(by_oauth("http://127.0.0.1:9")) as served:
            answer = await call(served.url, GOOD)
    assert answer.status_code == 503


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"null", b'{"method": "tools/call", "params": []}'])
async def test_what_is_no_request_is_left_to_the_protocol_to_refuse(url: str, body: bytes) -> None:
    with anyio.fail_after(20):
        async with httpx2.AsyncClient() as http:
            sent = {**headers("tools/call", "users-retrieve"), "Authorization": f"Bearer {GOOD}"}
            answer = await http.post(url, content=body, headers=sent)
    assert answer.status_code == 400
    assert "error" in answer.json()


async def test_a_read_only_server_still_checks_tokens(issuer: Issuer) -> None:
    said: dict[str, Any] = {"auth": "oauth", "read_only": True, "log_level": "error"}
    with anyio.fail_after(20):
        async with listening(issuer.app) as origin, serving(Settings(host=origin, **said)) as served:
            answer = await call(served.url, GOOD)
    assert answer.status_code == 200


async def test_the_public_url_is_the_resource(issuer: Issuer) -> None:
    settings = Settings(
        host="http://127.0.0.1:9", auth="oauth", http_url="https://tools.example.com/posthog/mcp", log_level="error"
    )
    with anyio.fail_after(20):
        async with serving(settings) as served:
            port = served.listener.getsockname()[1]
            answer = await post(f"http://127.0.0.1:{port}/mcp")
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
                metadata = await http.get("/.well-known/oauth-protected-resource/posthog/mcp")
    at = "https://tools.example.com/.well-known/oauth-protected-resource/posthog/mcp"
    assert challenge(answer)["resource_metadata"] == at
    assert metadata.json()["resource"] == "https://tools.example.com/posthog/mcp"
