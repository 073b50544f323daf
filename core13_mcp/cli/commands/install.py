"""`core13-mcp install`: add this server to a client's configuration file."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from functools import cache
from getpass import getpass

from ...errors import ConfigurationError
from ...identity import NAME
from ...options import api_key, bearer_token
from ...settings import OPTIONS, Settings, flag_values
from ...setup.check import check_settings, start_once
from ...setup.client import Client, ConfigFile
from ...setup.clients import CLIENTS
from ...setup.entries import KEY, Secret, ServerEntry
from ...setup.environment import Environment
from ...setup.install import edit, install, missing_secrets
from ...setup.installed import present_clients
from ...setup.new_entry import make_entry, make_remote_entry, reset_variables
from ...setup.remote import check_url, required_auth
from ..clients import chosen_files, for_each, is_confirmed, print_installations
from ..install_report import report
from ..terminal import interruptible, print_line


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Write the entry of each client, print what was done, and start each server once as the client would."""
    environment = Environment.current()
    if arguments.list:
        return print_installations(environment, arguments.json)
    files = chosen_files(arguments, environment, lambda: _present_files(environment, arguments.scope or "user"))
    if not arguments.show and not is_confirmed(arguments, files, "Add this server to these files?"):
        return 1
    return await for_each(files, lambda file: _install(file, environment, arguments, settings))


def _present_files(environment: Environment, scope: str) -> list[ConfigFile]:
    files = [client.config_file(environment, scope) for client in present_clients(environment) if scope in client.files]
    if not files:
        raise ConfigurationError("no client was found on this machine", f"Name one of {', '.join(CLIENTS)}.")
    return files


async def _install(
    file: ConfigFile, environment: Environment, arguments: argparse.Namespace, settings: Settings
) -> int:
    entry = await _entry(arguments, settings, file)
    if arguments.show:
        print_line(f"# for {file.path}", sys.stderr)
        print(edit(file, "", entry.without_values()), end="")
        return 0
    entry = _with_secrets(file, entry)
    for line in report(file, install(file, entry)):
        print_line(line)
    status = 0 if arguments.no_check else await _check(file, environment, settings.timeout)
    print_line(f"  next: {file.client.next_step}; `{NAME} doctor` checks it")
    return status


async def _entry(arguments: argparse.Namespace, settings: Settings, file: ConfigFile) -> ServerEntry:
    if arguments.remote is None:
        if arguments.remote_auth:
            raise ConfigurationError("--remote-auth has an effect together with --remote only")
        check_settings(settings)
        entry = make_entry(settings, arguments.uvx, file.project)
        names = {*flag_values(arguments), *(o.name for o in OPTIONS if os.environ.get(o.variable, "").strip())}
        return replace(entry, reset=reset_variables(names, settings))
    # Before the server is asked, so that no mistake on the command line causes a request.
    make_remote_entry(settings, arguments.remote, "none", arguments.uvx)
    auth = arguments.remote_auth or await required_auth(check_url(arguments.remote))
    return make_remote_entry(settings, arguments.remote, auth)


def _with_secrets(file: ConfigFile, entry: ServerEntry) -> ServerEntry:
    """Return the entry with the secrets that the file must contain and does not contain yet."""
    if file.project is not None and entry.secrets_in_file(file.client):
        raise ConfigurationError(
            f"{file.client.title} needs the key in its file, and {file.path} belongs to a project, which others can read",
            f"Run `{NAME} install {file.client.name}` without --scope project.",
        )
    missing = {secret.variable for secret in missing_secrets(file, entry)}
    secrets = [
        secret.with_value(_ask(file.client, secret)) if secret.variable in missing else secret
        for secret in entry.secrets
    ]
    return replace(entry, secrets=tuple(secrets))


def _ask(client: Client, secret: Secret) -> str:
    """Ask for the value of a secret at the terminal.

    Raises:
        ConfigurationError: There is no terminal, or the value is not usable.
    """
    name = "key" if secret.variable == KEY else "token"
    if not sys.stdin.isatty():
        raise ConfigurationError(
            f"{client.title} needs the {name} in its file, and no {name} is set; set {secret.variable} for this "
            f"command; if you do not have it, {secret.how_to_get}"
        )
    return _typed(name, secret.how_to_get)


@cache
def _typed(name: str, how: str) -> str:
    """Prompt for a secret. Several clients get the same one."""
    is_key = name == "key"
    label = "PostHog personal API key (phx_..., not shown): " if is_key else "Token of the server (not shown): "
    try:
        with interruptible():
            value = getpass(label).strip()
    except EOFError:
        # Ctrl-D.
        value = ""
    if not value:
        raise ConfigurationError(f"no {name} was entered; {how}")
    try:
        return (api_key if is_key else bearer_token)(value).get_secret_value()
    except ValueError as error:
        raise ConfigurationError(str(error)) from None


async def _check(file: ConfigFile, environment: Environment, timeout: float) -> int:
    try:
        print_line(f"  check: {await start_once(file, environment, timeout)}")
    except ConfigurationError as error:
        print_line(f"  check: failed: {error}")
        return 1
    return 0
