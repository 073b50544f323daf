"""A Prism mock of the API's OpenAPI document accepts the requests of every tool.

The variable CONTRACT contains the paths of the documents, separated as in PATH: one for each version of the API. PRISM is the
command of the mock (default: `prism`). The arguments are those of the documentation.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.types import CallToolResult

from core13_mcp.declarations.catalog import load

ROOT = Path(__file__).parents[2]
EXAMPLES: dict[str, dict[str, Any]] = json.loads((ROOT / "docs" / "examples.json").read_text("utf-8"))
# The document describes the response of another endpoint here. The sandbox returns what the real API returns.
WRONG_RESPONSE = {"session-recordings-sharing-passwords-create", "users-hedgehog-config-partial-update"}
KEY = "phx_contract00000000000000000000000001"

pytestmark = [pytest.mark.anyio, pytest.mark.system]


DOCUMENTS = [path for path in os.environ.get("CONTRACT", "").split(os.pathsep) if path]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module", params=DOCUMENTS or [""], ids=lambda path: Path(path).stem)
def prism(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of a mock that rejects requests which the document does not allow."""
    if not request.param:
        pytest.skip("CONTRACT is not set")
    folder = tmp_path_factory.mktemp("prism")
    document, log = _with_me(Path(request.param), folder / "document.json"), folder / "log"
    port = free_port()
    command = [os.environ.get("PRISM", "prism"), "mock", "--errors", "-h", "127.0.0.1", "-p", str(port), document]
    with log.open("w") as sink, subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT) as process:
        try:
            _wait(process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _with_me(source: Path, target: Path) -> str:
    """Copy a document without the format of path parameters: the API accepts `@me` where a document requires a UUID."""

    def without_format(value: dict[str, Any]) -> dict[str, Any]:
        if value.get("in") == "path":
            value["schema"].pop("format", None)
        return value

    document = json.loads(source.read_text("utf-8"), object_hook=without_format)
    target.write_text(json.dumps(document), "utf-8")
    return str(target)


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if "is listening" in log.read_text():
            return
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(f"Prism did not start within a minute:\n{log.read_text()}")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def client(prism: str) -> AsyncIterator[Client]:
    """A client of the real server over stdio. The server sends its requests to the mock."""
    variables = {"POSTHOG_HOST": prism, "POSTHOG_PERSONAL_API_KEY": KEY, "CORE13_CONFIRM": "never"}
    child = StdioServerParameters(command=sys.executable, args=["-m", "core13_mcp", "serve"], env=variables)
    with anyio.fail_after(300):
        async with Client(child, read_timeout_seconds=60) as connected:
            yield connected


def status(result: CallToolResult) -> int:
    """The status of the mock's last response."""
    return int((result.meta or {}).get("core13-mcp/call", {}).get("status", 0))


@pytest.mark.parametrize("name", load())
async def test_the_document_allows_the_request_of_every_tool(name: str, client: Client) -> None:
    result = await client.call_tool(name, EXAMPLES[name])
    assert 200 <= status(result) < 300, result.content
    assert bool(result.is_error) is (name in WRONG_RESPONSE), result.content


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/api/users/", None, 401),
        ("POST", "/api/projects/1/subscriptions/", {"frequency": "sometimes"}, 422),
        ("GET", "/api/projects/1/no-such-thing/", None, 404),
    ],
)
def test_the_mock_rejects_requests_that_the_document_does_not_allow(
    method: str, path: str, body: Any, expected: int, prism: str
) -> None:
    headers = {} if expected == 401 else {"Authorization": f"Bearer {KEY}"}
    assert httpx2.request(method, prism + path, json=body, headers=headers, timeout=20).status_code == expected
