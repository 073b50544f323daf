"""The server does not start if it would be unsafe; test_refused_start_docs.py has the documented cases."""

from __future__ import annotations

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


def settings(**fields: Any) -> Settings:
    return Settings(**{"sandbox": True, "log_level": "error", **fields})


async def start_error(address: str, **fields: Any) -> str:
    """Return the message of the error that prevents the start."""
    with anyio.fail_after(20), pytest.raises(ConfigurationError) as error:
        async with build_http(settings(**fields), address):
            pass
    return str(error.value)


@pytest.mark.parametrize(
    ("address", "fields", "message"),
    [
        ("[::]:0", PUBLIC, "set CORE13_AUTH to token"),
        ("0", {"http_posthog_hosts": "eu"}, "with CORE13_AUTH=own-key only"),
        ("0", {"http_url": "https://[::1"}, "is not a URL"),
        ("0", {"http_hosts": ("10.0.0.1/8",)}, "is not a name, a name with a port, or a network"),
        ("0", {"http_origins": "https://app.example.com/page"}, "is not an origin such as https://app.example.com"),
        ("0", {"http_metrics_port": "9000"}, "CORE13_HTTP_METRICS_PORT has an effect with CORE13_HTTP_METRICS=1 only"),
        ("0", {"http_metrics": True, "http_metrics_port": "x"}, "CORE13_HTTP_METRICS_PORT: 'x' is not [HOST:]PORT"),
        ("0", {"seal_keys_file": "/nowhere"}, "the file with the seal keys, /nowhere: it cannot be read"),
        *(
            ("0", {"http_hosts": (host,)}, f"CORE13_HTTP_HOSTS shows that callers come through {host}, and with")
            for host in (
                "mcp.example.com",
                "mcp.example.com:8080",
                "192.0.2.1",
                "10.0.0.0/8",
                "0.0.0.0/0",
                "[2001:db8::1]",
            )
        ),
        ("127.0.0.1:65536", {}, "65536 is not a port"),
    ],
)
async def test_an_unsafe_or_useless_setting_prevents_the_start(
    address: str, fields: dict[str, Any], message: str
) -> None:
    assert message in await start_error(address, **fields)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# a comment\n", "contains no token"),
        (f"anna: {TOKEN}\nben\n", "line 2 is not valid; write `name: token`"),
        ("anna: tooshort", "line 1 has a token with less than 32 characters"),
    ],
)
async def test_an_error_in_the_tokens_file_is_reported_by_line_without_its_text(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "tokens"
    file.write_text(text)
    error = await start_error("0", auth="token", caller_tokens_file=str(file))
    assert message in error
    assert TOKEN not in error
    assert "tooshort" not in error


@pytest.mark.parametrize(("text", "message"), [("\n", "it contains no key"), ("short", "fewer than 32 characters")])
async def test_a_seal_keys_file_without_a_usable_key_prevents_the_start(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "seal-keys"
    file.write_text(text)
    assert message in await start_error("0", seal_keys_file=str(file))


async def test_a_tokens_file_without_end_is_not_read_to_its_end() -> None:
    error = await start_error("0", auth="token", caller_tokens_file="/dev/zero")
    assert "it has more than 1048576 bytes" in error


async def test_a_server_with_a_public_url_and_no_seal_keys_logs_a_warning() -> None:
    variables = {"CORE13_SANDBOX": "1", "CORE13_AUTH": "own-key", "CORE13_HTTP_DRAIN": "0"}
    variables |= {"CORE13_HTTP_URL": "https://tools.example.com"}
    pattern = r"warning CORE13_SEAL_KEYS is not set: (.*)\n"
    async with child(pattern=pattern, **variables) as (process, warning):
        process.terminate()
        assert await process.wait() == 0
    assert warning.endswith("set the same keys on all replicas")


async def test_a_safe_configuration_starts(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text(f"anna: {TOKEN}")
    safe: list[tuple[str, dict[str, Any]]] = [
        ("0", {}),
        ("localhost:0", {}),
        ("0", {"http_hosts": ("localhost:9", "127.0.0.2", "127.0.0.0/8", "::1", "[::1]:80")}),
        ("0.0.0.0:0", {"auth": "token", "caller_tokens_file": str(file), **PUBLIC}),
        ("0.0.0.0:0", {"auth": "own-key", "http_hosts": ("tools.example.com",)}),
        ("0.0.0.0:0", {"auth": "oauth", "sandbox": False, **PUBLIC}),
        ("0", {"auth": "oauth", "sandbox": False}),
    ]
    for address, fields in safe:
        async with build_http(settings(**fields), address) as server:
            assert server.url.endswith("/mcp")


def test_the_variables_of_a_kubernetes_service_are_not_settings() -> None:
    names = ("SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_80_TCP", "PORT_80_TCP_ADDR")
    assert Settings.read({f"CORE13_MCP_{name}": "10.0.0.1" for name in names}) == Settings()
    with pytest.raises(ConfigurationError, match="CORE13_MCP_READ_ONLY"):
        Settings.read({"CORE13_MCP_READ_ONLY": "1"})
