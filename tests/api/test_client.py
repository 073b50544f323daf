from __future__ import annotations

import asyncio
import gzip
import ssl
import zlib
from collections.abc import Callable
from importlib.metadata import version

import anyio
import httpx2
import pytest
from pydantic import SecretStr

from core13_mcp.api.client import MAX_RESPONSE_BYTES, APIClient, ResponseTooLarge
from core13_mcp.api.credentials import Credentials
from core13_mcp.api.exchange import APIRequest, CallState
from core13_mcp.errors import ConfigurationError

from ..fake_api import KEY, ORIGIN, FakeAPI, api_client, fail_with, reply

pytestmark = pytest.mark.anyio

READ = APIRequest(method="GET", path="/api/things/", query={"limit": 2, "on": True, "text": "a b&c=d"})
WRITE = APIRequest(method="POST", path="/api/things/", body={"name": "é"}, repeatable=False)
SESSION = Credentials(SecretStr(KEY), SecretStr("session-id"), SecretStr("csrf-token"))


async def sent(request: APIRequest, credentials: Credentials = SESSION) -> httpx2.Request:
    api = FakeAPI(reply(200, {}))
    async with api_client(api) as reached:
        await reached.send(request, credentials, CallState(5))
    return api.requests[0]


async def test_a_request_carries_the_key_and_says_who_asks():
    request = await sent(READ)
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["User-Agent"] == f"core13-mcp/{version('core13-mcp')}"
    assert request.headers["Accept"] == "application/json"
    assert str(request.url) == f"{ORIGIN}/api/things/?limit=2&on=true&text=a%20b%26c%3Dd".replace("%20", "+")


async def test_a_body_is_json_in_utf_8():
    request = await sent(WRITE)
    assert (request.headers["Content-Type"], request.content) == ("application/json", '{"name":"é"}'.encode())


async def test_an_endpoint_for_sessions_gets_the_session_and_not_the_key():
    request = await sent(APIRequest(method="DELETE", path="/api/things/", auth="session"))
    assert request.headers["Cookie"] == "sessionid=session-id; posthog_csrftoken=csrf-token"
    assert (request.headers["X-CSRFToken"], request.headers["Referer"]) == ("csrf-token", f"{ORIGIN}/")
    assert "Authorization" not in request.headers


async def test_without_a_session_such_an_endpoint_gets_the_key():
    request = await sent(APIRequest(method="DELETE", path="/api/things/", auth="session"), Credentials(SecretStr(KEY)))
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert "Cookie" not in request.headers


async def test_a_cookie_that_the_api_sets_does_not_travel_with_the_next_call():
    api = FakeAPI(reply(200, {}, Set_Cookie="sessionid=someone; Path=/"))
    async with api_client(api) as reached:
        for _ in range(2):
            await reached.send(READ, Credentials(SecretStr(KEY)), CallState(5))
    assert "Cookie" not in api.requests[1].headers


async def test_a_redirect_is_an_answer_and_not_followed():
    api = FakeAPI(reply(302, None, Location="https://elsewhere.example/"))
    assert (await api_client(api).send(READ, SESSION, CallState(5))).status == 302
    assert len(api.requests) == 1


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
async def test_a_read_only_server_sends_nothing_but_reads(method):
    api = FakeAPI(reply(200, {}))
    with pytest.raises(ConfigurationError, match="read-only"):
        await api_client(api, read_only=True).send(APIRequest(method=method, path="/api/"), SESSION, CallState(5))
    await api_client(api, read_only=True).send(READ, SESSION, CallState(5))
    assert [request.method for request in api.requests] == ["GET"]


@pytest.mark.parametrize(
    ("packing", "pack"), [("identity", lambda body: body), ("gzip", gzip.compress), ("deflate", zlib.compress)]
)
async def test_an_answer_larger_than_any_is_not_read_to_its_end(packing, pack):
    api = FakeAPI(reply(200, pack(b" " * (MAX_RESPONSE_BYTES + 1)), Content_Encoding=packing))
    with pytest.raises(ResponseTooLarge):
        await api_client(api).send(READ, SESSION, CallState(5))


async def test_an_answer_as_large_as_allowed_is_read():
    api = FakeAPI(reply(200, gzip.compress(b" " * MAX_RESPONSE_BYTES), Content_Encoding="gzip"))
    assert len((await api_client(api).send(READ, SESSION, CallState(5))).body) == MAX_RESPONSE_BYTES


async def test_an_answer_wrongly_packed_is_an_error_of_the_request():
    with pytest.raises(httpx2.RequestError):
        await api_client(FakeAPI(reply(200, b"not gzip", Content_Encoding="gzip"))).send(READ, SESSION, CallState(5))


class Hanging(httpx2.AsyncBaseTransport):
    """Takes a request and never answers."""

    def __init__(self) -> None:
        self.taken = anyio.Event()
        self.dropped = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.taken.set()
        try:
            await anyio.sleep_forever()
        finally:
            self.dropped = True
        raise AssertionError


@pytest.mark.parametrize("spent", [0, 29.99, 30, 31])
async def test_one_deadline_holds_for_all_requests_of_a_call(spent):
    exchange = CallState(30 if spent else 0.01, spent=spent)
    # What is sent at the last moment would be acted on with nobody left to hear the answer.
    with anyio.fail_after(5), pytest.raises(httpx2.PoolTimeout if spent else httpx2.ReadTimeout):
        await api_client(Hanging()).send(READ, SESSION, exchange)
    assert exchange.left <= 0.01


async def test_a_cancelled_call_drops_its_request():
    api = Hanging()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(api_client(api).send, READ, SESSION, CallState(500))
            await api.taken.wait()
            tasks.cancel_scope.cancel()
    assert api.dropped


async def test_closing_what_was_never_used_is_nothing():
    async with APIClient(ORIGIN):
        pass


async def test_a_real_connection_tells_whether_the_request_has_left():
    # Nothing listens: the connection is refused, and a write was surely never sent.
    exchange = CallState(0.2)
    async with APIClient("http://127.0.0.1:9") as reached:
        with pytest.raises((httpx2.ConnectError, httpx2.PoolTimeout)):
            await reached.send(WRITE, SESSION, exchange)
    assert not exchange.in_flight


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def said(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return said


@pytest.mark.parametrize("request_", [READ, WRITE], ids=["read", "write"])
async def test_a_proxy_that_breaks_off_before_it_is_connected_leaves_nothing_sent(proxied, request_):
    async def leaving(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(leaving, "127.0.0.1", 0) as proxy:
        proxied(HTTPS_PROXY=f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
        exchange = CallState(5, patient=False)
        async with APIClient("https://us.posthog.com") as reached:
            with pytest.raises(httpx2.ConnectError):
                await reached.send(request_, SESSION, exchange)
    assert not exchange.in_flight


async def test_tls_that_a_proxy_lets_break_is_a_read_that_failed():
    def broken(request: httpx2.Request) -> httpx2.Response:
        raise ssl.SSLError("alert")

    async with api_client(FakeAPI(broken)) as reached:
        with pytest.raises(httpx2.ReadError):
            await reached.send(WRITE, SESSION, CallState(5))


async def test_the_status_of_an_earlier_answer_is_not_told_of_a_request_that_got_none():
    exchange = CallState(5, patient=False)
    async with api_client(FakeAPI(reply(200, {}), fail_with(httpx2.ReadError))) as reached:
        await reached.send(READ, SESSION, exchange)
        assert exchange.status == 200
        with pytest.raises(httpx2.ReadError):
            await reached.send(WRITE, SESSION, exchange)
    assert exchange.status is None
