"""The MCP Inspector calls the server over HTTP with each kind of authentication."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import anyio
import httpx2
import pytest
from anyio.abc import Process

from core13_mcp import sandbox
from core13_mcp.declarations.catalog import load
from core13_mcp.settings import Settings

from ..asgi import listening
from ..transports.http.auth.oauth_client import Storage, User, logged_in
from ..transports.http.http_server import post, serving
from .inspector import AUTH_REQUIRED, ERAS, command, environment

pytestmark = [pytest.mark.anyio, pytest.mark.system]

TIMEOUT = 90.0
TOKEN = "an-inspector-" + "t" * 32
LIST = ("--method", "tools/list")
CALL = ("--method", "tools/call", "--tool-name", "users-retrieve")
NO_LOGIN = "--stored-auth-only"


def token_settings(folder: Path) -> Settings:
    """Settings of a server with one caller token."""
    (folder / "tokens").write_text(f"inspector: {TOKEN}\n")
    return Settings(sandbox=True, auth="token", caller_tokens_file=str(folder / "tokens"), log_level="error")


@asynccontextmanager
async def oauth_server() -> AsyncIterator[str]:
    """Serve with OAuth; the sandbox is the authorization server. Yields the URL."""
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(listening(sandbox.build(oauth=True)))
        served = serving(Settings(host=issuer, auth="oauth", log_level="error"))
        yield (await stack.enter_async_context(served)).url


async def inspect(home: Path, era: str, url: str, *arguments: str) -> CompletedProcess[bytes]:
    """Call one method of the server at a URL with the Inspector."""
    program = command(era, url, "--transport", "http", *arguments)
    return await anyio.run_process(program, env=environment(home), check=False)


async def check_access(home: Path, era: str, url: str, *headers: str) -> None:
    """Check that the Inspector lists all tools and reads the caller's account."""
    options = [word for header in headers for word in ("--header", header)]
    listed, called = [await inspect(home, era, url, *options, *method) for method in (LIST, CALL)]
    assert [tool["name"] for tool in _result(listed)["tools"]] == list(load())
    assert _result(called)["structuredContent"]["email"] == "ada@analytical.example"


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("auth", ["none", "token", "own-key"])
async def test_the_inspector_sends_the_credentials_that_the_server_requires(
    tmp_path: Path, auth: str, era: str
) -> None:
    without, own_key = [Settings(sandbox=True, auth=auth, log_level="error") for auth in ("none", "own-key")]
    settings, headers = {
        "none": (without, []),
        "token": (token_settings(tmp_path), [f"Authorization: Bearer {TOKEN}"]),
        "own-key": (own_key, [f"X-PostHog-Api-Key: {sandbox.FULL_KEY}"]),
    }[auth]
    with anyio.fail_after(TIMEOUT):
        async with serving(settings) as served:
            await check_access(tmp_path, era, served.url, *headers)


@pytest.mark.parametrize("era", ERAS)
async def test_the_inspector_sends_an_access_token_of_another_client(tmp_path: Path, era: str) -> None:
    storage = Storage()
    with anyio.fail_after(TIMEOUT):
        async with oauth_server() as url:
            async with logged_in(url, User(), storage, "auto") as client:
                await client.list_tools()
            assert storage.tokens is not None
            await check_access(tmp_path, era, url, f"Authorization: Bearer {storage.tokens.access_token}")


@pytest.mark.parametrize("era", ERAS)
async def test_without_an_access_token_the_inspector_gets_the_address_of_the_metadata(tmp_path: Path, era: str) -> None:
    with anyio.fail_after(TIMEOUT):
        async with oauth_server() as url:
            result = await inspect(tmp_path, era, url, *LIST, NO_LOGIN)
            challenge = (await post(url)).headers["WWW-Authenticate"]
    assert result.returncode == AUTH_REQUIRED
    assert _error(result)["code"] == "auth_required"
    assert f'resource_metadata="{url.removesuffix("/mcp")}/.well-known/oauth-protected-resource/mcp"' in challenge


@pytest.mark.parametrize("era", ERAS)
async def test_without_a_caller_token_the_inspector_gets_an_authentication_error(tmp_path: Path, era: str) -> None:
    with anyio.fail_after(TIMEOUT):
        async with serving(token_settings(tmp_path)) as served:
            result = await inspect(tmp_path, era, served.url, *LIST, NO_LOGIN)
    assert result.returncode == AUTH_REQUIRED


@pytest.mark.parametrize("era", ERAS)
async def test_the_inspector_logs_in_with_oauth(tmp_path: Path, era: str) -> None:
    user = User()
    with anyio.fail_after(TIMEOUT):
        async with oauth_server() as url:
            # Without a terminal the Inspector logs in only if it must open a browser. BROWSER=true does nothing, and the
            # test reads the address from the output.
            env = environment(tmp_path, MCP_AUTO_OPEN_ENABLED="true", BROWSER="true")
            callback = ("--callback-url", "http://127.0.0.1:0/oauth/callback")
            program = command(era, url, "--transport", "http", *callback, *CALL)
            async with await anyio.open_process(program, env=env) as process:
                await user.open(await _login(process))
                async with httpx2.AsyncClient() as browser:
                    await browser.get(user.redirect)
                assert process.stdout is not None
                output = b"".join([chunk async for chunk in process.stdout])
                assert await process.wait() == 0
    assert json.loads(output)["structuredContent"]["email"] == "ada@analytical.example"
    assert [{"introspection", "user:read", "subscription:write"} <= scopes for scopes in user.requested] == [True]


async def _login(process: Process) -> str:
    """The login address that the Inspector prints."""
    output = b""
    assert process.stderr is not None
    async for chunk in process.stderr:
        output += chunk
        if match := re.search(rb"Please navigate to: (\S+)\s", output):
            return match[1].decode()
    raise AssertionError(output.decode())


def _result(run: CompletedProcess[bytes]) -> Any:
    assert run.returncode == 0, run.stderr.decode()
    return json.loads(run.stdout)


def _error(run: CompletedProcess[bytes]) -> Any:
    """The error on the last line of stderr."""
    return json.loads(run.stderr.decode().strip().splitlines()[-1])["error"]
