"""Clients that disconnect, signals to the process, and its log."""

from __future__ import annotations

import resource
import signal
from contextlib import suppress
from typing import Any

import anyio
import httpx2
import pytest

from core13_mcp import sandbox
from core13_mcp.keys import SecretStr
from core13_mcp.settings import Settings
from core13_mcp.transports.http.serving import MAX_CONNECTIONS

from ...asgi import listening
from .http_server import MODERN, StubAPI, call_user, child, headers, message, post, serving

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("version", [MODERN, "2025-11-25"])
async def test_a_client_that_disconnects_cancels_its_request_to_the_api(version: str) -> None:
    api = StubAPI()

    async def call(url: str) -> None:
        async with httpx2.AsyncClient() as http:
            sent = {**headers("tools/call", "users-retrieve"), "MCP-Protocol-Version": version}
            await http.post(url, json=message("tools/call", name="users-retrieve", arguments={}), headers=sent)

    async with listening(api) as origin:
        settings = Settings(host=origin, personal_api_key=SecretStr("phx_key"), log_level="error")
        async with serving(settings) as server:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call, server.url)
                await api.reached.wait()
                tasks.cancel_scope.cancel()
            await api.disconnected.wait()


@pytest.mark.parametrize("version", [MODERN, "2025-11-25"])
async def test_after_sigterm_an_open_call_finishes_and_readyz_returns_503(version: str) -> None:
    api, responses = StubAPI(), {}

    async def call(url: str) -> None:
        responses["call"] = await call_user(url, MCP_Protocol_Version=version)

    async with listening(api) as origin:
        variables = {"POSTHOG_HOST": origin, "POSTHOG_PERSONAL_API_KEY": "phx_key", "CORE13_HTTP_DRAIN": "1"}
        async with child(**variables) as (process, url), anyio.create_task_group() as tasks:
            tasks.start_soon(call, url)
            await api.reached.wait()
            before = await readyz(url)
            process.send_signal(signal.SIGTERM)
            while (draining := await readyz(url))["status"] == 200:
                pass
            with suppress(httpx2.TransportError):
                # The drain phase ends.
                while await readyz(url):
                    pass
            # sse-starlette looks for the end of the drain phase every half second.
            with anyio.move_on_after(1):
                await api.disconnected.wait()
            api.release.set()
            status = await process.wait()
    assert before == {"status": 200, "connection": None}
    assert draining == {"status": 503, "connection": "close"}
    assert responses["call"].status_code == 200
    assert '"isError":false' in responses["call"].text
    assert status == 0


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM, signal.SIGTERM]])
async def test_sigint_or_a_second_sigterm_skips_the_drain_phase(signals: list[signal.Signals]) -> None:
    async with child(CORE13_SANDBOX="1", CORE13_HTTP_DRAIN="600") as (process, url):
        process.send_signal(signals[0])
        for second in signals[1:]:
            while (await readyz(url))["status"] == 200:
                pass
            process.send_signal(second)
        assert await process.wait() == (130 if signals == [signal.SIGINT] else 0)


async def test_a_further_signal_ends_the_process_while_a_call_is_open() -> None:
    api = StubAPI()

    async def call(url: str) -> None:
        with suppress(httpx2.TransportError):
            await call_user(url)

    async with listening(api) as origin:
        variables = {"POSTHOG_HOST": origin, "POSTHOG_PERSONAL_API_KEY": "phx_key", "CORE13_TIMEOUT": "600"}
        async with child(**variables) as (process, url), anyio.create_task_group() as tasks:
            tasks.start_soon(call, url)
            await api.reached.wait()
            process.send_signal(signal.SIGINT)
            with suppress(httpx2.TransportError):
                while await readyz(url):
                    pass
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 130


async def test_the_limit_of_open_files_is_raised_as_far_as_the_system_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        async with child(CORE13_SANDBOX="1") as (process, _):
            limits = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 130
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert limits == (min(MAX_CONNECTIONS, hard), hard)


async def test_the_log_contains_no_secret(tmp_path: Any) -> None:
    token, seal_key, key = "anna-" + "t" * 40, "seal" * 10, sandbox.FULL_KEY
    (tmp_path / "tokens").write_text(f"anna: {token}")
    variables = {
        "CORE13_SANDBOX": "1",
        "POSTHOG_PERSONAL_API_KEY": key,
        "CORE13_AUTH": "token",
        "CORE13_CALLER_TOKENS_FILE": str(tmp_path / "tokens"),
        "CORE13_SEAL_KEYS": seal_key,
        "CORE13_LOG_LEVEL": "debug",
        "CORE13_LOG_FORMAT": "json",
        "CORE13_HTTP_DRAIN": "0",
    }
    async with child(**variables) as (process, url):
        valid = {"Authorization": f"Bearer {token}"}
        await post(url, "tools/call", sent=valid, name="users-retrieve", arguments={"uuid": "secret-argument"})
        await post(url, "tools/call", sent={"Authorization": f"Bearer {token}x"}, name="users-retrieve")
        await post(url, "tools/call", sent={**valid, "Host": token}, name="users-retrieve")
        await post(url, "tools/call", sent=valid, name="users-retrieve", requestState=token)
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        log = b"".join([chunk async for chunk in process.stderr]).decode()
    assert '"message": "users-retrieve"' in log
    assert '"caller": "anna"' in log
    for secret in (token, seal_key, key, "secret-argument"):
        assert secret not in log


async def readyz(url: str) -> dict[str, Any]:
    """Return the status and the Connection header of `/readyz`."""
    async with httpx2.AsyncClient() as http:
        response = await http.get(url.removesuffix("/mcp") + "/readyz")
    return {"status": response.status_code, "connection": response.headers.get("Connection")}
