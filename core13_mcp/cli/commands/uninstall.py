"""`core13-mcp uninstall`: remove this server from a client's configuration file."""

from __future__ import annotations

import argparse

from ...identity import NAME
from ...setup.clients import CLIENTS
from ...setup.environment import Environment
from ...setup.install import uninstall
from ..terminal import print_line


async def run(arguments: argparse.Namespace, _: object) -> int:
    """Remove the entry. The rest of the file does not change."""
    client = CLIENTS[arguments.client]
    file = client.config_file(Environment.current(), arguments.scope)
    if uninstall(file):
        print_line(f"{client.title}: removed {NAME} from {file.path}; restart {client.title} if it is running")
    else:
        print_line(f"{client.title}: {file.path} has no entry {NAME}; nothing was changed")
    return 0
