"""Authentication by token and by PostHog key, and the key that reaches PostHog."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import MCPError

from core13_mcp import sandbox
from core13_mcp.keys import HOW_TO_GET_A_KEY
from core13_mcp.settings import Settings

from ....asgi import listening
from ....clients import CLIENT_MODES
from ..http_server import StubAPI, call_user, client, fast, headers, message, post, serving

pytestmark = pytest.mark.anyio

ANNA, BEN = "anna-" + "a" * 40, "ben-" + "b" * 40
OWN_KEY = Settings(sandbox=True, auth="own-key", log_level="error")
SERVER_KEY = "phx_theServersOwnKey"


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    """A file with the tokens of two callers."""
    file = tmp_path / "tokens"
    file.write_text(f"# the team\nanna: {ANNA}\n\nben={BEN}\n")
    return file


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A file with the PostHog key of the server."""
    file = tmp_path / "key"
    file.write_text(SERVER_KEY)
    return file


def by_token(tokens: Path) -> Settings:
    return Settings(sandbox=True, auth="token", caller_tokens_file=str(tokens), log_level="error")


@pytest.mark.parametrize("mode", CLIENT_MODES)
async def test_a_caller_with_a_token_uses_the_key_of_the_server(tokens: Path, mode: str) -> None:
    sent = {"Authorization": f"Bearer {BEN}"}
    async with serving(by_token(tokens)) as server, client(server.url, mode, sent) as mcp:
        result = await mcp.call_tool("users-retrieve", {})
    assert not result.is_error


@pytest.mark.parametrize(
    "sent",
    [{}, {"Authorization": "Bearer " + "c" * 40}, {"Authorization": f"Basic {ANNA}"}, {"Authorization": "Bearer"}],
)
async def test_a_caller_without_a_known_token_gets_401(tokens: Path, sent: dict[str, str]) -> None:
    async with serving(by_token(tokens)) as server:
        response = await post(server.url, sent=sent)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert "Ask the operator of this server for a token." in response.json()["error"]["message"]


EXPECTED = "Send your PostHog personal API key in the header X-PostHog-Api-Key"
BEARER = "`Authorization: Bearer phx_...`"
ALLOW = f"The operator of this server can allow {BEARER} with --http-bearer-keys."


@pytest.mark.parametrize(
    ("accept_bearer", "sent", "message"),
    [
        (False, {}, f"The request has no key. {EXPECTED}."),
        (
            False,
            {"Authorization": f"Bearer {ANNA}"},
            f"The request has the header Authorization, which this server does not accept. {EXPECTED}. {ALLOW}",
        ),
        (True, {}, f"The request has no key. {EXPECTED}, or as {BEARER}."),
        (
            True,
            {"Authorization": f"Basic {ANNA}"},
            f"The Authorization header of the request is not `Bearer` with a key. {EXPECTED}, or as {BEARER}.",
        ),
        (
            True,
            {"Authorization": "Bearer <key>"},
            f"Authorization: <key> is a placeholder and not a key; {HOW_TO_GET_A_KEY}.",
        ),
    ],
)
async def test_the_401_for_a_missing_key_says_what_was_sent_and_what_is_expected(
    accept_bearer: bool, sent: dict[str, str], message: str
) -> None:
    settings = Settings(sandbox=True, auth="own-key", log_level="error", http_bearer_keys=accept_bearer)
    async with serving(settings) as server:
        response = await post(server.url, sent=sent)
    assert (response.status_code, response.json()["error"]["message"]) == (401, message)


@pytest.mark.parametrize("auth", ["token", "own-key", "oauth"])
async def test_a_401_names_the_authentication_of_the_server_for_programs(tokens: Path, auth: Any) -> None:
    file = str(tokens) if auth == "token" else None
    async with serving(Settings(sandbox=auth != "oauth", auth=auth, caller_tokens_file=file)) as server:
        response = await post(server.url)
    assert (response.status_code, response.json()["error"]["data"]) == (401, {"auth": auth})


async def test_the_sdks_client_shows_the_message_of_a_rejection(tokens: Path) -> None:
    async with serving(by_token(tokens)) as server:
        with pytest.RaisesGroup(pytest.RaisesExc(MCPError, match="Ask the operator"), flatten_subgroups=True):
            async with client(server.url, "legacy"):
                pass


async def test_a_token_that_is_removed_from_the_file_is_rejected_at_once(tokens: Path) -> None:
    sent = {"Authorization": f"Bearer {ANNA}"}
    async with serving(by_token(tokens)) as server:
        before = await post(server.url, sent=sent)
        tokens.write_text(f"ben: {BEN}\n")
        after = await post(server.url, sent=sent)
    assert (before.status_code, after.status_code) == (200, 401)


async def test_a_deleted_tokens_file_gets_503_without_its_path(tokens: Path) -> None:
    async with serving(by_token(tokens)) as server:
        os.remove(tokens)
        response = await post(server.url, sent={"Authorization": f"Bearer {ANNA}"})
    assert response.status_code == 503
    assert str(tokens) not in response.text


async def test_the_token_of_a_caller_is_not_sent_to_the_api(tokens: Path, key_file: Path) -> None:
    api = StubAPI(fast)
    async with listening(api) as origin:
        settings = by_token(tokens)._replace(sandbox=False, host=origin, personal_api_key_file=str(key_file))
        async with serving(settings) as server:
            await call_user(server.url, Authorization=f"Bearer {ANNA}")
    assert [request["authorization"] for request in api.requests] == [f"Bearer {SERVER_KEY}"]
    assert ANNA not in str(api.requests)


async def test_an_unusable_key_file_gets_503_and_the_log_has_the_cause_without_the_key(
    key_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(Settings(personal_api_key_file=str(key_file), log_level="error")) as server:
        # The start of the server removed pytest's handler.
        logging.getLogger().addHandler(caplog.handler)
        key_file.write_text("phc_aPublicProjectKey")
        response = await post(server.url)
    assert response.status_code == 503
    assert "cannot read its PostHog key" in response.json()["error"]["message"]
    assert str(key_file) not in response.text
    [record] = [record for record in caplog.records if record.message == "request rejected"]
    assert record.levelname == "ERROR"
    reason = record.__dict__["details"]["why"]
    assert "phc_" in reason and "aPublicProjectKey" not in reason


@pytest.mark.parametrize("mode", CLIENT_MODES)
async def test_each_caller_uses_its_own_key(mode: str) -> None:
    emails = {}
    async with serving(OWN_KEY) as server:
        for key in (sandbox.FULL_KEY, sandbox.FREE_KEY):
            async with client(server.url, mode, {"X-PostHog-Api-Key": key}) as mcp:
                result = await mcp.call_tool("users-retrieve", {})
            assert result.structured_content is not None
            emails[key] = result.structured_content["email"]
    assert emails == {sandbox.FULL_KEY: "ada@analytical.example", sandbox.FREE_KEY: "linus@hobby.example"}


async def test_concurrent_callers_get_their_own_results() -> None:
    keys = [sandbox.FULL_KEY, sandbox.FREE_KEY, sandbox.STAFF_KEY] * 4
    results: list[tuple[str, str]] = []

    async def call(url: str, key: str) -> None:
        response = await call_user(url, X_PostHog_Api_Key=key)
        results.append((key, response.json()["result"]["structuredContent"]["email"]))

    async with serving(OWN_KEY) as server, anyio.create_task_group() as tasks:
        for key in keys:
            tasks.start_soon(call, server.url, key)
    assert len(results) == len(keys)
    assert len(set(results)) == 3


@pytest.mark.parametrize("key", ["", "phc_sandboxProjectOne", "phr_refresh", "spaced key"])
async def test_an_unusable_key_gets_401(key: str) -> None:
    async with serving(OWN_KEY) as server:
        response = await post(server.url, sent={"X-PostHog-Api-Key": key})
    assert response.status_code == 401
    assert "X-PostHog-Api-Key" in response.json()["error"]["message"]


@pytest.mark.parametrize(("accepted", "status"), [(False, 401), (True, 200)])
async def test_a_key_as_bearer_token_needs_the_setting(accepted: bool, status: int) -> None:
    settings = OWN_KEY._replace(http_bearer_keys=accepted)
    async with serving(settings) as server:
        response = await post(server.url, sent={"Authorization": f"Bearer {sandbox.FULL_KEY}"})
    assert response.status_code == status


@pytest.mark.parametrize(("header", "is_error"), [({}, True), ({"X-PostHog-Project-Id": "2"}, False)])
async def test_a_caller_selects_its_project_in_a_header(header: dict[str, str], is_error: bool) -> None:
    sent = {"X-PostHog-Api-Key": sandbox.OTHER_PROJECT_KEY, **header}
    async with serving(OWN_KEY) as server:
        response = await post(server.url, "tools/call", sent=sent, name="subscriptions-list")
    assert response.json()["result"].get("isError", False) is is_error


@pytest.mark.parametrize("number", ["0", "-1", "one", "1.5", "9" * 30])
async def test_a_project_header_that_is_not_a_positive_number_gets_400(number: str) -> None:
    sent = {"X-PostHog-Api-Key": sandbox.FULL_KEY, "X-PostHog-Project-Id": number}
    async with serving(OWN_KEY) as server:
        response = await post(server.url, sent=sent)
    assert response.status_code == 400


async def test_a_caller_selects_one_of_the_allowed_hosts() -> None:
    default, other = StubAPI(fast), StubAPI(fast)
    async with listening(default) as first, listening(other) as second:
        settings = Settings(host=first, auth="own-key", http_posthog_hosts=(second,), log_level="error")
        async with serving(settings) as server:
            responses = [
                await call_user(server.url, X_PostHog_Api_Key="phx_somebody", X_PostHog_Host=host)
                for host in (second, "https://elsewhere.example", "http://plain.example")
            ]
    assert [response.status_code for response in responses] == [200, 403, 400]
    assert (len(default.requests), len(other.requests)) == (0, 1)
    assert second in responses[1].json()["error"]["message"]


@pytest.mark.parametrize(
    ("settings", "header"),
    [
        ({"auth": "token"}, "Authorization"),
        ({"auth": "own-key"}, "X-PostHog-Api-Key"),
        ({"auth": "own-key", "http_bearer_keys": True}, "Authorization"),
        ({"auth": "oauth", "sandbox": False}, "Authorization"),
    ],
    ids=["token", "own-key", "bearer", "oauth"],
)
@pytest.mark.parametrize("value", ["Bearer pha_\xe9\xff", "B\xe9arer pha_x"])
async def test_a_header_with_other_characters_than_ascii_gets_401(
    tokens: Path, settings: dict[str, Any], header: str, value: str
) -> None:
    file = str(tokens) if settings["auth"] == "token" else None
    all_settings = Settings(**{"sandbox": True, "log_level": "error", "caller_tokens_file": file, **settings})
    async with serving(all_settings) as server, httpx2.AsyncClient() as http:
        sent = [(name.encode(), text.encode()) for name, text in headers().items()]
        response = await http.post(
            server.url, json=message(), headers=[*sent, (header.encode(), value.encode("latin-1"))]
        )
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"]
