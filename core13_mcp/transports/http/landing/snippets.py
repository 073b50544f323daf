"""How each client is told of this server: what to paste, and links that do it. Pure."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ....identity import NAME
from ..auth.authenticator import KEY

_SECRET = "secret"


@dataclass(frozen=True, slots=True)
class ConfigSnippet:
    """What to paste, and where."""

    client: str
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link that a client opens."""

    says: str
    href: str


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """What a client must know to get in.

    Attributes:
        header: The header that carries the caller's secret; None where there is none to send.
        prefix: What stands before the secret.
        variable: The environment variable that the secret is suggested to be kept in.
        what: What the secret is, in words.
    """

    url: str
    header: str | None = None
    prefix: str = ""
    variable: str = ""
    what: str = ""

    @classmethod
    def of(cls, auth: str, url: str) -> ConnectionInfo:
        """The door of a server with this `--auth`."""
        if auth == "token":
            return cls(url, "Authorization", "Bearer ", "CORE13_TOKEN", "the token that you were given")
        if auth == "own-key":
            return cls(url, KEY, "", "POSTHOG_PERSONAL_API_KEY", "your PostHog personal API key")
        return cls(url)

    def entry(self, reference: str, **more: str) -> dict[str, Any]:
        """A client's entry, with a reference to the secret in the client's own form."""
        sent = {"headers": {self.header: self.prefix + reference}} if self.header else {}
        return {**more, "url": self.url, **sent}


def snippets(door: ConnectionInfo, auth: str) -> list[ConfigSnippet]:
    """What to paste, for each client that takes text."""
    header = f' \\\n  --header "{door.header}: {door.prefix}${door.variable}"' if door.header else ""
    return [
        *(_chats(door) if auth == "oauth" else []),
        ConfigSnippet("Claude Code", "In a shell", f"claude mcp add --transport http {NAME} {door.url}{header}"),
        ConfigSnippet("Cursor", "In ~/.cursor/mcp.json", _shown({"mcpServers": {NAME: _cursor(door)}})),
        ConfigSnippet("VS Code", "In .vscode/mcp.json", _shown({**_inputs(door), "servers": {NAME: _code(door)}})),
        ConfigSnippet("Codex", "In ~/.codex/config.toml", _codex(door)),
    ]


def links(door: ConnectionInfo) -> list[Link]:
    """Links that add this server, for the clients that have such a thing."""
    cursor = base64.b64encode(json.dumps(_cursor(door)).encode()).decode()
    code = json.dumps({"name": NAME, **_inputs(door), **_code(door)})
    return [
        Link("Add to VS Code", f"vscode:mcp/install?{quote(code, safe='')}"),
        Link(
            "Add to Cursor",
            f"cursor://anysphere.cursor-deeplink/mcp/install?name={NAME}&config={quote(cursor, safe='')}",
        ),
    ]


def _chats(door: ConnectionInfo) -> list[ConfigSnippet]:
    """Chat clients, which send no header of one's own choice and log in instead."""
    return [
        ConfigSnippet("Claude", "In Settings, Connectors, Add custom connector", door.url),
        ConfigSnippet(
            "ChatGPT", "In Settings, Connectors, Advanced, Developer mode, then Create; it wants https", door.url
        ),
    ]


def _cursor(door: ConnectionInfo) -> dict[str, Any]:
    return door.entry(f"${{env:{door.variable}}}")


def _code(door: ConnectionInfo) -> dict[str, Any]:
    return door.entry(f"${{input:{_SECRET}}}", type="http")


def _inputs(door: ConnectionInfo) -> dict[str, Any]:
    """What VS Code asks once, and keeps in the system's key store."""
    asked = {"type": "promptString", "id": _SECRET, "description": door.what, "password": True}
    return {"inputs": [asked]} if door.header else {}


def _codex(door: ConnectionInfo) -> str:
    lines = [f"[mcp_servers.{NAME}]", f'url = "{door.url}"']
    if door.header == "Authorization":
        lines.append(f'bearer_token_env_var = "{door.variable}"')
    elif door.header:
        lines.append(f'env_http_headers = {{ "{door.header}" = "{door.variable}" }}')
    return "\n".join(lines)


def _shown(said: Any) -> str:
    return json.dumps(said, indent=2)
