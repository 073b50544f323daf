"""`core13-mcp install`: add this server to the configuration files of clients."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from getpass import getpass
from pathlib import Path

from ...errors import ConfigurationError
from ...keys import HOW_TO_GET_A_KEY, key_problem
from ...settings import Settings
from ...setup import files
from ...setup.client import Client, ConfigFile
from ...setup.clients import CLIENTS
from ...setup.entries import KEY, Secret, ServerEntry
from ...setup.environment import Environment
from ...setup.install import edit, install, make_entry, stored_key
from ...setup.installed import present_clients
from ..clients import chosen_files, for_each, is_confirmed, print_installations
from ..terminal import interruptible, print_line


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Write the entry of each client, and print the path and the next step."""
    environment = Environment.current()
    if arguments.list:
        return print_installations(environment, arguments.json)
    files = chosen_files(arguments, environment, lambda: _present_files(environment, arguments.scope or "user"))
    if not arguments.show and not is_confirmed(arguments, files, "Add this server to these files?"):
        return 1
    return await for_each(files, lambda file: _install(file, arguments, settings))


def _present_files(environment: Environment, scope: str) -> list[ConfigFile]:
    files = [client.config_file(environment, scope) for client in present_clients(environment) if scope in client.files]
    if not files:
        raise ConfigurationError("no client was found on this machine", f"Name one of {', '.join(CLIENTS)}.")
    return files


async def _install(file: ConfigFile, arguments: argparse.Namespace, settings: Settings) -> int:
    entry = make_entry(settings, arguments.uvx, arguments.remote)
    if arguments.show:
        print_line(f"# for {file.path}", sys.stderr)
        print(edit(file, "", entry), end="")
        return 0
    if entry.secrets_in_file(file.client):
        key = settings.personal_api_key
        value = key.get_secret_value() if key else stored_key(file) or _prompt_for_key(file.client)
        entry = replace(entry, secrets=(Secret(value=value),))
    changed = install(file, entry)
    for line in _report(file, entry, changed):
        print_line(line)
    return 0


def _prompt_for_key(client: Client) -> str:
    if not sys.stdin.isatty():
        raise ConfigurationError(
            f"{client.title} needs the key in its file, and no key is set; set {KEY} for this command, or use "
            f"--personal-api-key-file to name a file that contains it; {HOW_TO_GET_A_KEY}"
        )
    return _typed_key()


@cache
def _typed_key() -> str:
    """Prompt for the key. Several clients get the same one."""
    try:
        with interruptible():
            key = getpass("PostHog personal API key (phx_..., not shown): ").strip()
    except EOFError:
        # Ctrl-D.
        key = ""
    problem = key_problem(key) if key else f"no key was entered; {HOW_TO_GET_A_KEY}"
    if problem:
        raise ConfigurationError(problem)
    return key


def _report(file: ConfigFile, entry: ServerEntry, changed: bool) -> Iterator[str]:
    client, backup = file.client, files.backup_path(file.path)
    yield f"{client.title}: {'wrote' if changed else 'no change in'} {file.path}"
    if changed and backup.exists():
        yield f"  backup: {backup}"
    yield f"  runs: {entry.url or ' '.join(entry.command)}"
    for variable, value in entry.variables.items():
        yield f"  with: {variable}={value}"
    if entry.secrets_in_file(client):
        yield f"  key: in this file{_exposure(file.path)}"
    elif client.prompts and entry.secrets:
        yield f"  key: {client.title} asks for it once and keeps it in the system's key store"
    elif entry.secrets:
        yield f"  key: {KEY}, which must be set in the environment of {client.title}"
        if not os.environ.get(KEY):
            yield f"        (it is not set here; {HOW_TO_GET_A_KEY})"
    yield f"  next: {client.next_step}; `core13-mcp doctor` checks it"


def _exposure(path: Path) -> str:
    """Return a warning if other users or other developers of the project can read the file."""
    # On Windows the mode always says that others can read the file.
    readable = sys.platform != "win32" and path.stat().st_mode & 0o077
    warning = f"; other users can read it, run: chmod 600 {path}" if readable else ""
    return warning + ("; do not commit this file" if Path.home() != Path.cwd() in path.parents else "")
