"""Links that add a server to a client with a click. Pure functions.

The formats are those of the documentation of each client, read in November 2026.
"""

from __future__ import annotations

import base64
import json
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from ..identity import NAME, TITLE
from .clients import CLIENTS
from .entries import ServerEntry, changes


class InstallLink(NamedTuple):
    """The links of one client: `direct` opens the client, `web` is for pages that allow web links only."""

    client: str
    direct: str = ""
    web: str = ""


def install_links(entry: ServerEntry) -> list[InstallLink]:
    """Return the links of each client that can add this entry from a link."""
    links = [
        InstallLink("VS Code", vscode_link(entry), vscode_link(entry, web=True)),
        InstallLink("Cursor", cursor_link(entry), cursor_link(entry, web=True)),
        InstallLink("VS Code Insiders", web=vscode_link(entry, web=True) + "&quality=insiders"),
    ]
    if entry.url is None:
        links += [_kiro(entry), _lmstudio(entry), _goose(entry)]
    return links


def cursor_link(entry: ServerEntry, web: bool = False) -> str:
    """Return the link that adds a server to Cursor; `web`: for pages with web links only."""
    ((_, value),) = changes(CLIENTS["cursor"], (), entry)
    base = "https://cursor.com/en/install-mcp" if web else "cursor://anysphere.cursor-deeplink/mcp/install"
    return f"{base}?name={NAME}&config={_base64(value)}"


def vscode_link(entry: ServerEntry, web: bool = False) -> str:
    """Return the link that adds a server to VS Code; `web`: for pages with web links only."""
    *prompts, (_, value) = changes(CLIENTS["vscode"], (), entry)
    inputs = [prompt for _, prompt in prompts]
    if web:
        query = f"name={NAME}&inputs={_quoted(inputs)}&config={_quoted(value)}"
        return f"https://insiders.vscode.dev/redirect/mcp/install?{query}"
    return "vscode:mcp/install?" + _quoted({"name": NAME, **({"inputs": inputs} if inputs else {}), **value})


def _kiro(entry: ServerEntry) -> InstallLink:
    config = _quoted({"command": entry.command[0], "args": [*entry.command[1:]]})
    return InstallLink("Kiro", web=f"https://kiro.dev/launch/mcp/add?name={NAME}&config={config}")


def _lmstudio(entry: ServerEntry) -> InstallLink:
    query = f"?name={NAME}&config={_base64({'command': entry.command[0], 'args': [*entry.command[1:]]})}"
    return InstallLink("LM Studio", f"lmstudio://add_mcp{query}", f"https://lmstudio.ai/install-mcp{query}")


def _goose(entry: ServerEntry) -> InstallLink:
    fields = [("cmd", entry.command[0]), *(("arg", argument) for argument in entry.command[1:])]
    fields += [("id", NAME), ("name", NAME), ("description", TITLE), ("timeout", "300")]
    query = urlencode(fields, quote_via=quote)
    return InstallLink("Goose", f"goose://extension?{query}", f"https://block.github.io/goose/extension?{query}")


def _base64(value: Any) -> str:
    """Return a JSON value for a query: Base64 has characters with a meaning there."""
    return quote(base64.b64encode(json.dumps(value).encode()).decode(), safe="")


def _quoted(value: Any) -> str:
    return quote(json.dumps(value), safe="")
