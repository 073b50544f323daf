"""`core13-mcp uninstall`: this server out of a client's configuration."""

from __future__ import annotations

import argparse
from pathlib import Path

from ...errors import ConfigurationError
from ...identity import NAME
from ...setup import files
from ...setup.client import Client
from ...setup.clients import CLIENTS
from ...setup.environment import Machine
from ...setup.merge import cleared, held
from ...setup.paths import Step, Unparsable


async def run(arguments: argparse.Namespace, _: object) -> int:
    """Take this server out of the client's file; what else is there stays as it is.

    Raises:
        ConfigurationError: The client has no such scope, or its file cannot be read, understood or written.
    """
    client, machine = CLIENTS[arguments.client], Machine.this()
    scope = client.scope(arguments.scope)
    path, at = client.file(machine, scope), client.servers(machine, scope)
    text = files.read(path) or ""
    try:
        if held(client, text, (*at, NAME)) is None:
            print(f"{client.title}: there is no {NAME} in {path}")
            return 0
        left = cleared(client, text, at, files.read(files.backup(path)))
        files.restore(path, left)
        _forget(client, path, at, left)
    except Unparsable as error:
        raise ConfigurationError(f"{path}: {error}; nothing was changed") from None
    print(f"{client.title}: took {NAME} out of {path}; restart it if it is running")
    return 0


def _forget(client: Client, path: Path, at: tuple[Step, ...], left: str | None) -> None:
    """Remove the copy from before, where it says nothing more: it may hold a key."""
    copy = files.backup(path)
    before = files.read(copy)
    if before is not None and (before == left or held(client, before, (*at, NAME)) is not None):
        copy.unlink()
