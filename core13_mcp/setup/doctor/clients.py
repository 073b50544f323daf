"""Checks of every client: its configuration files, and a handshake with each command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from ...errors import ConfigurationError
from ...identity import NAME, VERSION
from ...keys import HOW_TO_GET_A_KEY
from ..clients import CLIENTS
from ..entries import KEY
from ..environment import Environment
from ..install import server_command
from .entries import Entry, check_entry, find_entries, process_environment
from .finding import Finding, from_error
from .handshake import Launch, handshake
from .project import own_command, skipped

# The server needs a key to start. This is not one; the handshake sends no request to the API.
PLACEHOLDER_KEY = "phx_doctor"


async def check_clients(environment: Environment, timeout: float, run_project_commands: bool) -> AsyncIterator[Finding]:
    """Check the files of all clients. If none has this server, check the command of `install`.

    Of the commands in files of the project, only those that start this installation are started, unless
    `run_project_commands` is set.
    """
    reported = set[Finding]()
    config_files = [client.config_file(environment, scope) for client in CLIENTS.values() for scope in client.files]
    # In the home folder, two scopes have the same file; it belongs to the first one.
    unique = {(file.path, file.servers_path): file for file in reversed(config_files)}
    for file in reversed(unique.values()):
        entries, findings = find_entries(file)
        for entry in entries:
            findings += await _check_entry(entry, environment, timeout, run_project_commands)
        for finding in findings:
            # Two scopes can share a file; a problem of the whole file is reported once.
            if finding not in reported:
                yield finding
            reported.add(finding)
    if not reported:
        fix = f"{NAME} install CLIENT adds it; clients: " + ", ".join(CLIENTS)
        yield Finding("clients", "note", "no client is configured to use this server", fix)
        yield await _check_own_command(environment, timeout)


async def _check_own_command(environment: Environment, timeout: float) -> Finding:
    command = server_command()
    # Without the settings of this shell: problems in them have their own findings.
    settings = ("CORE13_", "POSTHOG_", "SSL_CERT_")
    variables = {name: value for name, value in environment.variables.items() if not name.startswith(settings)}
    try:
        server = await handshake(Launch(command, {**variables, KEY: PLACEHOLDER_KEY}, _home(environment)), timeout)
    except ConfigurationError as error:
        return from_error("handshake", error)
    return Finding("handshake", "ok", f"{' '.join(command)} answers: {server}")


async def _check_entry(
    entry: Entry, environment: Environment, timeout: float, run_project_commands: bool
) -> list[Finding]:
    findings = check_entry(entry, environment)
    if any(finding.status == "wrong" for finding in findings):
        return findings
    if not entry.command:
        return [*findings, entry.finding("ok", f"{entry.name} is a remote server, not checked")]
    command: list[str] | None = entry.command
    if entry.file.project is not None and not run_project_commands:
        command = own_command(entry, environment)
    if command is None:
        return [*findings, skipped(entry)]
    # A file of the person applies in every project, so its command must not depend on this one.
    cwd = environment.cwd if entry.file.scope in ("project", "local") else _home(environment)
    launch = Launch(command, process_environment(entry, environment, PLACEHOLDER_KEY), cwd)
    try:
        server = await handshake(launch, timeout)
    except ConfigurationError as error:
        return [*findings, await _diagnose(entry, error, launch, environment, timeout)]
    findings.append(entry.finding("ok", str(server)))
    if server.version != VERSION:
        message = f"it runs version {server.version}, but this is version {VERSION}"
        findings.append(entry.finding("note", message, f"{entry.reinstall_command} writes the command of this version"))
    return findings


def _home(environment: Environment) -> Path | None:
    return environment.home if environment.home.is_dir() else None


async def _diagnose(
    entry: Entry, error: ConfigurationError, launch: Launch, environment: Environment, timeout: float
) -> Finding:
    """Return why an entry does not start."""
    message, _, fix = str(error).partition("; ")
    reinstall = entry.reinstall_command
    if f"{KEY} is not set" in message:
        return entry.finding("wrong", message, f"{reinstall} adds it; {HOW_TO_GET_A_KEY}")
    if entry.client.is_gui and not fix:
        shell_path = environment.variables.get("PATH", "")
        with suppress(ConfigurationError):
            await handshake(launch._replace(environ={**launch.environ, "PATH": shell_path}), timeout)
            reason = f"it starts only with the PATH of your shell, which {entry.client.title} does not see"
            return entry.finding("wrong", f"{reason}: {message}", f'{reinstall}, or add "PATH" to its env')
    fix = fix or f"run the command in a shell to see the problem, or run {reinstall}"
    # Without the arguments, which can contain a key or a token.
    return entry.finding("wrong", f"{entry.command[0]}: {message}", fix)
