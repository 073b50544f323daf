"""`install --remote` asks the server which authentication it needs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core13_mcp.cli.commands import install as command
from core13_mcp.cli.parser import parse
from core13_mcp.errors import ConfigurationError
from core13_mcp.sandbox import FULL_KEY
from core13_mcp.settings import Settings, flag_values
from core13_mcp.setup import remote

from ..asgi import listening
from ..transports.http.http_server import serving

pytestmark = pytest.mark.anyio

TOKEN = "t" * 40
ENTRIES: dict[str, dict[str, Any]] = {
    "none": {},
    "token": {"headers": {"Authorization": "Bearer ${env:CORE13_TOKEN}"}},
    "own-key": {"headers": {"X-PostHog-Api-Key": "${env:POSTHOG_PERSONAL_API_KEY}"}},
    "oauth": {},
}


async def install(*arguments: str, **variables: str) -> int:
    parsed = parse(["install", *arguments])
    return await command.run(parsed, Settings.read(variables, flag_values(parsed)))


def entry(home: Path) -> Any:
    return json.loads((home / ".cursor/mcp.json").read_text())["mcpServers"]["core13-mcp"]


@pytest.fixture
def tokens(tmp_path: Path) -> str:
    (tmp_path / "tokens").write_text(f"anna: {TOKEN}\n")
    return str(tmp_path / "tokens")


@pytest.mark.parametrize("auth", ENTRIES)
async def test_the_entry_has_the_authentication_that_the_server_asks_for(auth: Any, home: Path, tokens: str) -> None:
    file = tokens if auth == "token" else None
    settings = Settings(sandbox=auth != "oauth", auth=auth, caller_tokens_file=file, log_level="error")
    async with serving(settings) as server:
        # A key in the shell is not sent, and not written for a server that does not ask for it.
        status = await install("cursor", "--remote", server.url, POSTHOG_PERSONAL_API_KEY=FULL_KEY)
    assert status == 0
    assert entry(home) == {"url": server.url, **ENTRIES[auth]}


async def test_the_entry_is_used_once_with_the_variables_of_this_shell(
    home: Path, tokens: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(sandbox=True, auth="token", caller_tokens_file=tokens, log_level="error")
    async with serving(settings) as server:
        statuses = [await install("cursor", "--remote", server.url)]
        for token in (TOKEN, "x" * 40):
            monkeypatch.setenv("CORE13_TOKEN", token)
            statuses.append(await install("cursor", "--remote", server.url))
    assert statuses == [0, 0, 1]
    checks = [line for line in capsys.readouterr().out.splitlines() if "check:" in line]
    assert checks[0] == "  check: not called, because ${env:CORE13_TOKEN} is not set here"
    assert checks[1].startswith("  check: answers; core13-mcp ")
    assert "failed" in checks[2] and "This server does not know this token." in checks[2]


async def test_a_client_without_variables_gets_the_token_in_its_file(home: Path, tokens: str) -> None:
    settings = Settings(sandbox=True, auth="token", caller_tokens_file=tokens, log_level="error")
    async with serving(settings) as server:
        await install("zed", "--no-check", "--remote", server.url, CORE13_TOKEN=TOKEN)
        with pytest.raises(
            ConfigurationError,
            match="no token is set; set CORE13_TOKEN for this command; if you do not have it, ask the admin",
        ):
            await install("cline", "--no-check", "--remote", server.url)
    content = json.loads((home / ".config/zed/settings.json").read_text())
    assert content["context_servers"]["core13-mcp"]["headers"] == {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize("client", ["cursor", "cline"])
async def test_advice_about_a_key_for_a_remote_server_names_nothing_that_it_ignores(
    client: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--remote", "https://a.example/mcp", "--remote-auth", "own-key", "--no-check")
    try:
        await install(client, *arguments)
    except ConfigurationError as error:
        advice = str(error)
    else:
        advice = capsys.readouterr().out
    assert "create a personal API key" in advice and "login" not in advice and "--personal" not in advice


@asynccontextmanager
async def answering(status: int, body: str, **headers: str) -> AsyncIterator[str]:
    async def respond(_: Request) -> Response:
        return Response(body, status, headers)

    async with listening(Starlette(routes=[Route("/mcp", respond, methods=["POST"])])) as origin:
        yield f"{origin}/mcp"


@pytest.mark.parametrize(
    ("status", "body", "headers", "auth"),
    [
        (401, "", {"WWW-Authenticate": 'Bearer resource_metadata="https://x.example/r"'}, "oauth"),
        (401, '{"error": {"data": {"auth": "new"}}}', {"WWW-Authenticate": "Bearer"}, None),
        (401, '{"error": {"data": {"auth": 1}}}', {}, None),
        (401, "[]", {}, None),
        (200, "<html>", {}, None),
        (200, "x" * 100_000, {}, None),
        (404, "", {}, None),
        (302, "", {"Location": "https://elsewhere.example/mcp"}, None),
    ],
)
async def test_an_answer_that_does_not_show_the_authentication_is_an_error(
    status: int, body: str, headers: dict[str, str], auth: str | None
) -> None:
    async with answering(status, body, **headers) as url:
        if auth:
            assert await remote.required_auth(url) == auth
            return
        with pytest.raises(ConfigurationError, match=f"answered with status {status}.*--remote-auth: own-key, token"):
            await remote.required_auth(url)


async def test_a_server_that_cannot_be_asked_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="does not accept connections"):
        await remote.required_auth("http://127.0.0.1:9/mcp")
    monkeypatch.setattr(remote, "_TIMEOUT", 0)
    with pytest.raises(ConfigurationError, match="did not answer within 0 s"):
        await remote.required_auth("http://127.0.0.1:9/mcp")


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        (["--read-only"], {}, "CORE13_READ_ONLY cannot be used together with --remote"),
        (["--uvx"], {}, "--uvx cannot be used together with --remote"),
        ([], {"POSTHOG_HOST": "eu", "CORE13_SANDBOX": "1"}, "POSTHOG_HOST, CORE13_SANDBOX cannot be used together"),
        ([], {"POSTHOG_PERSONAL_API_KEY_FILE": "/k"}, "POSTHOG_PERSONAL_API_KEY_FILE cannot be used together"),
    ],
)
async def test_a_setting_without_effect_is_refused(
    arguments: list[str], variables: dict[str, str], message: str, home: Path
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        await install("cursor", "--remote", "http://127.0.0.1:9/mcp", *arguments, **variables)
    with pytest.raises(ConfigurationError, match="--remote-auth has an effect together with --remote only"):
        await install("cursor", "--remote-auth", "none")
    assert not (home / ".cursor").exists()


@pytest.mark.parametrize(
    "url", ["https://u:p4ssw0rd@x.example/mcp", "https://x.example/?key=phx_p4ssw0rdp4ssw0rd", "u:p4ssw0rd@x"]
)
def test_a_url_with_credentials_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError, match="the URL contains a key, a user name or a password") as refused:
        remote.check_url(url)
    assert "p4ssw0rd" not in str(refused.value)
