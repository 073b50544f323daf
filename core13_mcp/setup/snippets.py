"""Configuration snippets for the clients of a server. Pure functions."""

from __future__ import annotations

from pathlib import Path

from ..identity import NAME
from .clients import CLIENTS
from .entries import REMOTE_SECRETS, ServerEntry
from .environment import Environment
from .install import edit
from .install_links import install_links

# The clients with a snippet on the landing page, and the scope of the file that the snippet is for.
_SNIPPETS = {"cursor": "user", "vscode": "project", "codex": "user"}


def snippets(auth: str, url: str) -> list[tuple[str, str, str]]:
    """Return for each client of a server with this value of `--auth`: its name, where to paste, and the text."""
    entry = ServerEntry(url=url, secrets=REMOTE_SECRETS[auth])
    snippets = [("Claude Code", "In a shell", _claude_command(entry))]
    snippets += [_file_snippet(name, scope, entry) for name, scope in _SNIPPETS.items()]
    if auth == "oauth":
        # Chat clients can sign in, but they send no custom headers.
        snippets[:0] = [
            ("Claude", "In Settings, Connectors, Add custom connector", url),
            ("ChatGPT", "In Settings, Connectors, Advanced, Developer mode, Create (https only)", url),
        ]
    return snippets


def links(auth: str, url: str) -> list[tuple[str, str]]:
    """Return a label and a link for each client that can add a server from a link."""
    entry = ServerEntry(url=url, secrets=REMOTE_SECRETS[auth])
    return [(f"Add to {link.client}", link.direct) for link in install_links(entry) if link.direct]


def _claude_command(entry: ServerEntry) -> str:
    command = f"claude mcp add --transport http {NAME} {entry.url}"
    for secret in entry.secrets:
        command += f' \\\n  --header "{secret.header}: {secret.prefix}${secret.variable}"'
    return command


def _file_snippet(name: str, scope: str, entry: ServerEntry) -> tuple[str, str, str]:
    # Only the home and project folders are in these paths, so they are the same on every platform.
    user = Environment(platform="linux", home=Path("~"), variables={}, cwd=Path())
    file = CLIENTS[name].config_file(user, scope)
    return file.client.title, f"In {file.path.as_posix()}", edit(file, "", entry).strip()
