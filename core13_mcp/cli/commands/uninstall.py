"""`core13-mcp uninstall`: remove this server from the configuration files of clients."""

from __future__ import annotations

import argparse
import sys

from ...identity import NAME
from ...setup.client import ConfigFile
from ...setup.environment import Environment
from ...setup.installed import installations
from ...setup.uninstall import uninstall
from ..clients import chosen_files, for_each, is_confirmed
from ..terminal import print_line


async def run(arguments: argparse.Namespace, _: object) -> int:
    """Remove the entries. The rest of each file does not change."""
    environment = Environment.current()
    existing, problems = installations(environment) if arguments.all else ([], [])
    for problem in problems:
        print_line(problem, sys.stderr)
    files = chosen_files(arguments, environment, lambda: [entry.file for entry in existing if entry.name == NAME])
    if not is_confirmed(arguments, files, f"Remove {NAME} from these files?"):
        return 1
    if not files:
        print_line(f"no client has an entry {NAME}; nothing was changed")
    # An entry can be in a file that cannot be read.
    return max(await for_each(files, lambda file: _uninstall(file, environment)), 1 if problems else 0)


async def _uninstall(file: ConfigFile, environment: Environment) -> int:
    title, removal = file.client.title, uninstall(file, environment)
    if not removal.removed:
        print_line(f"{title}: {file.path} has no entry {NAME}; nothing was changed")
    else:
        action = "deleted" if removal.is_deleted else f"removed {NAME} from"
        print_line(f"{title}: {action} {file.path}; restart {title} if it is running")
    for backup in removal.backups:
        print_line(f"  backup: {backup} is kept, because it differs from the file; delete it if you do not need it")
    return 0
