"""`core13-mcp install`: this server in a client's configuration."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from getpass import getpass
from pathlib import Path

from ...errors import ConfigurationError
from ...identity import NAME
from ...keys import HOW_TO_GET_A_KEY, key_problem
from ...options import OPTIONS
from ...origins import is_secure, split_url
from ...settings import Settings
from ...setup import files
from ...setup.client import Client
from ...setup.clients import CLIENTS
from ...setup.entries import KEY, PLACEHOLDER, Server, edits, literals, needs_secret
from ...setup.environment import Machine
from ...setup.launch import command
from ...setup.merge import held, merged
from ...setup.paths import Unparsable


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Merge this server into the client's file, and say where, and what to do next.

    Raises:
        ConfigurationError: The client has no such scope, or its file cannot be read, understood or written.
    """
    client, machine = CLIENTS[arguments.client], Machine.this()
    scope = client.scope(arguments.scope)
    path, at = client.file(machine, scope), client.servers(machine, scope)
    text = "" if arguments.show else files.read(path) or ""
    try:
        server = _server(arguments, settings, client, held(client, text, (*at, NAME)))
        written = merged(client, text, edits(client, at, server))
    except Unparsable as error:
        raise ConfigurationError(f"{path}: {error}; nothing was changed") from None
    if arguments.show:
        print(f"# for {path}", file=sys.stderr)
        print(written, end="")
        return 0
    changed = written != text
    if changed:
        files.replace(path, written, private=server.secret is not None)
    for line in _told(client, path, server, changed):
        print(line)
    return 0


def _server(arguments: argparse.Namespace, settings: Settings, client: Client, entry: object) -> Server:
    keyless = settings.sandbox or settings.personal_api_key_file is not None
    here = arguments.remote is None
    return Server(
        command=command(arguments.uvx) if here else (),
        url=None if here else _safe(arguments.remote),
        variables=chosen(settings) if here else {},
        secret=None if keyless or not needs_secret(client) else _secret(arguments.show, settings, client, entry),
        keyless=keyless,
    )


def chosen(settings: Settings) -> Mapping[str, str]:
    """The settings that are neither secret nor as they would be anyway, by variable."""
    found = {}
    for option in OPTIONS:
        value = getattr(settings, option.name)
        if option.secret or option.serve_only or value == Settings.model_fields[option.name].default:
            continue
        # A client starts the server in a folder of its own.
        is_path = option.name in ("personal_api_key_file", "tools_dir", "sandbox_db")
        found[option.variable] = str(Path(value).expanduser().absolute()) if is_path else _spelled(value)
    return found


def _spelled(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _safe(url: str) -> str:
    parsed = split_url(url)
    if parsed is not None and is_secure(parsed):
        return url
    raise ConfigurationError(f"--remote {url!r} is not an https:// URL (http:// is for loopback only)")


def _secret(show: bool, settings: Settings, client: Client, entry: object) -> str:
    """The key for a client that needs it in its file: what is set, what is there, or what is typed; never shown."""
    if show:
        return PLACEHOLDER
    if settings.personal_api_key is not None:
        return settings.personal_api_key.get_secret_value()
    held_already = next(literals(entry), None)
    if held_already:
        return held_already
    if not sys.stdin.isatty():
        raise ConfigurationError(
            f"{client.title} needs the key in its file: set {KEY} for this command, or name a file that holds it "
            f"with --personal-api-key-file; {HOW_TO_GET_A_KEY}"
        )
    key = getpass("PostHog personal API key (phx_..., not shown): ").strip()
    why = key_problem(key) if key else HOW_TO_GET_A_KEY
    if why:
        raise ConfigurationError(why)
    return key


def _told(client: Client, path: Path, server: Server, changed: bool) -> list[str]:
    lines = [f"{client.title}: {'wrote' if changed else 'nothing to change in'} {path}"]
    if changed and files.backup(path).exists():
        lines.append(f"  before: {files.backup(path)}")
    lines.append(f"  runs: {server.url or ' '.join(server.command)}")
    lines += [f"  with: {variable}={value}" for variable, value in server.variables.items()]
    if server.secret is not None:
        lines.append("  key: in the file itself" + _exposed(path))
    elif client.prompts and not server.keyless:
        lines.append("  key: asked by the client once, and kept in the system's key store")
    elif not server.keyless:
        lines.append(f"  key: {KEY}, which must be set where {client.title} is started")
        if not os.environ.get(KEY):
            lines.append(f"        (it is not set here: {HOW_TO_GET_A_KEY})")
    return [*lines, f"  next: {client.after}; `core13-mcp doctor` checks it"]


def _exposed(path: Path) -> str:
    """What else can get at a key in a file: other people on this machine, or whoever the project is shared with."""
    # Windows says of every file that all may read it, and knows no chmod.
    others = sys.platform != "win32" and path.stat().st_mode & 0o077
    said = f"; others can read it: chmod 600 {path}" if others else ""
    return said + ("; keep it out of version control" if Path.home() != Path.cwd() in path.parents else "")
