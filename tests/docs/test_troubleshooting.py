"""The product prints every message that docs/troubleshooting.md explains."""

from __future__ import annotations

import re
import socket
import ssl
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from core13_mcp.api.failures import tls_failure
from core13_mcp.api.proxy import Proxy
from core13_mcp.declarations.catalog import load

from ..factories import store_sign_in
from ..fake_api import FakeAPI, Reply, call_error, fail_with, reply
from ..processes import run_cli

PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"
KEY = "POSTHOG_PERSONAL_API_KEY"
CREATE = {
    "project_id": 1,
    "insight": 1,
    "target_type": "webhook",
    "target_value": "https://hook.example",
    "frequency": "daily",
    "start_date": "2026-12-01T09:00:00Z",
    "enabled": False,
}
TOOL_ERRORS: list[tuple[str, dict[str, Any], Reply]] = [
    ("users-retrieve", {}, reply(401, {"detail": "Invalid key."})),
    ("subscriptions-list", {}, reply(403, {"detail": "API key missing required scope 'subscription:read'"})),
    ("users-retrieve", {"uuid": "0190a1b2"}, reply(403, {"detail": "No permission."})),
    ("subscriptions-list", {}, reply(402, {"code": "payment_required", "detail": "Upgrade."})),
    ("subscriptions-test-delivery-create", {"project_id": 1, "id": 1}, reply(409, {"detail": "Disabled."})),
    ("users-retrieve", {}, reply(429, {"detail": "Throttled."}, retry_after="3600")),
    ("subscriptions-create", CREATE, fail_with(httpx2.ReadError)),
    ("users-retrieve", {}, fail_with(httpx2.ConnectError)),
    ("users-retrieve", {}, reply(200, b"<html>")),
    ("users-retrieve", {}, reply(302, location="https://login.example")),
    ("session-recordings-sharing-refresh-create", {"project_id": 1, "recording_id": "x"}, reply(200, {})),
]


def messages(section: str) -> list[str]:
    """The quoted messages in the table of a section, cut at each ` ... `."""
    text = PAGE.read_text("utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE)
    return [part for cell in cells for quote in re.findall(r"`([^`]+)`", cell) for part in quote.split(" ... ")]


async def tool_errors() -> list[str]:
    tools = load()
    return [str(await call_error(tools[name], FakeAPI(answer), **arguments)) for name, arguments, answer in TOOL_ERRORS]


def connect_errors() -> list[str]:
    """The failures of connections; tests/api makes each of them happen."""
    errors = [ssl.SSLCertVerificationError(1, ""), ssl.SSLCertVerificationError(1, ""), ssl.SSLCertVerificationError()]
    for error, code in zip(errors, (10, 62, 18), strict=True):
        error.verify_code, error.verify_message = code, ""
    no_tls = ssl.SSLError(1, "")
    no_tls.reason = "WRONG_VERSION_NUMBER"
    proxy = Proxy("proxy.example", 3128).failure(Proxy("proxy.example", 3128).refusal(407, "a.example"), "a.example")
    return [str(proxy), *(str(tls_failure(error, "a.example")) for error in (*errors, no_tls))]


def command_errors() -> list[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        runs = [
            run_cli("call", "users-retrieve"),
            run_cli("call", "users-retrieve", **{KEY: f"${{{KEY}}}"}),
            run_cli("call", "users-retrieve", **{KEY: "phc_public"}),
            run_cli("call", "users-retrieve", POSTHOG_HOST="https://us.i.posthog.com", **{KEY: "phx_" + "k" * 40}),
            *(run_cli("call", "users-retrieve", **{KEY: key}) for key in ("'phx_a'", "KEY=phx_a", "<KEY>")),
            run_cli("call", "users-retrieve", SSL_CERT_FILE="/none", **{KEY: "phx_" + "k" * 40}),
            run_cli("call", "users-retrieve", SSL_CERT_DIR="/none", **{KEY: "phx_" + "k" * 40}),
            run_cli("tools", CORE13_READONLY="1"),
            run_cli("serve", "--sandbox", "--http", address),
            run_cli("install", "cursor", "--uvx", "--print", PATH=""),
        ]
    assert {run.returncode for run in runs} == {2}
    return [run.stderr for run in runs]


def sign_in_error(directory: Path) -> str:
    """The message of a call with a sign-in that PostHog has ended."""
    store_sign_in(directory, ended="invalid_grant")
    return run_cli("call", "users-retrieve", CORE13_LOGIN_DIR=str(directory)).stderr


@pytest.mark.usefixtures("without_pauses")
def test_the_product_prints_every_message_of_the_page(tmp_path: Path) -> None:
    printed = "\n".join(
        [*command_errors(), *connect_errors(), *anyio.run(tool_errors), sign_in_error(tmp_path / "sign-in")]
    )
    quotes = messages("Messages")
    assert len(quotes) >= 15
    assert [quote for quote in quotes if quote not in printed] == []
