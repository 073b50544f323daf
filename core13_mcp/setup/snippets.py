"""Configuration snippets for the clients of a server. Pure functions."""

from __future__ import annotations

from pathlib import Path

from ..identity import NAME
from .client import Client
from .clients import CLIENTS
from .entries import REMOTE_SECRETS, ServerEntry
from .environment import Environment
from .install import edit
from .install_links import install_links

# The systems that can have different paths.
_SYSTEMS = ("linux", "darwin", "win32")


def snippets(auth: str, url: str) -> list[tuple[str, str, str]]:
    """Return for each client of a server with this value of `--auth`: its name, where to paste, and the text."""
    entry = ServerEntry(url=url, secrets=REMOTE_SECRETS[auth])
    return [_snippet(client, entry) for client in CLIENTS.values() if client.url_field]


def links(auth: str, url: str) -> list[tuple[str, str]]:
    """Return a label and a link for each client that can add a server from a link."""
    entry = ServerEntry(url=url, secrets=REMOTE_SECRETS[auth])
    return [(f"Add to {link.client}", link.direct) for link in install_links(entry) if link.direct]


def _snippet(client: Client, entry: ServerEntry) -> tuple[str, str, str]:
    if client.remote_command:
        command = client.remote_command.format(name=NAME, url=entry.url)
        headers = (f'--header "{one.header}: {one.prefix}${one.variable}"' for one in entry.secrets)
        return client.title, "In a shell", " \\\n  ".join((command, *headers))
    files = [client.config_file(_environment(system)) for system in _SYSTEMS]
    path = files[0].path.as_posix()
    same = len({file.path for file in files}) == 1
    location = f"In {path}" if same else f"In its configuration file, on Linux {path}"
    return client.title, location, edit(files[0], "", entry).strip()


def _environment(system: str) -> Environment:
    return Environment(platform=system, home=Path("~"), variables={"APPDATA": "%APPDATA%"}, cwd=Path())
