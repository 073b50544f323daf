"""Two replicas behind nginx with the shipped configuration.

nginx sends the requests of a session to its replica, and each other request to the next replica.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
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

from ..processes import CLI
from ..transports.http.session_client import raw_client

pytestmark = [pytest.mark.anyio, pytest.mark.system]

CONF = Path(__file__).parents[2] / "deploy" / "nginx" / "core13-mcp.conf"
TOKEN = "a-caller-of-the-two-replicas-0123456789"
# Seconds for each test.
TIMEOUT = 60.0


@dataclass
class Deployment:
    url: str
    origins: list[str]
    replicas: list[subprocess.Popen[str]]
    logs: list[Path]
    database: Path

    def calls(self) -> list[int]:
        """The number of tool calls in the log of each replica."""
        return [len(re.findall(r"core13_mcp.calls|outcome=", log.read_text())) for log in self.logs]


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    """A sandbox, two replicas with the same seal keys, and nginx with the shipped configuration."""
    ports = _free_ports(4)
    database = tmp_path / "sandbox.db"
    (tmp_path / "tokens").write_text(f"story: {TOKEN}\n")
    (tmp_path / "key").write_text(sandbox.FULL_KEY)
    (tmp_path / "seal-keys").write_text("shared-by-both-replicas-0123456789abcdef\n")
    with anyio.fail_after(TIMEOUT), ExitStack() as stack:

        def start(name: str, command: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
            return stack.enter_context(_process(tmp_path / f"{name}.log", command, environment))

        start("sandbox", [*CLI, "sandbox", "--port", str(ports[3]), "--db", str(database)], {})
        replicas = [
            start(f"replica{port}", [*CLI, "serve", "--http", str(port)], _environment(tmp_path, ports))
            for port in ports[:2]
        ]
        configuration = _write_nginx_configuration(tmp_path, ports)
        start("nginx", ["nginx", "-p", str(tmp_path), "-c", str(configuration)], dict(os.environ))
        url = f"http://127.0.0.1:{ports[2]}"
        origins = [f"http://127.0.0.1:{port}" for port in ports[:2]]
        for origin in [*origins, url]:
            await _wait_until_ready(f"{origin}/readyz")
        yield Deployment(
            f"{url}/mcp", origins, replicas, [tmp_path / f"replica{port}.log" for port in ports[:2]], database
        )


async def test_calls_and_their_confirmations_may_reach_different_replicas(deployment: Deployment) -> None:
    questions: list[str] = []

    async def agree(_: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
        questions.append(params.message)
        return types.ElicitResult(action="accept", content={"confirm": True})

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
    assert len(questions) == 2
    assert [after - start for after, start in zip(deployment.calls(), before, strict=True)].count(0) == 0
    assert len([row for row in sandbox.outbox(str(deployment.database)) if row["subscription"] == 1]) == 1


async def test_calls_succeed_after_one_replica_is_killed(deployment: Deployment) -> None:
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


async def test_the_requests_of_a_session_reach_its_replica(deployment: Deployment) -> None:
    for _ in range(4):
        async with raw_client(deployment.url, Authorization=f"Bearer {TOKEN}") as client:
            await client.initialize()
            listed = [await client.request("tools/list") for _ in range(3)]
            async with client.call("subscriptions-test-delivery-create", _DELIVERY) as messages:
                question = await anext(messages)
                # The answer is another request.
                assert (await client.answer(question, "decline")).status_code == 202
                declined = await anext(messages)
        assert [response.status_code for response in listed] == [200] * 3
        assert client.id is not None and client.id[-2:] in ("-a", "-b")
        assert declined["result"]["isError"]
    assert 0 not in deployment.calls()


async def test_after_the_loss_of_a_replica_its_clients_initialize_again_and_confirm(deployment: Deployment) -> None:
    async with raw_client(deployment.url, Authorization=f"Bearer {TOKEN}") as client:
        await client.initialize()
        replica = "ab".index((client.id or "")[-1])
        async with client.call("subscriptions-test-delivery-create", _DELIVERY) as messages:
            await anext(messages)
            deployment.replicas[replica].send_signal(signal.SIGKILL)
            deployment.replicas[replica].wait(timeout=10)
            with suppress(httpx2.TransportError):
                assert [message async for message in messages] == []
        lost = await client.request("tools/list")
        del client.headers["Mcp-Session-Id"]
        await client.initialize()
        async with client.call("subscriptions-test-delivery-create", _DELIVERY) as messages:
            await client.answer(await anext(messages))
            result = await anext(messages)
    assert lost.status_code == 404
    assert not result["result"]["isError"]
    assert len([row for row in sandbox.outbox(str(deployment.database)) if row["subscription"] == 1]) == 1


async def test_metrics_are_served_by_each_replica_but_not_through_nginx(deployment: Deployment) -> None:
    urls = [found[1] for log in deployment.logs if (found := re.search(r"serving metrics at (\S+)", log.read_text()))]
    async with httpx2.AsyncClient() as http:
        replica_statuses = [(await http.get(url)).status_code for url in urls]
        nginx_status = (await http.get(deployment.url.replace("/mcp", "/metrics"))).status_code
    assert (replica_statuses, nginx_status) == ([200, 200], 404)


async def test_nginx_limits_the_requests_of_each_client_address(deployment: Deployment) -> None:
    async with httpx2.AsyncClient() as http:
        health = deployment.url.replace("/mcp", "/healthz")
        statuses = [(await http.get(health)).status_code for _ in range(400)]
    # The burst passes, and the rate is lower than that of this test.
    assert statuses[0] == 200
    assert set(statuses) == {200, 429}


_DELIVERY = {"project_id": 1, "id": 1}
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


def _environment(folder: Path, ports: list[int]) -> dict[str, str]:
    return {
        "POSTHOG_HOST": f"http://127.0.0.1:{ports[3]}",
        "POSTHOG_PERSONAL_API_KEY_FILE": str(folder / "key"),
        "CORE13_AUTH": "token",
        "CORE13_CALLER_TOKENS_FILE": str(folder / "tokens"),
        "CORE13_SEAL_KEYS_FILE": str(folder / "seal-keys"),
        "CORE13_HTTP_URL": f"http://127.0.0.1:{ports[2]}/mcp",
        # nginx passes the Host on without its port.
        "CORE13_HTTP_HOSTS": "127.0.0.1",
        "CORE13_HTTP_DRAIN": "0",
        "CORE13_HTTP_METRICS": "1",
        "CORE13_HTTP_METRICS_PORT": "0",
    }


@contextmanager
def _process(log: Path, command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, text=True, env=environment)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=20)


def _write_nginx_configuration(folder: Path, ports: list[int]) -> Path:
    configuration = CONF.read_text("utf-8")
    for port, free_port in zip((8081, 8082, 8080), ports, strict=False):
        configuration = configuration.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free_port}")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\nevents {{}}\n"
        f"http {{ access_log off;\n{temporary}{configuration} }}\n"
    )
    return file


async def _wait_until_ready(url: str) -> None:
    async with httpx2.AsyncClient() as http:
        while True:
            with suppress(httpx2.TransportError):
                if (await http.get(url)).status_code == 200:
                    return
            # A port sends no event when it opens.
            await anyio.sleep(0.05)


def _free_ports(count: int) -> list[int]:
    """Ports that were free just now. nginx does not support port 0."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [listener.getsockname()[1] for listener in sockets]
