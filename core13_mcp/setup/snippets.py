"""Configuration snippets and install links for the clients of a server. Pure functions."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from ..identity import NAME
from ..keys import KEY_HEADER
from . import merge
from .clients import CLIENTS
from .entries import Secret, ServerEntry, changes
from .environment import Environment

# The clients with a snippet on the landing page, and the scope of the file that the snippet is for.
_SNIPPETS = {"cursor": "user", "vscode": "project", "codex": "user"}


class ConfigSnippet(NamedTuple):
    """A text to paste for one client; `location` says where."""

    client: str
    location: str
    text: str


class Link(NamedTuple):
    """A link that a client opens to add the server."""

    label: str
    href: str


class Connection(NamedTuple):
    """How clients connect to a server over HTTP.

    Attributes:
        secret: The secret that each request carries in a header; None if there is none.
        oauth: Whether clients sign in with OAuth. Then chat clients, which send no custom headers, can connect too.
    """

    url: str
    secret: Secret | None = None
    oauth: bool = False

    @classmethod
    def for_auth(cls, auth: str, url: str) -> Connection:
        """Return the connection to a server with this value of `--auth`."""
        secrets = {
            "token": Secret(variable="CORE13_TOKEN", description="the token that your administrator gave you"),
            "own-key": Secret(header=KEY_HEADER, prefix="", description="your PostHog personal API key"),
        }
        return cls(url, secrets.get(auth), oauth=auth == "oauth")


def snippets(connection: Connection) -> tuple[ConfigSnippet, ...]:
    """Return the text to paste for each client that takes one."""
    return (
        *(_chat_clients(connection.url) if connection.oauth else ()),
        ConfigSnippet("Claude Code", "In a shell", _claude_command(connection)),
        *(_file_snippet(name, scope, connection) for name, scope in _SNIPPETS.items()),
    )


def links(connection: Connection) -> tuple[Link, ...]:
    """Return a link for each client that can add a server from a link."""
    entry = ServerEntry(url=connection.url, secret=connection.secret)
    return Link("Add to VS Code", vscode_link(entry)), Link("Add to Cursor", cursor_link(entry))


def cursor_link(entry: ServerEntry, web: bool = False) -> str:
    """Return the link that adds a server to Cursor; `web`: for pages with web links only."""
    ((_, value),) = changes(CLIENTS["cursor"], (), entry)
    config = quote(base64.b64encode(json.dumps(value).encode()).decode(), safe="")
    base = "https://cursor.com/en/install-mcp" if web else "cursor://anysphere.cursor-deeplink/mcp/install"
    return f"{base}?name={NAME}&config={config}"


def vscode_link(entry: ServerEntry, web: bool = False) -> str:
    """Return the link that adds a server to VS Code; `web`: for pages with web links only."""
    *prompts, (_, value) = changes(CLIENTS["vscode"], (), entry)
    inputs = [prompt for _, prompt in prompts]
    if web:
        query = f"name={NAME}&inputs={_quoted(inputs)}&config={_quoted(value)}"
        return f"https://insiders.vscode.dev/redirect/mcp/install?{query}"
    return "vscode:mcp/install?" + _quoted({"name": NAME, **({"inputs": inputs} if inputs else {}), **value})


def _quoted(value: Any) -> str:
    return quote(json.dumps(value), safe="")


def _chat_clients(url: str) -> tuple[ConfigSnippet, ...]:
    return (
        ConfigSnippet("Claude", "In Settings, Connectors, Add custom connector", url),
        ConfigSnippet("ChatGPT", "In Settings, Connectors, Advanced, Developer mode, Create (https only)", url),
    )


def _claude_command(connection: Connection) -> str:
    command = f"claude mcp add --transport http {NAME} {connection.url}"
    if secret := connection.secret:
        command += f' \\\n  --header "{secret.header}: {secret.prefix}${secret.variable}"'
    return command


def _file_snippet(name: str, scope: str, connection: Connection) -> ConfigSnippet:
    # Only the home and project folders are in these paths, so they are the same on every platform.
    user = Environment(platform="linux", home=Path("~"), variables={}, cwd=Path())
    file = CLIENTS[name].config_file(user, scope)
    entry = ServerEntry(url=connection.url, secret=connection.secret)
    text = merge.add(file.client.format, "", changes(file.client, file.servers_path, entry))
    return ConfigSnippet(file.client.title, f"In {file.path.as_posix()}", text.strip())
