"""The MCP Inspector reaches the server over HTTP: for anyone, with a token, with a key of its own, and through OAuth."""

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
from ..transports.http.auth.login import Kept, Person, logged_in
from ..transports.http.http_server import post, serving
from .inspector import AUTH_REQUIRED, ERAS, command, environment

pytestmark = [pytest.mark.anyio, pytest.mark.system]

WITHIN = 90.0
TOKEN = "an-inspector-" + "t" * 32
LIST = ("--method", "tools/list")
CALL = ("--method", "tools/call", "--tool-name", "users-retrieve")
NOBODY_TO_ASK = "--stored-auth-only"


def by_token(folder: Path) -> Settings:
    """Whoever presents the one token that this server knows."""
    (folder / "tokens").write_text(f"inspector: {TOKEN}\n")
    return Settings(sandbox=True, auth="token", caller_tokens_file=str(folder / "tokens"), log_level="error")


@asynccontextmanager
async def by_oauth() -> AsyncIterator[str]:
    """A server whose authorization server is the sandbox's, each on its socket."""
    async with AsyncExitStack() as running:
        issuer = await running.enter_async_context(listening(sandbox.build(oauth=True)))
        served = serving(Settings(host=issuer, auth="oauth", log_level="error"))
        yield (await running.enter_async_context(served)).url


async def inspect(home: Path, era: str, url: str, *words: str) -> CompletedProcess[bytes]:
    """Run the Inspector on one method of the server at a URL."""
    said = command(era, url, "--transport", "http", *words)
    return await anyio.run_process(said, env=environment(home), check=False)


async def reaches(home: Path, era: str, url: str, *headers: str) -> None:
    """See that the Inspector lists all tools and is told who calls."""
    sent = [word for header in headers for word in ("--header", header)]
    listed, called = [await inspect(home, era, url, *sent, *method) for method in (LIST, CALL)]
    assert [tool["name"] for tool in _result(listed)["tools"]] == list(load())
    assert _result(called)["structuredContent"]["email"] == "ada@analytical.example"


@pytest.mark.parametrize("era", ERAS)
async def test_the_inspector_reaches_a_server_that_asks_nothing(tmp_path: Path, era: str) -> None:
    with anyio.fail_after(WITHIN):
        async with serving(Settings(sandbox=True, log_level="error")) as served:
            await reaches(tmp_path, era, served.url)


@pytest.mark.parametrize("era", ERAS)
async def test_the_inspector_presents_a_token(tmp_path: Path, era: str) -> None:
    with anyio.fail_after(WITHIN):
        async with serving(by_token(tmp_path)) as served:
            await reaches(tmp_path, era, served.url, f"Authorization: Bearer {TOKEN}")


@pytest.mark.parametrize("era", ERAS)
async def test_the_inspector_brings_a_key_of_its_own(tmp_path: Path, era: str) -> None:
    with anyio.fail_after(WITHIN):
        async with serving(Settings(sandbox=True, auth="own-key", log_level="error")) as served:
            await reaches(tmp_path, era, served.url, f"X-PostHog-Api-Key: {sandbox.FULL_KEY}")


@pytest.mark.parametrize("era", ERAS)
async def test_the_inspector_presents_a_token_that_another_client_was_issued(tmp_path: Path, era: str) -> None:
    kept = Kept()
    with anyio.fail_after(WITHIN):
        async with by_oauth() as url:
            async with logged_in(url, Person(), kept, "auto") as client:
                await client.list_tools()
            assert kept.tokens is not None
            await reaches(tmp_path, era, url, f"Authorization: Bearer {kept.tokens.access_token}")


@pytest.mark.parametrize("era", ERAS)
async def test_without_a_token_the_inspector_is_turned_away_and_pointed_to_the_login(tmp_path: Path, era: str) -> None:
    with anyio.fail_after(WITHIN):
        async with by_oauth() as url:
            ended = await inspect(tmp_path, era, url, *LIST, NOBODY_TO_ASK)
            pointer = (await post(url)).headers["WWW-Authenticate"]
    assert ended.returncode == AUTH_REQUIRED
    assert _error(ended)["code"] == "auth_required"
    assert f'resource_metadata="{url.removesuffix("/mcp")}/.well-known/oauth-protected-resource/mcp"' in pointer


@pytest.mark.parametrize("era", ERAS)
async def test_without_a_token_of_this_server_the_inspector_is_turned_away(tmp_path: Path, era: str) -> None:
    with anyio.fail_after(WITHIN):
        async with serving(by_token(tmp_path)) as served:
            ended = await inspect(tmp_path, era, served.url, *LIST, NOBODY_TO_ASK)
    assert ended.returncode == AUTH_REQUIRED


@pytest.mark.parametrize("era", ERAS)
async def test_the_inspector_logs_in_by_itself(tmp_path: Path, era: str) -> None:
    person = Person()
    with anyio.fail_after(WITHIN):
        async with by_oauth() as url:
            # Forced to open a browser, because it would ask nobody without a terminal; the browser is a program that
            # does nothing, and the person reads the address where the Inspector prints it.
            env = environment(tmp_path, MCP_AUTO_OPEN_ENABLED="true", BROWSER="true")
            anywhere = ("--callback-url", "http://127.0.0.1:0/oauth/callback")
            said = command(era, url, "--transport", "http", *anywhere, *CALL)
            async with await anyio.open_process(said, env=env) as process:
                await person.open(await _login(process))
                async with httpx2.AsyncClient() as browser:
                    await browser.get(person.sent_to)
                assert process.stdout is not None
                told = b"".join([piece async for piece in process.stdout])
                assert await process.wait() == 0
    assert json.loads(told)["structuredContent"]["email"] == "ada@analytical.example"
    assert [{"introspection", "user:read", "subscription:write"} <= asked for asked in person.asked] == [True]


async def _login(process: Process) -> str:
    """The address to which the Inspector sends the person."""
    heard = b""
    assert process.stderr is not None
    async for piece in process.stderr:
        heard += piece
        if found := re.search(rb"Please navigate to: (\S+)\s", heard):
            return found[1].decode()
    raise AssertionError(heard.decode())


def _result(ran: CompletedProcess[bytes]) -> Any:
    assert ran.returncode == 0, ran.stderr.decode()
    return json.loads(ran.stdout)


def _error(ran: CompletedProcess[bytes]) -> Any:
    """What it says on stderr last, after whatever else it says."""
    return json.loads(ran.stderr.decode().strip().splitlines()[-1])["error"]
