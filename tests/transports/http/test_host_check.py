"""What a request may carry before anyone looks at who sent it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest

from core13_mcp.settings import Settings

from .http_server import headers, message, post, serving

pytestmark = pytest.mark.anyio

ROUTES = ["/mcp", "/mcp/", "/healthz", "/readyz", "/", "/metrics", "/nowhere"]


async def test_another_name_in_the_host_header_is_refused_everywhere(url: str) -> None:
    assert await _statuses(url, {"Host": "rebound.example"}) == dict.fromkeys(ROUTES, 421)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://["])
async def test_a_page_of_another_origin_is_refused_everywhere(url: str, origin: str) -> None:
    assert await _statuses(url, {"Origin": origin}) == dict.fromkeys(ROUTES, 403)


async def test_this_machine_is_known_by_its_own_names(url: str) -> None:
    names = ("127.0.0.1:80", "localhost:8080", "LOCALHOST", "[::1]:9", "[::1]")
    with anyio.fail_after(20):
        answers = [await post(url, sent={"Host": name}) for name in names]
    assert [answer.status_code for answer in answers] == [200] * len(names)


async def test_its_own_origin_may_call(url: str) -> None:
    with anyio.fail_after(20):
        answer = await post(url, sent={"Origin": url.removesuffix("/mcp")})
    assert answer.status_code == 200


async def test_what_is_allowed_by_name_may_call_and_its_pages_may_read_the_answer() -> None:
    settings = Settings(
        sandbox=True,
        http_hosts=("tools.example.com", "10.1.0.0/16"),
        http_origins=("https://app.example.com",),
        log_level="error",
    )
    said = [
        {"Host": "tools.example.com"},
        {"Host": "tools.example.com", "Origin": "https://tools.example.com"},
        {"Host": "tools.example.com", "Origin": "https://app.example.com"},
        {"Host": "10.1.2.3:8080"},
        {"Host": "10.2.2.3:8080"},
        {"Host": "tools.example.com.evil.example"},
    ]
    with anyio.fail_after(20):
        async with serving(settings) as served:
            at = f"http://127.0.0.1:{served.listener.getsockname()[1]}/mcp"
            answers = [await post(at, sent=one) for one in said]
            before = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}
            async with httpx2.AsyncClient() as http:
                preflight = await http.options(at, headers={**before, "Host": "tools.example.com"})
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 421, 421]
    assert answers[2].headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert preflight.status_code == 200
    assert "Access-Control-Allow-Origin" not in answers[1].headers


async def test_only_post_reaches_the_protocol(url: str) -> None:
    with anyio.fail_after(20):
        async with httpx2.AsyncClient(headers={"Accept": "text/event-stream"}) as http:
            answers = [await http.request(method, url) for method in ("GET", "HEAD", "DELETE", "PUT")]
    assert [(answer.status_code, answer.headers["Allow"]) for answer in answers] == [(405, "POST")] * 4


async def test_a_body_that_is_too_long_is_refused_without_being_kept(settings: Settings) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 1024

    small = settings.model_copy(update={"http_max_body": 4096})
    with anyio.fail_after(20):
        async with serving(small) as served, httpx2.AsyncClient() as http:
            declared = await http.post(served.url, content=b" " * 5000, headers=headers())
            try:
                streamed = (await http.post(served.url, content=endless(), headers=headers())).status_code
            except httpx2.TransportError:
                streamed = 413  # the connection was closed on a client that would not stop
            after = await http.post(served.url, json=message(), headers=headers())
    assert (declared.status_code, streamed, after.status_code) == (413, 413, 200)


async def test_a_client_that_leaves_in_the_middle_of_its_body_breaks_nothing(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with anyio.fail_after(20):
        async with await anyio.connect_tcp("127.0.0.1", urlsplit(url).port or 0) as stream:
            await stream.send(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{")
        answer = await post(url)
    assert answer.status_code == 200
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_what_is_not_a_request_is_refused_and_the_server_goes_on(url: str) -> None:
    bodies = [b"", b"{", b"[]", b"null", b'{"jsonrpc":"2.0"}', b"\xff\xfe", b"[" * 100_000]
    with anyio.fail_after(20):
        async with httpx2.AsyncClient() as http:
            wrong = [
                (await http.post(url, content=body, headers={**headers(), "MCP-Protocol-Version": version})).status_code
                for version in ("2026-07-28", "2025-11-25")
                for body in bodies
            ]
            right = await http.post(url, json=message(), headers=headers())
    assert all(400 <= status < 500 for status in wrong), wrong
    assert right.status_code == 200


@pytest.mark.parametrize(
    ("header", "value"),
    [("Mcp-Method", "tools/list"), ("Mcp-Name", "users-list"), ("MCP-Protocol-Version", "1999-01-01")],
)
async def test_headers_that_contradict_the_body_are_refused(url: str, header: str, value: str) -> None:
    with anyio.fail_after(20):
        answer = await post(url, "tools/call", sent={header: value}, name="users-retrieve", arguments={})
    assert answer.status_code == 400


async def _statuses(url: str, said: dict[str, str]) -> dict[str, int]:
    """What each route answers."""
    with anyio.fail_after(20):
        async with httpx2.AsyncClient(base_url=url.removesuffix("/mcp"), headers=said) as http:
            return {path: (await http.get(path)).status_code for path in ROUTES}
