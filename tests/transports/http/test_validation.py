"""What would not be safe does not start, and says what to set."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import anyio
import pytest

from core13_mcp.compose.http import build_http
from core13_mcp.errors import ConfigurationError
from core13_mcp.settings import Settings

from .http_server import child

pytestmark = pytest.mark.anyio

TOKEN = "a" * 32
PUBLIC = {"http_url": "https://tools.example.com"}


async def refusal(where: str, **said: Any) -> str:
    """Why a server does not start."""
    with anyio.fail_after(20), pytest.raises(ConfigurationError) as refused:
        async with build_http(Settings(**{"sandbox": True, "log_level": "error", **said}), where):
            pass
    return str(refused.value)


@pytest.mark.parametrize(
    ("where", "said", "tells"),
    [
        ("0.0.0.0:0", {}, "set CORE13_AUTH to token, own-key or oauth, or listen on 127.0.0.1"),
        ("[::]:0", PUBLIC, "set CORE13_AUTH to token"),
        ("0.0.0.0:0", {"auth": "own-key"}, "CORE13_HTTP_URL=https://... or CORE13_HTTP_HOSTS"),
        ("0", {"auth": "token"}, "needs CORE13_CALLER_TOKENS_FILE"),
        (
            "0",
            {"auth": "token", "caller_tokens_file": "/nowhere"},
            "the callers' tokens, /nowhere: it cannot be read: No such file",
        ),
        ("0", {"caller_tokens_file": "/nowhere"}, "CORE13_AUTH=none asks for no token"),
        ("0", {"auth": "token", "caller_tokens_file": "x", "http_bearer_keys": True}, "need CORE13_AUTH=own-key"),
        ("0", {"http_posthog_hosts": "eu"}, "need CORE13_AUTH=own-key"),
        ("0", {"auth": "oauth"}, "run `core13-mcp sandbox --port 8013` and set POSTHOG_HOST"),
        ("0.0.0.0:0", {"auth": "oauth", "sandbox": False, "http_hosts": "a.example"}, "needs CORE13_HTTP_URL"),
        ("0", {"http_url": "https://tools.example.com"}, "anyone of them would use this server's key"),
        ("0", {"http_url": "http://tools.example.com"}, "must be https://"),
        ("0", {"http_url": "tools.example.com"}, "is not a URL"),
        ("0", {"http_url": "https://[::1"}, "is not a URL"),
        ("0", {"http_hosts": "https://tools.example.com"}, "is not a name, a name with a port, or a network"),
        ("0", {"http_hosts": "10.0.0.1/8"}, "is not a name, a name with a port, or a network"),
        ("0", {"http_origins": "app.example.com"}, "is not an origin such as https://app.example.com"),
        ("0", {"sandbox": False}, "POSTHOG_PERSONAL_API_KEY is not set"),
        ("somewhere", {}, "is not [HOST:]PORT"),
        ("127.0.0.1:65536", {}, "is not [HOST:]PORT"),
        ("192.0.2.1:0", {"auth": "own-key", **PUBLIC}, "cannot listen on 192.0.2.1 port 0"),
    ],
)
async def test_it_refuses(where: str, said: dict[str, Any], tells: str) -> None:
    assert tells in await refusal(where, **said)


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("", "contains no token"),
        ("# nobody\n", "contains no token"),
        (f"anna: {TOKEN}\nben\n", "line 2 is not valid; write `name: token`"),
        ("anna: tooshort", "line 1 has a token with less than 32 characters"),
        (f"an na: {TOKEN}", "line 1 is not valid; write `name: token`"),
    ],
)
async def test_a_wrong_tokens_file_is_told_by_its_line_and_never_by_its_words(
    tmp_path: Path, text: str, tells: str
) -> None:
    file = tmp_path / "tokens"
    file.write_text(text)
    told = await refusal("0", auth="token", caller_tokens_file=str(file))
    assert tells in told
    assert TOKEN not in told
    assert "tooshort" not in told


async def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        told = await refusal(str(taken.getsockname()[1]))
    assert "Address already in use" in told


def test_a_short_seal_key_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigurationError, match="CORE13_SEAL_KEYS: a key needs at least 32 characters") as refused:
        Settings.read({"CORE13_SEAL_KEYS": f"{TOKEN},short-one"})
    assert "short-one" not in str(refused.value)


async def test_who_may_be_one_replica_of_several_is_told_what_no_seal_means() -> None:
    with anyio.fail_after(60):
        warning = r"warning CORE13_SEAL_KEYS is not set: (.*)\n"
        said = {"CORE13_SANDBOX": "1", "CORE13_AUTH": "own-key", "CORE13_HTTP_DRAIN": "0"}
        said |= {"CORE13_HTTP_URL": "https://tools.example.com"}
        async with child(saying=warning, **said) as (process, told):
            process.terminate()
            assert await process.wait() == 0
    assert told == "a confirmation holds only on the replica that asked for it"


async def test_what_is_safe_starts(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"anna: {TOKEN}")
    safe: list[tuple[str, dict[str, Any]]] = [
        ("0", {}),
        ("localhost:0", {}),
        ("0.0.0.0:0", {"auth": "token", "caller_tokens_file": str(file), **PUBLIC}),
        ("0.0.0.0:0", {"auth": "own-key", "http_hosts": "tools.example.com"}),
        ("0.0.0.0:0", {"auth": "oauth", "sandbox": False, **PUBLIC}),
        ("0", {"auth": "oauth", "sandbox": False}),
    ]
    for where, said in safe:
        with anyio.fail_after(20):
            async with build_http(Settings(**{"sandbox": True, "log_level": "error", **said}), where) as ready:
                assert ready.url.endswith("/mcp")


def test_what_kubernetes_adds_for_a_service_of_this_name_is_not_taken_for_a_setting() -> None:
    added = ("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_80_TCP", "PORT_80_TCP_ADDR")
    assert Settings.read({f"CORE13_MCP_{name}": "10.0.0.1" for name in added}) == Settings()
    with pytest.raises(ConfigurationError, match="CORE13_MCP_READ_ONLY is not a setting"):
        Settings.read({"CORE13_MCP_READ_ONLY": "1"})
