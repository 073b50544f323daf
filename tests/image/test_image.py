"""What deploy/Dockerfile builds, run as it says: its own user, a root that nobody can write, its command, its health.

`scripts/image` builds it, unpacks it at IMAGE_ROOT, and gives these tests a network in which all ports are free.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from core13_mcp import sandbox
from core13_mcp.declarations.catalog import load

from ..transports.http.http_server import client

pytestmark = [pytest.mark.anyio, pytest.mark.system]

ORIGIN = "http://127.0.0.1:8080"
ALLOWED = {
    "CORE13_SANDBOX": "1",
    "CORE13_AUTH": "own-key",
    "CORE13_HTTP_HOSTS": "mcp.example.com",
    "CORE13_HTTP_DRAIN": "0",
}
KEY = {"X-PostHog-Api-Key": sandbox.FULL_KEY}


@pytest.fixture(scope="module")
def image() -> dict[str, Any]:
    """The image's configuration."""
    described: dict[str, Any] = json.loads(Path(os.environ["IMAGE_CONFIG"]).read_text())["Docker"]["config"]
    return described


def inside(image: dict[str, Any], *command: str, **variables: str) -> subprocess.Popen[str]:
    """A process in the image, as its user and with its variables."""
    environ = dict(variable.split("=", 1) for variable in image["Env"])
    return subprocess.Popen(
        ["chroot", f"--userspec={image['User']}", os.environ["IMAGE_ROOT"], *command],
        env={**environ, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def healthy(image: dict[str, Any]) -> bool:
    """What the image's own health check says."""
    how, *command = image["Healthcheck"]["Test"]
    assert how == "CMD"
    with inside(image, *command) as check:
        return check.wait(20) == 0


@contextmanager
def started(image: dict[str, Any], **variables: str) -> Iterator[subprocess.Popen[str]]:
    """The image's own command, once it is healthy."""
    with inside(image, *image["Entrypoint"], *image["Cmd"], **variables) as process:
        try:
            while not healthy(image):
                assert process.poll() is None, process.communicate()
            yield process
        finally:
            process.kill()


def test_it_runs_as_somebody_who_is_not_root(image: dict[str, Any]) -> None:
    assert image["User"] == "65532:65532"


def test_without_a_word_on_who_may_call_it_does_not_start(image: dict[str, Any]) -> None:
    with inside(image, *image["Entrypoint"], *image["Cmd"]) as process:
        _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert said.startswith("core13-mcp: 0.0.0.0 is not loopback, and with CORE13_AUTH=none anyone who can connect")
    assert not healthy(image)


async def test_it_serves_all_tools_and_ends_when_told(image: dict[str, Any]) -> None:
    with anyio.fail_after(60), started(image, **ALLOWED) as process:
        async with client(f"{ORIGIN}/mcp", headers=KEY) as mcp:
            listed = await mcp.list_tools()
            called = await mcp.call_tool("users-retrieve", {})
        who = Path(f"/proc/{process.pid}/status").read_text()
        process.terminate()
        assert process.wait(30) == 0
    assert [tool.name for tool in listed.tools] == list(load())
    assert not called.is_error
    assert "Uid:\t65532\t65532\t65532\t65532" in who
    assert "CapEff:\t0000000000000000" in who
    assert not healthy(image)


async def test_it_counts_for_prometheus(image: dict[str, Any]) -> None:
    with anyio.fail_after(60), started(image, **ALLOWED, CORE13_HTTP_METRICS="1"):
        async with httpx2.AsyncClient() as http:
            told = (await http.get(f"{ORIGIN}/metrics")).text
    assert "http_server_active_requests 1.0" in told


def test_it_can_send_traces(image: dict[str, Any]) -> None:
    with inside(image, "/app/bin/python", "-c", "import opentelemetry.exporter.otlp.proto.http") as process:
        assert process.wait(30) == 0


def test_there_is_nothing_in_it_to_install_more_with(image: dict[str, Any]) -> None:
    with inside(image, "/app/bin/python", "-m", "pip") as process:
        assert "No module named pip" in process.communicate(timeout=30)[1]


def test_nothing_of_it_can_be_written(image: dict[str, Any]) -> None:
    with inside(image, "/app/bin/python", "-c", "open('/app/mine', 'w')") as process:
        assert "Read-only file system" in process.communicate(timeout=30)[1]
