"""Set-ups in which something is wrong: what is behind the API's address, and what is in a client's file."""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
import ssl
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

from anyio.from_thread import start_blocking_portal

from core13_mcp import sandbox
from core13_mcp.sandbox import READ_ONLY_KEY

from ...asgi import listening

KEY = "POSTHOG_PERSONAL_API_KEY"
COMMAND = str(Path(sys.executable).with_name("core13-mcp"))
ENTRY = {"command": COMMAND, "args": ["serve"], "env": {"CORE13_SANDBOX": "true"}}
CURSOR, DESKTOP = ".cursor/mcp.json", ".config/Claude/claude_desktop_config.json"
ZED = ".config/zed/settings.json"

FILES: dict[str, tuple[str, str, Any]] = {
    "The command is relative": (
        "claude-desktop",
        DESKTOP,
        {"mcpServers": {"core13-mcp": {**ENTRY, "command": "uvx", "args": ["core13-mcp"]}}},
    ),
    "The server is under the wrong name": (
        "vscode",
        ".config/Code/User/mcp.json",
        {"mcpServers": {"core13-mcp": ENTRY}},
    ),
    "The client's file is not JSON": (
        "cursor",
        CURSOR,
        '{"mcpServers": {\n  "core13-mcp": {"command": "x",, }}}',
    ),
    "The command is not there any more": (
        "zed",
        ZED,
        {"context_servers": {"core13-mcp": {**ENTRY, "command": "/gone/core13-mcp"}}},
    ),
    "A reference in a client that knows none": (
        "claude-desktop",
        DESKTOP,
        {"mcpServers": {"core13-mcp": {**ENTRY, "env": {KEY: "${POSTHOG_PERSONAL_API_KEY}"}}}},
    ),
    "The key is still the placeholder": (
        "zed",
        ZED,
        {"context_servers": {"core13-mcp": {**ENTRY, "env": {KEY: "PUT_YOUR_POSTHOG_PERSONAL_API_KEY_HERE"}}}},
    ),
    "The client passes no key on": ("cursor", CURSOR, {"mcpServers": {"posthog": {**ENTRY, "env": {}}}}),
    "A setting in the client's file is wrong": (
        "codex",
        ".codex/config.toml",
        f'[mcp_servers.core13-mcp]\ncommand = "{COMMAND}"\nargs = ["serve"]\nenv = {{ POSTHOG_HOST = "mars" }}\n',
    ),
    "The command is not on the PATH": (
        "gemini",
        ".gemini/settings.json",
        {"mcpServers": {"core13-mcp": {"command": "core13-nowhere", "args": []}}},
    ),
    "The key in the client's file is of the wrong kind": (
        "windsurf",
        ".codeium/windsurf/mcp_config.json",
        {"mcpServers": {"core13-mcp": {**ENTRY, "env": {KEY: "phc_0123456789"}}}},
    ),
    "What the client runs speaks no MCP": (
        "claude-code",
        "project/.mcp.json",
        {"mcpServers": {"core13-mcp": {"command": "/bin/sh", "args": ["-c", "echo core13-mcp; cat"]}}},
    ),
}
"""A client, the path of its file under the home folder, and what is in it; by what is wrong there."""


def write(home: Path, path: str, held: Any) -> Path:
    """A client's file, as somebody may have written it."""
    (home / path).parent.mkdir(parents=True, exist_ok=True)
    (home / path).write_text(held if isinstance(held, str) else json.dumps(held, indent=2))
    (home / path).chmod(0o600)
    return home / path


def program(path: Path, script: str, interpreter: str = "/bin/sh") -> str:
    """A program that does what a script says."""
    path.write_text(f"#!{interpreter}\n{script}\n")
    path.chmod(0o755)
    return str(path)


def uvx(folder: Path) -> str:
    """A uvx that runs this installation, whatever version it is asked for."""
    return program(folder / "uvx", f'shift\nexec {COMMAND} "$@"')


@contextmanager
def api(*faults: str, database: str = ":memory:") -> Iterator[str]:
    """A sandbox on a port, with these faults."""
    app = sandbox.build(database, faults=bool(faults))
    app.state.faults += faults
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(listening(app)) as at:
        yield at


@contextmanager
def with_scopes(folder: Path, scopes: str) -> Iterator[str]:
    """A sandbox on a port, in which READ_ONLY_KEY holds these scopes only."""
    database = folder / "sandbox.db"
    sandbox.build(str(database))
    with closing(sqlite3.connect(database)) as held, held:
        held.execute("update credential set doc = ? where secret = ?", (json.dumps({"scopes": scopes}), READ_ONLY_KEY))
    with api(database=str(database)) as at:
        yield at


@contextmanager
def nobody() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def untrusted() -> Iterator[str]:
    """An address where TLS is spoken, with a certificate that nobody trusts."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    # It signs itself, for 127.0.0.1 and a hundred years, and opens nothing.
    context.load_cert_chain(Path(__file__).with_name("untrusted.pem"))

    async def greeted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    @asynccontextmanager
    async def listening() -> AsyncIterator[str]:
        server = await asyncio.start_server(greeted, "127.0.0.1", 0, ssl=context)
        async with server:
            yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    with start_blocking_portal() as portal, portal.wrap_async_context_manager(listening()) as at:
        yield at
