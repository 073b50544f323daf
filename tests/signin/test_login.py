from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from core13_mcp.api.client import APIClient
from core13_mcp.api.failures import ConnectFailure
from core13_mcp.errors import ConfigurationError, Core13Error
from core13_mcp.signin.authorization_server import AuthorizationServer
from core13_mcp.signin.endpoints import POSTHOG_ENDPOINTS, Endpoints
from core13_mcp.signin.errors import ServerUnavailable, SignInFailed
from core13_mcp.signin.flow import Access, Authorization, is_callback
from core13_mcp.signin.listener import listen
from core13_mcp.signin.logout import NotRevoked, sign_out
from core13_mcp.signin.stored import Record

from ..fake_api import NO_DELAY, FakeAPI
from .world import ORIGIN, SCOPES, Person, World

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("paste", [False, True], ids=["the browser returns", "the address is pasted"])
async def test_a_sign_in_stores_who_signed_in_and_what_was_granted(world: World, paste: bool) -> None:
    person = Person(world, paste=paste)
    sign_in = await world.sign_in(person)
    assert sign_in.user == "ada@analytical.example"
    assert sign_in.tokens.granted.scopes == SCOPES and sign_in.tokens.granted.projects == {1, 2}
    assert world.store.read().sign_in == sign_in
    assert ["Signed in" in page for page in person.pages] == ([] if paste else [True])
    assert (await world.call(world.source()))["email"] == "ada@analytical.example"


async def test_the_request_has_pkce_a_state_and_a_redirect_address_of_this_machine(world: World) -> None:
    person = Person(world)
    await world.sign_in(person, access=Access(frozenset({"user:read"}), project=2))
    query = {name: value for name, [value] in parse_qs(urlsplit(person.urls[0]).query).items()}
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/callback", query["redirect_uri"])
    assert query["code_challenge_method"] == "S256" and len(query["state"]) >= 32
    assert (query["scope"], query["team_id"]) == ("user:read", "2")


async def test_an_installation_registers_once_and_without_scopes(world: World) -> None:
    await world.sign_in()
    await world.sign_in()
    assert world.requests.count("POST /oauth/register/") == 1


async def test_the_person_may_grant_less(world: World) -> None:
    sign_in = await world.sign_in(Person(world, scope=["user:read"], project=["1"]))
    assert sign_in.tokens.granted.scopes == {"user:read"} and sign_in.tokens.granted.projects == {1}


FAILURES = [
    ("status=404; path=well-known", "offers no sign-in. Use a personal API key"),
    ("html; path=well-known", "offers no sign-in. Use a personal API key"),
    (
        "error=oauth-not-set-up; times=3; path=register",
        "sign-in is not set up .* OIDC_RSA_PRIVATE_KEY. Use a personal API key",
    ),
    ("status=429; retry-after=90; path=register", "no more registrations .* Try again in 90 seconds"),
    ("error=oauth-client-name; times=2; path=register", r"registers no clients \(status 400\)"),
    ("status=403; path=register", r"registers no clients \(status 403\)"),
    ("redirect-error=access_denied; path=authorize", "you declined in the browser; nothing was stored"),
    ("redirect-error=invalid_scope; path=authorize", "does not grant these scopes: .*user:read.* --read-only"),
    ("wrong-state; method=POST; path=authorize", "belongs to another sign-in. Nothing was stored; start again"),
    ("error=oauth-invalid-grant; path=token", r"did not accept the code \(invalid_grant\): it was used before"),
    (
        "error=oauth-unavailable; times=3; path=token",
        "responded with status 503. Nothing was stored; start again later",
    ),
    ("status=405; times=3; path=token", "responded with status 405. Nothing was stored; start again later"),
    ("status=503; times=3; path=well-known", "responded with status 503; try again later"),
    ("status=503; times=3; path=register", "responded with status 503; try again later"),
    ("reset; times=3; path=well-known", "cannot be reached; check the host, the network and the proxy"),
]


@pytest.mark.parametrize(("fault", "message"), FAILURES)
async def test_every_failure_says_what_to_do_and_stores_nothing(world: World, fault: str, message: str) -> None:
    world.faults(fault)
    person = Person(world)
    with pytest.raises((SignInFailed, ServerUnavailable), match=message):
        await world.sign_in(person)
    assert world.store.read().sign_in is None
    assert all(
        re.search("<h1>Not signed in</h1><p>[A-Z].* Return to your terminal.</p>", page) for page in person.pages
    )


@pytest.mark.parametrize("fault", ["error=oauth-unavailable; times=2; path=token", "status=405; path=token"])
async def test_a_short_failure_of_the_token_endpoint_is_not_noticed(world: World, fault: str) -> None:
    world.faults(fault)
    assert (await world.sign_in()).user


async def test_a_refused_name_is_replaced_by_one_without_the_host_name(world: World, monkeypatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "official-host")
    assert (await world.sign_in()).user
    assert world.requests.count("POST /oauth/register/") == 2


async def test_a_deleted_client_is_registered_again_once(world: World) -> None:
    world.faults("error=oauth-invalid-client; path=token")
    person = Person(world)
    assert (await world.sign_in(person)).user
    assert world.requests.count("POST /oauth/register/") == 2 and "registers anew" in person.pages[0]


async def test_without_an_answer_the_next_sign_in_registers_anew(world: World) -> None:
    await world.sign_in()
    await world.control("clients/delete")
    person = Person(world)
    with pytest.raises(
        SignInFailed, match=rf"no answer .* your account is at {ORIGIN}, and run `core13-mcp login --host"
    ):
        await world.sign_in(person, wait=0.3)
    assert (await world.sign_in()).user


async def test_the_sign_in_of_another_person_is_revoked(world: World) -> None:
    first = await world.sign_in()
    world.store.write(Record(ORIGIN, first.client_id, POSTHOG_ENDPOINTS, replace(first, user="bob@b.example")))
    await world.sign_in()
    assert "POST /oauth/revoke/" in world.requests
    world.requests.clear()
    await world.sign_in()
    assert "POST /oauth/revoke/" not in world.requests


async def test_a_failed_revocation_of_another_person_does_not_fail_the_sign_in(world: World) -> None:
    first = await world.sign_in()
    world.store.write(Record(ORIGIN, first.client_id, POSTHOG_ENDPOINTS, replace(first, user="bob@b.example")))
    world.faults("status=500; times=3; path=revoke")
    assert (await world.sign_in()).user == "ada@analytical.example"


@pytest.mark.parametrize("fault", ["status=403; path=users", "reset; times=9; path=users"])
async def test_a_sign_in_succeeds_although_posthog_does_not_say_who_signed_in(world: World, fault: str) -> None:
    world.faults(fault)
    assert (await world.sign_in()).user in ("", "ada@analytical.example")
    assert world.store.read().sign_in


async def test_a_sign_in_that_cannot_be_stored_is_reported_in_the_browser_too(world: World) -> None:
    def open_directory(url: str) -> str:
        world.store.path.parent.chmod(0o750)
        return url

    person = Person(world, change=open_directory)
    with pytest.raises(ConfigurationError, match="other users can use"):
        await world.sign_in(person)
    assert "<h1>Not signed in</h1><p>Other users can use " in person.pages[0]


async def test_text_from_the_server_is_escaped_on_the_page(world: World) -> None:
    address = "{}?error=%3Cscript%3Ealert(1)%3C/script%3E%1b[2J&error_description=long{}"
    person = Person(world, change=lambda url: address.format(url.partition("?")[0], "x" * 500))
    with pytest.raises(SignInFailed) as caught:
        await world.sign_in(person)
    assert "<script>" not in person.pages[0] and "&lt;script&gt;" in person.pages[0]
    assert len(str(caught.value)) < 400 and "\x1b" not in str(caught.value)


@pytest.mark.parametrize("query", ["", "state=", "code=abc", "state=other&code=abc"])
def test_an_answer_without_the_state_of_the_request_is_refused(query: str) -> None:
    with pytest.raises(SignInFailed, match="another sign-in"):
        Authorization("client", "http://127.0.0.1:1/callback", Access(SCOPES)).read_answer(query)


def test_an_answer_without_a_code_is_refused() -> None:
    authorization = Authorization("client", "http://127.0.0.1:1/callback", Access(SCOPES))
    with pytest.raises(SignInFailed, match="no code"):
        authorization.read_answer(f"state={authorization.state}")
    assert authorization.state not in repr(authorization) and authorization.verifier not in repr(authorization)


def test_only_an_address_of_the_callback_counts() -> None:
    assert is_callback("http://127.0.0.1:1/callback?code=1") and not is_callback("http://127.0.0.1:1/other")
    assert not is_callback("http://[::1/callback")


async def test_the_listener_accepts_only_one_get_of_the_callback() -> None:
    async with listen(0) as callback, httpx2.AsyncClient(trust_env=False) as http:
        origin = callback.redirect_uri.removesuffix("/callback")
        for method, path in (
            ("POST", "/callback?code=1"),
            ("GET", "/"),
            ("GET", "/callback/x"),
            ("GET", "/callbac%6B?a=1"),
        ):
            assert (await http.request(method, origin + path)).status_code == 404
        _, writer = await asyncio.open_connection("127.0.0.1", int(origin.rpartition(":")[2]))
        writer.write(b"GET /callback?code=incomplete HTTP/1.1\r\n")
        writer.close()
        tasks = asyncio.create_task(http.get(callback.redirect_uri + "?code=1"))
        assert await callback.query() == "code=1"
        with pytest.raises(httpx2.ConnectError):
            await httpx2.AsyncClient(trust_env=False).get(callback.redirect_uri)
        await callback.respond("<b>", "text")
        response = await tasks
        assert response.status_code == 200 and "&lt;b&gt;" in response.text
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]


async def test_a_port_in_use_is_an_error_that_names_the_flag() -> None:
    message = r"^port \d+ of 127.0.0.1 cannot be used: Address already in use. Leave --port out"
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(ConfigurationError, match=message):
        async with listen(other.getsockname()[1]):
            pass


def test_endpoints_have_the_origin_of_the_host() -> None:
    urls = {"token_endpoint": "https://evil.example/t", "authorization_endpoint": f"{ORIGIN}.evil.example/oauth",
            "registration_endpoint": f"{ORIGIN}/own/register", "revocation_endpoint": f"{ORIGIN}//evil.example/"}  # fmt: skip
    assert Endpoints.discovered(urls, ORIGIN) == Endpoints(registration="/own/register")


async def test_logout_revokes_and_deletes_and_keeps_the_client(world: World) -> None:
    sign_in = await world.sign_in()
    async with world.client() as client:
        assert await sign_out(world.store, client) == sign_in
        assert await sign_out(world.store, client) is None
    record = world.store.read()
    assert record.sign_in is None and record.client_id == sign_in.client_id
    assert sign_in.tokens.access_token.get_secret_value() not in world.store.path.read_text()
    with pytest.raises(ConfigurationError, match="no PostHog key and no sign-in"):
        await world.call(world.source())


async def test_logout_deletes_the_tokens_although_the_revocation_fails(world: World) -> None:
    await world.sign_in()
    world.faults("status=500; times=3; path=revoke")
    async with world.client() as client:
        with pytest.raises(NotRevoked, match="status 500"):
            await sign_out(world.store, client)
    assert world.store.read().sign_in is None


def test_a_sign_in_error_is_an_error_of_this_package(directory: Path) -> None:
    assert issubclass(SignInFailed, Core13Error) and issubclass(ServerUnavailable, Core13Error)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (httpx2.ReadTimeout("late"), f"{ORIGIN} did not answer in time"),
        (ConnectFailure("tls", "the certificate is not valid", "check the clock"), "is not valid; check the clock"),
    ],
)
async def test_a_network_problem_is_explained(error: httpx2.RequestError, message: str) -> None:
    def fail(_: httpx2.Request) -> httpx2.Response:
        raise error

    async with APIClient(ORIGIN, transport=FakeAPI(fail), retry_policy=NO_DELAY) as client:
        with pytest.raises(ServerUnavailable, match=message):
            await AuthorizationServer(client).discover()
