"""Who may call, and whose key goes upstream."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import anyio
import pytest
from mcp import MCPError
from starlette.types import Scope

from core13_mcp import sandbox
from core13_mcp.settings import Settings
from core13_mcp.transports.http.address import allowed_hosts

from ....asgi import listening
from ..http_server import ERAS, Stub, client, post, serving

pytestmark = pytest.mark.anyio

ANNA, BEN = "anna-" + "a" * 40, "ben-" + "b" * 40
OWN_KEY = Settings(sandbox=True, auth="own-key", log_level="error")


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    """A file with two callers."""
    file = tmp_path / "tokens"
    file.write_text(f"# who may call\nanna: {ANNA}\n\nben={BEN}\n")
    return file


def by_token(tokens: Path) -> Settings:
    return Settings(sandbox=True, auth="token", caller_tokens_file=str(tokens), log_level="error")


@pytest.mark.parametrize("era", ERAS)
async def test_a_caller_with_a_token_uses_the_servers_key(tokens: Path, era: str) -> None:
    with anyio.fail_after(20):
        said = {"Authorization": f"Bearer {BEN}"}
        async with serving(by_token(tokens)) as served, client(served.url, era, said) as mcp:
            result = await mcp.call_tool("users-retrieve", {})
    assert not result.is_error


@pytest.mark.parametrize(
    "said",
    [{}, {"Authorization": "Bearer " + "c" * 40}, {"Authorization": f"Basic {ANNA}"}, {"Authorization": "Bearer"}],
)
async def test_without_a_known_token_nothing_is_served(tokens: Path, said: dict[str, str]) -> None:
    with anyio.fail_after(20):
        async with serving(by_token(tokens)) as served:
            answer = await post(served.url, sent=said)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "Ask whoever runs this server" in answer.json()["error"]["message"]


async def test_the_sdks_client_is_told_why_it_is_turned_away(tokens: Path) -> None:
    with anyio.fail_after(20):
        async with serving(by_token(tokens)) as served:
            with pytest.RaisesGroup(pytest.RaisesExc(MCPError, match="Ask whoever runs this"), flatten_subgroups=True):
                async with client(served.url, "legacy"):
                    pass


async def test_a_token_taken_out_of_the_file_is_refused_at_once(tokens: Path) -> None:
    known = {"Authorization": f"Bearer {ANNA}"}
    with anyio.fail_after(20):
        async with serving(by_token(tokens)) as served:
            before = await post(served.url, sent=known)
            tokens.write_text(f"ben: {BEN}\n")
            after = await post(served.url, sent=known)
    assert (before.status_code, after.status_code) == (200, 401)


async def test_a_tokens_file_that_is_gone_lets_nobody_in(tokens: Path) -> None:
    with anyio.fail_after(20):
        async with serving(by_token(tokens)) as served:
            os.remove(tokens)
            answer = await post(served.url, sent={"Authorization": f"Bearer {ANNA}"})
    assert answer.status_code == 503
    assert str(tokens) not in answer.text


async def test_a_callers_token_is_not_sent_upstream(tokens: Path, tmp_path: Path) -> None:
    stub, key = Stub(), tmp_path / "key"
    stub.slow = never
    key.write_text("phx_theServersOwnKey")
    with anyio.fail_after(20):
        async with listening(stub) as origin:
            settings = Settings(
                host=origin,
                personal_api_key_file=str(key),
                auth="token",
                caller_tokens_file=str(tokens),
                log_level="error",
            )
            async with serving(settings) as served:
                await post(served.url, "tools/call", sent={"Authorization": f"Bearer {ANNA}"}, name="users-retrieve")
    assert [heard["authorization"] for heard in stub.heard] == ["Bearer phx_theServersOwnKey"]
    assert ANNA not in str(stub.heard)


async def test_a_key_that_is_gone_from_the_server_is_told_without_its_place(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("phx_theServersOwnKey")
    with anyio.fail_after(20):
        async with serving(Settings(personal_api_key_file=str(key), log_level="error")) as served:
            key.unlink()
            answer = await post(served.url)
    assert answer.status_code == 503
    assert "cannot read its PostHog key" in answer.json()["error"]["message"]
    assert str(tmp_path) not in answer.text


async def test_why_nobody_is_let_in_is_logged_for_whoever_runs_the_server(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = tmp_path / "key"
    key.write_text("phx_theServersOwnKey")
    with anyio.fail_after(20):
        async with serving(Settings(personal_api_key_file=str(key), log_level="error")) as served:
            logging.getLogger().addHandler(caplog.handler)  # which serving has taken off
            key.write_text("phc_aPublicProjectKey")
            await post(served.url)
    (told,) = [record for record in caplog.records if record.message == "turned away"]
    assert told.levelname == "ERROR"
    assert "a key that starts with phc_" in told.facts["why"]  # type: ignore[attr-defined]
    assert "aPublicProjectKey" not in told.facts["why"]  # type: ignore[attr-defined]


def test_this_machines_own_names_are_always_answered_to() -> None:
    assert {"127.0.0.1", "tools.example.com"} <= set(allowed_hosts(Settings(http_url="https://tools.example.com")))


@pytest.mark.parametrize("era", ERAS)
async def test_each_caller_acts_with_the_key_that_it_brings(era: str) -> None:
    emails = {}
    with anyio.fail_after(20):
        async with serving(OWN_KEY) as served:
            for key in (sandbox.FULL_KEY, sandbox.FREE_KEY):
                async with client(served.url, era, {"X-PostHog-Api-Key": key}) as mcp:
                    result = await mcp.call_tool("users-retrieve", {})
                assert result.structured_content is not None
                emails[key] = result.structured_content["email"]
    assert emails == {sandbox.FULL_KEY: "ada@analytical.example", sandbox.FREE_KEY: "linus@hobby.example"}


async def test_callers_at_the_same_time_are_not_mixed_up() -> None:
    keys = [sandbox.FULL_KEY, sandbox.FREE_KEY, sandbox.STAFF_KEY] * 4
    seen: list[tuple[str, str]] = []

    async def ask(url: str, key: str) -> None:
        answer = await post(url, "tools/call", sent={"X-PostHog-Api-Key": key}, name="users-retrieve")
        seen.append((key, answer.json()["result"]["structuredContent"]["email"]))

    with anyio.fail_after(20):
        async with serving(OWN_KEY) as served, anyio.create_task_group() as tasks:
            for key in keys:
                tasks.start_soon(ask, served.url, key)
    assert len(seen) == len(keys)
    assert len(set(seen)) == 3


@pytest.mark.parametrize("key", ["", "phc_sandboxProjectOne", "phr_refresh", "spaced key"])
async def test_a_key_that_cannot_work_is_refused_before_anything_is_asked(key: str) -> None:
    with anyio.fail_after(20):
        async with serving(OWN_KEY) as served:
            answer = await post(served.url, sent={"X-PostHog-Api-Key": key})
    assert answer.status_code == 401
    assert "X-PostHog-Api-Key" in answer.json()["error"]["message"]


async def test_a_bearer_key_is_taken_only_where_the_server_says_so() -> None:
    said = {"Authorization": f"Bearer {sandbox.FULL_KEY}"}
    with anyio.fail_after(20):
        async with serving(OWN_KEY) as strict, serving(OWN_KEY.model_copy(update={"http_bearer_keys": True})) as open_:
            answers = [await post(server.url, sent=said) for server in (strict, open_)]
    assert [answer.status_code for answer in answers] == [401, 200]


async def test_a_caller_chooses_its_project() -> None:
    said = {"X-PostHog-Api-Key": sandbox.OTHER_PROJECT_KEY}
    with anyio.fail_after(20):
        async with serving(OWN_KEY) as served:
            without, within = [
                (await post(served.url, "tools/call", sent={**said, **more}, name="subscriptions-list")).json()[
                    "result"
                ]
                for more in ({}, {"X-PostHog-Project-Id": "2"})
            ]
    assert without["isError"]
    assert not within.get("isError")


@pytest.mark.parametrize("number", ["0", "-1", "one", "1.5", "9" * 30])
async def test_a_project_that_is_no_number_is_refused(number: str) -> None:
    said = {"X-PostHog-Api-Key": sandbox.FULL_KEY, "X-PostHog-Project-Id": number}
    with anyio.fail_after(20):
        async with serving(OWN_KEY) as served:
            answer = await post(served.url, sent=said)
    assert answer.status_code == 400


async def test_a_caller_chooses_among_the_hosts_that_are_allowed() -> None:
    here, there = Stub(), Stub()
    here.slow = there.slow = never
    with anyio.fail_after(20):
        async with listening(here) as one, listening(there) as two:
            settings = Settings(host=one, auth="own-key", http_posthog_hosts=(two,), log_level="error")
            async with serving(settings) as served:
                answers = [
                    await post(
                        served.url,
                        "tools/call",
                        sent={"X-PostHog-Api-Key": "phx_somebody", "X-PostHog-Host": host},
                        name="users-retrieve",
                    )
                    for host in (two, "https://elsewhere.example", "http://plain.example")
                ]
    assert [answer.status_code for answer in answers] == [200, 403, 400]
    assert (len(here.heard), len(there.heard)) == (0, 1)
    assert two in answers[1].json()["error"]["message"]


def never(_: Scope) -> bool:
    return False
