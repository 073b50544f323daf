"""When a client goes away, and when the process is told to."""

from __future__ import annotations

import resource
import signal
import sys
from contextlib import suppress
from typing import Any

import anyio
import httpx2
import pytest

from core13_mcp import sandbox
from core13_mcp.settings import Settings
from core13_mcp.transports.http.serving import CONNECTIONS

from ...asgi import listening
from .http_server import MODERN, Stub, child, headers, message, post, serving

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("version", [MODERN, "2025-11-25"])
async def test_a_client_that_goes_away_cancels_its_upstream_call(version: str) -> None:
    stub = Stub()

    async def call(url: str) -> None:
        async with httpx2.AsyncClient() as http:
            said = {**headers("tools/call", "users-retrieve"), "MCP-Protocol-Version": version}
            await http.post(url, json=message("tools/call", name="users-retrieve", arguments={}), headers=said)

    with anyio.fail_after(20):
        async with listening(stub) as origin:
            settings = Settings(host=origin, personal_api_key="phx_key", log_level="error")  # type: ignore[arg-type] # coerced
            async with serving(settings) as served:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(call, served.url)
                    await stub.reached.wait()
                    tasks.cancel_scope.cancel()
                await stub.left.wait()


async def test_sigterm_lets_a_running_call_finish_and_says_that_it_is_not_ready() -> None:
    stub, answers = Stub(), {}

    async def call(url: str) -> None:
        answers["call"] = await post(url, "tools/call", name="users-retrieve", arguments={})

    with anyio.fail_after(60):
        async with listening(stub) as origin:
            said = {"POSTHOG_HOST": origin, "POSTHOG_PERSONAL_API_KEY": "phx_key", "CORE13_HTTP_DRAIN": "2"}
            async with child(**said) as (process, url), anyio.create_task_group() as tasks:
                tasks.start_soon(call, url)
                await stub.reached.wait()
                before = await _ready(url)
                process.send_signal(signal.SIGTERM)
                while (draining := await _ready(url))["status"] == 200:
                    pass
                stub.release.set()
                ended = await process.wait()
    assert before == {"status": 200, "connection": None}
    assert draining == {"status": 503, "connection": "close"}
    assert answers["call"].status_code == 200
    assert not answers["call"].json()["result"].get("isError")
    assert ended == 0


@pytest.mark.parametrize("told", [[signal.SIGINT], [signal.SIGTERM, signal.SIGTERM]])
async def test_ctrl_c_or_a_second_sigterm_ends_it_without_draining(told: list[signal.Signals]) -> None:
    with anyio.fail_after(60):
        async with child(CORE13_SANDBOX="1", CORE13_HTTP_DRAIN="600") as (process, url):
            process.send_signal(told[0])
            for another in told[1:]:
                while (await _ready(url))["status"] == 200:
                    pass
                process.send_signal(another)
            assert await process.wait() == 0


async def test_another_signal_ends_it_though_a_call_is_still_running() -> None:
    stub = Stub()

    async def call(url: str) -> None:
        with suppress(httpx2.TransportError):
            await post(url, "tools/call", name="users-retrieve", arguments={})

    with anyio.fail_after(20):
        async with listening(stub) as origin:
            said = {"POSTHOG_HOST": origin, "POSTHOG_PERSONAL_API_KEY": "phx_key", "CORE13_TIMEOUT": "600"}
            async with child(**said) as (process, url), anyio.create_task_group() as tasks:
                tasks.start_soon(call, url)
                await stub.reached.wait()
                process.send_signal(signal.SIGINT)
                with suppress(httpx2.TransportError):
                    while await _ready(url):
                        pass
                process.send_signal(signal.SIGINT)
                assert await process.wait() == 0


async def test_it_takes_as_many_connections_as_the_system_lets_it() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        with anyio.fail_after(60):
            async with child(CORE13_SANDBOX="1") as (process, _):
                allowed = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
                process.send_signal(signal.SIGINT)
                assert await process.wait() == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert allowed == (min(CONNECTIONS, hard), hard)


async def test_what_it_refuses_is_told_in_one_line_and_status_2() -> None:
    command = [sys.executable, "-m", "core13_mcp", "serve", "--http", "0.0.0.0:0", "--sandbox"]
    with anyio.fail_after(60):
        ended = await anyio.run_process(command, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(b"core13-mcp: 0.0.0.0 is not loopback, and with CORE13_AUTH=none anyone")
    assert ended.stderr.count(b"\n") == 1


async def test_no_secret_comes_out_in_the_log(tmp_path: Any) -> None:
    token, seal, key = "anna-" + "t" * 40, "seal" * 10, sandbox.FULL_KEY
    (tmp_path / "tokens").write_text(f"anna: {token}")
    said = {
        "CORE13_SANDBOX": "1",
        "POSTHOG_PERSONAL_API_KEY": key,
        "CORE13_AUTH": "token",
        "CORE13_CALLER_TOKENS_FILE": str(tmp_path / "tokens"),
        "CORE13_SEAL_KEYS": seal,
        "CORE13_LOG_LEVEL": "debug",
        "CORE13_LOG_FORMAT": "json",
        "CORE13_HTTP_DRAIN": "0",
    }
    with anyio.fail_after(60):
        async with child(**said) as (process, url):
            known = {"Authorization": f"Bearer {token}"}
            await post(url, "tools/call", sent=known, name="users-retrieve", arguments={"uuid": "secret-argument"})
            await post(url, "tools/call", sent={"Authorization": f"Bearer {token}x"}, name="users-retrieve")
            await post(url, "tools/call", sent={**known, "Host": token}, name="users-retrieve")
            await post(url, "tools/call", sent=known, name="users-retrieve", requestState=token)
            process.send_signal(signal.SIGTERM)
            assert process.stderr is not None
            log = b"".join([piece async for piece in process.stderr]).decode()
    assert '"message": "users-retrieve"' in log
    assert '"caller": "anna"' in log
    for secret in (token, seal, key, "secret-argument"):
        assert secret not in log


async def _ready(url: str) -> dict[str, Any]:
    """What /readyz answers."""
    async with httpx2.AsyncClient() as http:
        answer = await http.get(url.removesuffix("/mcp") + "/readyz")
    return {"status": answer.status_code, "connection": answer.headers.get("Connection")}
