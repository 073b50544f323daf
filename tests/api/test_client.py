from __future__ import annotations

import gzip
import zlib

import httpx2
import pytest

from core13_mcp import __version__
from core13_mcp.api.client import MAX_RESPONSE_BYTES, APIClient, ResponseTooLarge
from core13_mcp.api.credentials import Credentials
from core13_mcp.api.exchange import APIRequest, APIResponse
from core13_mcp.api.session import APISession
from core13_mcp.errors import ConfigurationError
from core13_mcp.keys import SecretStr

from ..fake_api import KEY, ORIGIN, FakeAPI, api_client, reply

pytestmark = pytest.mark.anyio

READ = APIRequest(method="GET", path="/api/things/", query={"limit": 2, "on": True, "text": "a b&c=d"})
WRITE = APIRequest(method="POST", path="/api/things/", body={"name": "é"}, repeatable=False)
DELETE_ME = APIRequest(method="DELETE", path="/api/things/", auth="session")
ONLY_KEY = Credentials(SecretStr(KEY))
KEY_AND_SESSION = Credentials(SecretStr(KEY), SecretStr("session-id"), SecretStr("csrf-token"))


async def send(
    api: httpx2.AsyncBaseTransport, request: APIRequest = READ, credentials: Credentials = KEY_AND_SESSION
) -> APIResponse:
    async with api_client(api) as client:
        return await APISession(client, credentials, timeout=5).send(request)


async def sent(request: APIRequest, credentials: Credentials = KEY_AND_SESSION) -> httpx2.Request:
    """Return the HTTP request that the API receives."""
    api = FakeAPI(reply(200, {}))
    await send(api, request, credentials)
    return api.requests[0]


async def test_a_request_has_the_api_key_and_the_version_of_the_server() -> None:
    request = await sent(READ)
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["User-Agent"] == f"core13-mcp/{__version__}"
    assert request.headers["Accept"] == "application/json"
    assert str(request.url) == f"{ORIGIN}/api/things/?limit=2&on=true&text=a+b%26c%3Dd"


async def test_a_body_is_sent_as_json_in_utf_8() -> None:
    request = await sent(WRITE)
    assert (request.headers["Content-Type"], request.content) == ("application/json", '{"name":"é"}'.encode())


async def test_an_endpoint_for_login_sessions_gets_the_session_instead_of_the_key() -> None:
    request = await sent(DELETE_ME)
    assert request.headers["Cookie"] == "sessionid=session-id; posthog_csrftoken=csrf-token"
    assert (request.headers["X-CSRFToken"], request.headers["Referer"]) == ("csrf-token", f"{ORIGIN}/")
    assert "Authorization" not in request.headers


async def test_without_a_session_an_endpoint_for_login_sessions_gets_the_key() -> None:
    request = await sent(DELETE_ME, ONLY_KEY)
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert "Cookie" not in request.headers


async def test_a_cookie_of_a_response_is_not_sent_with_the_next_request() -> None:
    api = FakeAPI(reply(200, {}, Set_Cookie="sessionid=someone; Path=/"))
    async with api_client(api) as client:
        for _ in range(2):
            await APISession(client, ONLY_KEY, timeout=5).send(READ)
    assert "Cookie" not in api.requests[1].headers


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
async def test_a_read_only_client_sends_only_get_requests(method: str) -> None:
    api = FakeAPI(reply(200, {}))
    session = APISession(api_client(api, read_only=True), ONLY_KEY, timeout=5)
    with pytest.raises(ConfigurationError, match="read-only"):
        await session.send(APIRequest(method=method, path="/api/"))
    await session.send(READ)
    assert [request.method for request in api.requests] == ["GET"]


@pytest.mark.parametrize(
    ("encoding", "encode"), [("identity", lambda body: body), ("gzip", gzip.compress), ("deflate", zlib.compress)]
)
async def test_a_response_over_the_limit_is_an_error(encoding, encode) -> None:
    body = encode(b" " * (MAX_RESPONSE_BYTES + 1))
    with pytest.raises(ResponseTooLarge):
        await send(FakeAPI(reply(200, body, Content_Encoding=encoding)))


async def test_a_response_at_the_limit_is_read() -> None:
    body = gzip.compress(b" " * MAX_RESPONSE_BYTES)
    response = await send(FakeAPI(reply(200, body, Content_Encoding="gzip")))
    assert len(response.body) == MAX_RESPONSE_BYTES


async def test_a_wrongly_compressed_response_is_an_error() -> None:
    with pytest.raises(httpx2.RequestError):
        await send(FakeAPI(reply(200, b"not gzip", Content_Encoding="gzip")))


async def test_an_unused_client_closes_without_a_connection() -> None:
    async with APIClient(ORIGIN):
        pass


@pytest.mark.parametrize("path", ["@127.0.0.1:8098/x/", ".evil.example/x/", ":8443/x/", "x/"])
async def test_a_path_that_names_another_host_is_refused_before_it_gets_the_key(path: str) -> None:
    api = FakeAPI(reply(200, {}))
    with pytest.raises(ConfigurationError, match="names another host; nothing was sent"):
        await send(api, APIRequest(method="GET", path=path))
    assert api.requests == []
