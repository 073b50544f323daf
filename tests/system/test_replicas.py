"""Two replicas behind a real nginx: a whole story in which every request goes to the other one."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
import mcp_types as types
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from core13_mcp import sandbox

pytestmark = [pytest.mark.anyio, pytest.mark.system]

CONF = Path(__file__).parents[2] / "deploy" / "nginx" / "core13-mcp.conf"
TOKEN = "a-caller-of-the-two-replicas-0123456789"
WITHIN = 30.0


@dataclass
class Deployment:
    url: str
    origins: list[str]
    replicas: list[subprocess.Popen[str]]
    logs: list[Path]
    database: Path

    def calls(self) -> list[int]:
        """How many tool calls each replica has logged."""
        return [len(re.findall(r"core13_mcp.calls|outcome=", log.read_text())) for log in self.logs]


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    """A sandbox, two replicas that share their seal keys, and nginx with the shipped configuration."""
    ports = _free_ports(4)
    database = tmp_path / "sandbox.db"
    (tmp_path / "tokens").write_text(f"story: {TOKEN}\n")
    (tmp_path / "key").write_text(sandbox.FULL_KEY)
    with ExitStack() as running:
        running.enter_context(
            _process(tmp_path, "sandbox", ["sandbox", "--port", str(ports[3]), "--db", str(database)])
        )
        replicas = [
            running.enter_context(
                _process(tmp_path, f"replica{port}", ["serve", "--http", str(port)], _environ(tmp_path, ports))
            )
            for port in ports[:2]
        ]
        running.enter_context(_nginx(tmp_path, ports))
        url = f"http://127.0.0.1:{ports[2]}"
        origins = [f"http://127.0.0.1:{port}" for port in ports[:2]]
        for origin in [*origins, url]:
            await _answers(f"{origin}/readyz")
        yield Deployment(
            f"{url}/mcp", origins, replicas, [tmp_path / f"replica{port}.log" for port in ports[:2]], database
        )


async def test_a_story_with_confirmations_crosses_replicas_at_every_step(deployment: Deployment) -> None:
    asked: list[str] = []

    async def agree(_: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        asked.append(params.message)
        return types.ElicitResult(action="accept", content={})

    with anyio.fail_after(WITHIN):
        async with _client(deployment, agree) as client:
            await client.list_tools()
            before = deployment.calls()
            results = [
                await client.call_tool("users-retrieve", {}),
                await client.call_tool("subscriptions-test-delivery-create", {"project_id": 1, "id": 1}),
                await client.call_tool(
                    "session-recordings-sharing-refresh-create",
                    {"project_id": 1, "recording_id": "0190a1b2-checkout-bug"},
                ),
                await client.call_tool("subscriptions-partial-update", {"project_id": 1, "id": 1, "enabled": False}),
                await client.call_tool("subscriptions-retrieve", {"id": 1}),
            ]
    assert [result.is_error for result in results] == [False] * 5, [result.content[0] for result in results]
    assert len(asked) == 2
    assert [after - start for after, start in zip(deployment.calls(), before, strict=True)].count(0) == 0
    assert len([row for row in sandbox.outbox(str(deployment.database)) if row["subscription"] == 1]) == 1


async def test_losing_one_replica_in_the_middle_loses_nothing(deployment: Deployment) -> None:
    with anyio.fail_after(WITHIN):
        async with _client(deployment) as client:
            await client.call_tool("users-retrieve", {})
            deployment.replicas[0].send_signal(signal.SIGKILL)
            deployment.replicas[0].wait(timeout=10)
            names = [f"After the loss {number}" for number in range(6)]
            for name in names:
                created = await client.call_tool("subscriptions-create", {**_PAUSED, "title": name})
                assert not created.is_error, created.content[0]
            listed = await client.call_tool("subscriptions-list", {"search": "After the loss"})
    assert sorted(row["title"] for row in listed.structured_content["results"]) == names


async def test_who_watches_reaches_each_replica_and_callers_do_not(deployment: Deployment) -> None:
    with anyio.fail_after(WITHIN):
        async with httpx2.AsyncClient() as http:
            watched = [(await http.get(f"{origin}/metrics")).status_code for origin in deployment.origins]
            called = (await http.get(deployment.url.replace("/mcp", "/metrics"))).status_code
    assert (watched, called) == ([200, 200], 404)


_PAUSED = {
    "project_id": 1,
    "insight": 1,
    "target_type": "email",
    "target_value": "ada@analytical.example",
    "frequency": "weekly",
    "start_date": "2026-01-05T09:00:00Z",
    "enabled": False,
}


@asynccontextmanager
async def _client(deployment: Deployment, agree: Any = None) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20) as http,
        Client(streamable_http_client(deployment.url, http_client=http), elicitation_callback=agree) as client,
    ):
        yield client


def _environ(folder: Path, ports: list[int]) -> dict[str, str]:
    return {
        "POSTHOG_HOST": f"http://127.0.0.1:{ports[3]}",
        "POSTHOG_PERSONAL_API_KEY_FILE": str(folder / "key"),
        "CORE13_AUTH": "token",
        "CORE13_CALLER_TOKENS_FILE": str(folder / "tokens"),
        "CORE13_SEAL_KEYS": "shared-by-both-replicas-0123456789abcdef",
        "CORE13_HTTP_URL": f"http://127.0.0.1:{ports[2]}/mcp",
        # nginx passes the Host on without its port.
        "CORE13_HTTP_HOSTS": "127.0.0.1",
        "CORE13_HTTP_DRAIN": "0",
        "CORE13_HTTP_METRICS": "1",
    }


@contextmanager
def _process(
    folder: Path, name: str, words: list[str], environ: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    with (folder / f"{name}.log").open("w") as log:
        command = [sys.executable, "-m", "core13_mcp", *words]
        process = subprocess.Popen(command, stdout=log, stderr=log, text=True, env=environ or {})
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=20)


@contextmanager
def _nginx(folder: Path, ports: list[int]) -> Iterator[None]:
    shipped = CONF.read_text("utf-8")
    for port, ours in zip((8081, 8082, 8080), ports, strict=False):
        shipped = shipped.replace(f"127.0.0.1:{port}", f"127.0.0.1:{ours}")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\nevents {{}}\n"
        f"http {{ access_log off;\n{temporary}{shipped} }}\n"
    )
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


async def _answers(url: str) -> None:
    with anyio.fail_after(WITHIN):
        async with httpx2.AsyncClient() as http:
            while True:
                try:
                    if (await http.get(url)).status_code == 200:
                        return
                except httpx2.TransportError:
                    pass
                await anyio.sleep(0.05)  # there is nothing to wait for but the port itself


def _free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago; nginx cannot be given port 0."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [listener.getsockname()[1] for listener in sockets]
