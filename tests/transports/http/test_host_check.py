"""The checks of a request's Host, Origin, method, body and protocol headers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest

from core13_mcp import sandbox
from core13_mcp.settings import Settings

from .http_server import headers, message, post, serving

pytestmark = pytest.mark.anyio

ROUTES = ["/mcp", "/mcp/", "/healthz", "/readyz", "/", "/metrics", "/nowhere"]


async def test_an_unknown_host_is_rejected_on_every_route(url: str) -> None:
    assert await statuses(url, {"Host": "rebound.example"}) == dict.fromkeys(ROUTES, 421)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://["])
async def test_an_unknown_origin_is_rejected_on_every_route(url: str, origin: str) -> None:
    assert await statuses(url, {"Origin": origin}) == dict.fromkeys(ROUTES, 403)


async def test_the_names_of_this_machine_and_its_own_origin_are_allowed(url: str) -> None:
    hosts = ("127.0.0.1:80", "localhost:8080", "LOCALHOST", "[::1]:9", "[::1]")
    sent = [*({"Host": host} for host in hosts), {"Origin": url.removesuffix("/mcp")}]
    assert [(await post(url, sent=one)).status_code for one in sent] == [200] * 6


async def test_configured_hosts_and_origins_are_allowed_and_get_cors_headers() -> None:
    settings = Settings(
        sandbox=True,
        auth="own-key",
        http_hosts=("tools.example.com", "10.1.0.0/16"),
        http_origins=("https://app.example.com",),
        log_level="error",
    )
    sent = [
        {"Host": "tools.example.com"},
        {"Host": "tools.example.com", "Origin": "https://tools.example.com"},
        {"Host": "tools.example.com", "Origin": "https://app.example.com"},
        {"Host": "10.1.2.3:8080"},
        {"Host": "10.2.2.3:8080"},
        {"Host": "tools.example.com.evil.example"},
    ]
    async with serving(settings) as server:
        url = f"http://127.0.0.1:{server.listeners[0].getsockname()[1]}/mcp"
        key = {"X-PostHog-Api-Key": sandbox.FULL_KEY}
        responses = [await post(url, sent={**key, **one}) for one in sent]
        preflight_headers = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}
        async with httpx2.AsyncClient() as http:
            preflight = await http.options(url, headers={**preflight_headers, "Host": "tools.example.com"})
    assert [response.status_code for response in responses] == [200, 200, 200, 200, 421, 421]
    assert responses[2].headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert preflight.status_code == 200
    assert "Access-Control-Allow-Origin" not in responses[1].headers


async def test_other_methods_than_post_are_rejected(url: str) -> None:
    async with httpx2.AsyncClient(headers={"Accept": "text/event-stream"}) as http:
        responses = [await http.request(method, url) for method in ("GET", "HEAD", "DELETE", "PUT")]
    assert [(response.status_code, response.headers["Allow"]) for response in responses] == [(405, "POST")] * 4


async def test_a_body_that_is_too_large_gets_413(settings: Settings) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 1024

    small = settings._replace(http_max_body=4096)
    async with serving(small) as server, httpx2.AsyncClient() as http:
        declared = await http.post(server.url, content=b" " * 5000, headers=headers())
        try:
            streamed = (await http.post(server.url, content=endless(), headers=headers())).status_code
        except httpx2.TransportError:
            # The server closes the connection while the client still sends.
            streamed = 413
        after = await http.post(server.url, json=message(), headers=headers())
    assert (declared.status_code, streamed, after.status_code) == (413, 413, 200)


async def test_a_client_that_disconnects_within_its_body_causes_no_error(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with await anyio.connect_tcp("127.0.0.1", urlsplit(url).port or 0) as stream:
        await stream.send(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{")
    response = await post(url)
    assert response.status_code == 200
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_malformed_body_gets_a_4xx_status_and_the_server_goes_on(url: str) -> None:
    bodies = [b"", b"{", b"[]", b"null", b'{"jsonrpc":"2.0"}', b"\xff\xfe", b"[" * 100_000]
    async with httpx2.AsyncClient() as http:
        malformed = [
            (await http.post(url, content=body, headers={**headers(), "MCP-Protocol-Version": version})).status_code
            for version in ("2026-07-28", "2025-11-25")
            for body in bodies
        ]
        valid = await http.post(url, json=message(), headers=headers())
    assert all(400 <= status < 500 for status in malformed), malformed
    assert valid.status_code == 200


@pytest.mark.parametrize(
    ("header", "value"),
    [("Mcp-Method", "tools/list"), ("Mcp-Name", "users-list"), ("MCP-Protocol-Version", "1999-01-01")],
)
async def test_headers_that_contradict_the_body_are_rejected(url: str, header: str, value: str) -> None:
    response = await post(url, "tools/call", sent={header: value}, name="users-retrieve", arguments={})
    assert response.status_code == 400


async def statuses(url: str, sent: dict[str, str]) -> dict[str, int]:
    """Return the status of each route for a GET with these headers."""
    async with httpx2.AsyncClient(base_url=url.removesuffix("/mcp"), headers=sent) as http:
        return {path: (await http.get(path)).status_code for path in ROUTES}
