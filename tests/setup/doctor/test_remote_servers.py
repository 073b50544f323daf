"""`doctor` connects to a remote server with the headers of the entry, and with nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import tomlkit
from anyio.from_thread import start_blocking_portal
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from core13_mcp.declarations.catalog import load
from core13_mcp.identity import VERSION
from core13_mcp.keys import KEY_HEADER
from core13_mcp.sandbox import FULL_KEY
from core13_mcp.settings import Settings

from ...asgi import listening
from ...transports.http.http_server import serving
from .broken_setups import KEY, write_config

VARIABLE = "TEAM_TOKEN"
TOKEN = "team-token-0123456789-0123456789-0123456789"
ANSWERS = f"answers: core13-mcp {VERSION} with {len(load())} tools"

pytestmark = pytest.mark.usefixtures("fake_server")


@contextmanager
def server(auth: str, **variables: str) -> Iterator[str]:
    """The URL of a server in this process."""
    settings = Settings.read({"CORE13_SANDBOX": "1", "CORE13_AUTH": auth, **variables})
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serving(settings)) as http:
        yield http.url


@contextmanager
def answering(response: Response) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The URL of a server with one response, and the method and headers of all requests."""
    requests: list[dict[str, str]] = []

    async def answer(request: Request) -> Response:
        requests.append({**request.headers, "method": request.method})
        return response

    app = Starlette(routes=[Route("/mcp", answer, methods=["GET", "POST", "DELETE"])])
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(listening(app)) as origin:
        yield f"{origin}/mcp", requests


@pytest.mark.parametrize(
    ("auth", "client", "fields"),
    [
        ("none", "cursor", {}),
        ("own-key", "cursor", {"headers": {KEY_HEADER: f"${{env:{KEY}}}"}}),
        ("own-key", "zed", {"headers": {KEY_HEADER: FULL_KEY}}),
        ("own-key", "codex", {"env_http_headers": {KEY_HEADER: KEY}}),
        ("token", "cursor", {"headers": {"Authorization": f"Bearer ${{env:{VARIABLE}}}"}}),
        ("token", "codex", {"bearer_token_env_var": VARIABLE}),
        ("token", "codex", {"http_headers": {"Authorization": f"Bearer {TOKEN}"}}),
    ],
)
def test_a_remote_server_that_accepts_the_entry_is_reported(doctor, home, tmp_path, auth, client, fields):
    tokens = tmp_path / "tokens"
    tokens.write_text(f"team: {TOKEN}\n")
    with server(auth, CORE13_CALLER_TOKENS_FILE=str(tokens) if auth == "token" else "") as url:
        value = {"url": url, **fields}
        text = tomlkit.dumps({"mcp_servers": {"core13-mcp": value}})
        write_config(home, client, text if client == "codex" else value)
        report = doctor("--sandbox", **{KEY: FULL_KEY, VARIABLE: TOKEN})

    assert report.finding(f"client {client}", "ok")["says"].endswith(f"{url} {ANSWERS}")
    assert (report.status, FULL_KEY in report.text, TOKEN in report.text) == (0, False, False)


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "the server refuses an entry without headers with 401 Unauthorized: The request has no key. Send your"),
        ({"Authorization": f"Bearer ${{env:{KEY}}}"}, "The operator of this server can allow `Authorization: Bearer"),
        ({"Authorization": "Basic YTpi"}, "the server refuses the headers of the entry with 401 Unauthorized: "),
    ],
)
def test_a_remote_server_that_refuses_the_entry_is_reported(doctor, home, headers, message):
    with server("own-key") as url:
        write_config(home, "windsurf", {"serverUrl": url, "headers": headers})
        report = doctor("--sandbox", **{KEY: FULL_KEY})

    finding = report.finding("client windsurf", "wrong")
    assert message in finding["says"]
    assert finding["fix"].startswith(f"core13-mcp install windsurf --remote {url} writes the header")


CHALLENGE = {"WWW-Authenticate": 'Bearer resource_metadata="https://mcp.example/.well-known/oauth-protected-resource"'}
INITIALIZED = {"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": "2025-11-25", "serverInfo": {}}}


@pytest.mark.parametrize(
    ("response", "status", "message"),
    [
        (Response(status_code=401, headers=CHALLENGE), "skip", "requires a sign-in, which only Cursor can do"),
        (Response(status_code=401), "wrong", "with 401 Unauthorized"),
        (Response("[1]", 403), "wrong", "with 403 Forbidden"),
        (HTMLResponse("<html>PostHog</html>"), "wrong", "does not answer as an MCP server"),
        (Response(status_code=404), "wrong", "does not answer as an MCP server"),
        (RedirectResponse("https://us.posthog.com/mcp"), "wrong", "does not answer as an MCP server"),
        (JSONResponse(INITIALIZED, headers={"Mcp-Session-Id": "1"}), "wrong", "does not answer as an MCP server"),
        (JSONResponse([1]), "wrong", "does not answer as an MCP server"),
        (Response("x" * 9_000_000), "wrong", "does not answer as an MCP server"),
        (Response("data: {}\n\n", media_type="text/event-stream"), "wrong", "does not answer as an MCP server"),
    ],
)
def test_an_address_that_is_no_open_mcp_server_is_reported(doctor, home, response, status, message):
    with answering(response) as (url, requests):
        write_config(home, "cursor", {"url": url})
        report = doctor("--sandbox", **{KEY: FULL_KEY})

    assert message in report.finding("client cursor", status)["says"]
    assert report.status == (1 if status == "wrong" else 3)
    assert not [value for headers in requests for value in headers.values() if FULL_KEY in value]


def test_a_session_is_ended(doctor, home):
    response = JSONResponse(INITIALIZED, headers={"Mcp-Session-Id": "session-1"})
    with answering(response) as (url, requests):
        write_config(home, "cursor", {"url": url})
        doctor("--sandbox")

    assert requests[-1]["method"] == "DELETE" and requests[-1]["mcp-session-id"] == "session-1"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"url": "http://127.0.0.1:1/mcp"}, "http://127.0.0.1:1 cannot be reached"),
        ({"url": "http://mcp.example/mcp"}, "the URL is not secure"),
        ({"url": "mcp.example/mcp"}, "the URL is not an http:// or https:// URL"),
        (
            {"url": "http://127.0.0.1:1/mcp", "headers": {"X": "\u2028"}},
            "no request can have this URL or these headers",
        ),
        (
            {"url": "https://mcp.example/mcp", "headers": {"Authorization": f"Bearer PUT_YOUR_{VARIABLE}_HERE"}},
            "Authorization still contains the placeholder",
        ),
        ({"url": "https://mcp.example/mcp", "headers": {KEY_HEADER: '"phx_0123"'}}, "it is in quotation marks"),
    ],
)
def test_a_remote_entry_that_cannot_work_is_reported(doctor, home, entry, message):
    write_config(home, "cursor", entry)

    assert message in doctor("--sandbox").finding("client cursor", "wrong")["says"]


def test_a_slow_server_is_reported(doctor, home):
    async def wait(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await receive()

    with start_blocking_portal() as portal, portal.wrap_async_context_manager(listening(wait)) as origin:
        write_config(home, "cursor", {"url": f"{origin}/mcp"})
        report = doctor("--sandbox", "--timeout", "0.2")

    assert f"{origin} did not answer within 0.2 s" in report.finding("client cursor", "wrong")["says"]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (
            {"url": "https://mcp.example/mcp", "headers": {KEY_HEADER: "${env:NOT_SET}"}},
            "${env:NOT_SET} is not set here",
        ),
        ({"url": "https://mcp.example/sse", "type": "sse"}, "it uses the old SSE transport"),
    ],
)
def test_a_server_that_cannot_be_called_is_not_all_well(doctor, home, entry, reason):
    write_config(home, "cursor", entry)

    report = doctor("--sandbox")

    assert report.status == 3
    assert report.finding("client cursor", "skip")["says"].endswith(f"was not called, because {reason}")


@pytest.mark.parametrize(("flags", "status"), [([], "skip"), (["--run-project-commands"], "ok")])
def test_a_server_that_a_project_names_is_called_with_a_flag_only(doctor, home, flags, status):
    path = home / "project" / ".cursor" / "mcp.json"
    path.parent.mkdir()
    with server("own-key") as url:
        entry = {"url": url, "headers": {KEY_HEADER: f"${{env:{KEY}}}"}}
        path.write_text(json.dumps({"mcpServers": {"core13-mcp": entry}}))
        report = doctor("--sandbox", *flags, **{KEY: FULL_KEY})

    assert url in report.finding("client cursor", status)["says"]
