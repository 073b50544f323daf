"""Installations with a problem: in the file of a client, or at the address of the API."""

from __future__ import annotations

import asyncio
import json
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
from core13_mcp.setup.clients import CLIENTS

from ...asgi import listening
from ..config_fixtures import BEFORE

KEY = "POSTHOG_PERSONAL_API_KEY"
COMMAND = str(Path(sys.executable).with_name("core13-mcp"))
SANDBOX = {"CORE13_SANDBOX": "true"}
ENTRY = {"command": COMMAND, "args": ["serve"], "env": SANDBOX}

# A minimal MCP server; the real one takes a second to start.
FAKE_SERVER = """\
read initialize
echo '{"jsonrpc": "2.0", "method": "notifications/message", "params": {}}'
echo '{"jsonrpc": "2.0", "id": 1, "result": {"serverInfo": {"name": "core13-mcp", "version": "%s"}}}'
read initialized
read list
echo '{"jsonrpc": "2.0", "id": 2, "result": {"tools": []}}'
"""


def write_config(home: Path, client: str, content: Any) -> Path:
    """Write the file of a client: bytes, a text, or an object with one server entry."""
    name, servers_key, _ = BEFORE[client]
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, str | bytes):
        content = json.dumps({servers_key: {"core13-mcp": content}}, indent=2)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o600)
    return path


def in_form_of(client: str, value: Any) -> Any:
    """An entry with the fields that most clients use, as the entry of one client."""
    form = CLIENTS[client]
    if not isinstance(value, dict) or form.arguments_field:
        return value
    words = [value["command"], *value.get("args", [])]
    return {**form.local_fields, form.program_field: words, form.env_field: value.get("env", {})}


def write_program(path: Path, script: str, interpreter: str = "/bin/sh") -> str:
    """Write an executable script and return its path."""
    path.write_text(f"#!{interpreter}\n{script}\n")
    path.chmod(0o755)
    return str(path)


@contextmanager
def sandbox_api(*faults: str, database: str = ":memory:") -> Iterator[str]:
    """The origin of a sandbox with these faults."""
    app = sandbox.build(database, faults=bool(faults))
    app.state.faults += faults
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(listening(app)) as origin:
        yield origin


@contextmanager
def sandbox_with_scopes(folder: Path, scopes: str, **reach: list[Any]) -> Iterator[str]:
    """The origin of a sandbox in which READ_ONLY_KEY has only these scopes, projects and organizations."""
    database = folder / "sandbox.db"
    sandbox.build(str(database))
    with closing(sqlite3.connect(database)) as connection, connection:
        statement = "update credential set doc = ? where secret = ?"
        connection.execute(statement, (json.dumps({"scopes": scopes, **reach}), READ_ONLY_KEY))
    with sandbox_api(database=str(database)) as origin:
        yield origin


@contextmanager
def untrusted_certificate() -> Iterator[str]:
    """The origin of a TLS server with a certificate that is not trusted."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    # A self-signed certificate for 127.0.0.1, valid for a hundred years. Nothing else uses its key.
    context.load_cert_chain(Path(__file__).with_name("untrusted.pem"))

    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    @asynccontextmanager
    async def serve() -> AsyncIterator[str]:
        server = await asyncio.start_server(close, "127.0.0.1", 0, ssl=context)
        async with server:
            yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serve()) as origin:
        yield origin
