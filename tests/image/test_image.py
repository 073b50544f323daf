"""The image that deploy/Dockerfile builds, run with its user, command and health check on a read-only root.

`scripts/image` builds the image, unpacks it at IMAGE_ROOT and runs these tests in a network namespace of their own.
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
SETTINGS = {
    "CORE13_SANDBOX": "1",
    "CORE13_AUTH": "own-key",
    "CORE13_HTTP_HOSTS": "mcp.example.com",
    "CORE13_HTTP_DRAIN": "0",
}
KEY = {"X-PostHog-Api-Key": sandbox.FULL_KEY}


@pytest.fixture(scope="module")
def image() -> dict[str, Any]:
    """The image's configuration."""
    config: dict[str, Any] = json.loads(Path(os.environ["IMAGE_CONFIG"]).read_text())["Docker"]["config"]
    return config


def start_process(image: dict[str, Any], *command: str, **variables: str) -> subprocess.Popen[str]:
    """Start a process in the image with the user and the variables of the image."""
    environment = dict(variable.split("=", 1) for variable in image["Env"])
    return subprocess.Popen(
        ["chroot", f"--userspec={image['User']}", os.environ["IMAGE_ROOT"], *command],
        env={**environment, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def is_healthy(image: dict[str, Any]) -> bool:
    """Whether the health check of the image succeeds."""
    kind, *command = image["Healthcheck"]["Test"]
    assert kind == "CMD"
    with start_process(image, *command) as check:
        return check.wait(20) == 0


@contextmanager
def running(image: dict[str, Any], **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command of the image. Yields the process when the health check succeeds."""
    with start_process(image, *image["Entrypoint"], *image["Cmd"], **variables) as process:
        try:
            while not is_healthy(image):
                assert process.poll() is None, process.communicate()
            yield process
        finally:
            process.kill()


def test_the_image_has_a_user_without_privileges(image: dict[str, Any]) -> None:
    assert image["User"] == "65532:65532"


def test_without_authentication_the_server_does_not_start(image: dict[str, Any]) -> None:
    with start_process(image, *image["Entrypoint"], *image["Cmd"]) as process:
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 2
    assert stderr.startswith(
        "core13-mcp: 0.0.0.0 is not a loopback address, and with CORE13_AUTH=none everyone who can"
    )
    assert not is_healthy(image)


async def test_the_server_lists_and_calls_tools_and_ends_on_sigterm(image: dict[str, Any]) -> None:
    with anyio.fail_after(60), running(image, **SETTINGS) as process:
        async with client(f"{ORIGIN}/mcp", headers=KEY) as mcp:
            listed = await mcp.list_tools()
            called = await mcp.call_tool("users-retrieve", {})
        process_status = Path(f"/proc/{process.pid}/status").read_text()
        process.terminate()
        assert process.wait(30) == 0
    assert [tool.name for tool in listed.tools] == list(load())
    assert not called.is_error
    assert "Uid:\t65532\t65532\t65532\t65532" in process_status
    assert "CapEff:\t0000000000000000" in process_status
    assert not is_healthy(image)


async def test_the_metrics_extra_is_installed(image: dict[str, Any]) -> None:
    with anyio.fail_after(60), running(image, **SETTINGS, CORE13_HTTP_METRICS="1"):
        async with httpx2.AsyncClient() as http:
            metrics = (await http.get("http://127.0.0.1:9464/metrics")).text
    assert "http_server_active_requests 0.0" in metrics


def test_the_otel_extra_is_installed(image: dict[str, Any]) -> None:
    with start_process(image, "/app/bin/python", "-c", "import opentelemetry.exporter.otlp.proto.http") as process:
        assert process.wait(30) == 0


def test_pip_is_not_installed(image: dict[str, Any]) -> None:
    with start_process(image, "/app/bin/python", "-m", "pip") as process:
        assert "No module named pip" in process.communicate(timeout=30)[1]


def test_the_root_file_system_is_read_only(image: dict[str, Any]) -> None:
    with start_process(image, "/app/bin/python", "-c", "open('/app/mine', 'w')") as process:
        assert "Read-only file system" in process.communicate(timeout=30)[1]
