"""Checks of every client: its configuration files, and a handshake with each command."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import suppress

from ...errors import ConfigurationError
from ...identity import NAME, VERSION
from ...keys import HOW_TO_GET_A_KEY
from ...settings import OPTIONS
from .. import files, launch
from ..clients import CLIENTS, ConfigFile
from ..entries import KEY
from ..environment import Environment
from .entries import Entry, check_entry, check_name, find_entries, process_environment
from .finding import Finding, from_error
from .handshake import handshake

# The server needs a key to start. This is not one; the handshake sends no request to the API.
PLACEHOLDER_KEY = "phx_doctor"


async def check_clients(environment: Environment, timeout: float) -> AsyncIterator[Finding]:
    """Check the files of all clients. If none has this server, check the command of `install`.

    Args:
        timeout: Seconds for each handshake.
    """
    findings = set[Finding]()
    for file in _config_files(environment):
        async for finding in _check_file(file, environment, timeout):
            # Two scopes can share a file; a problem of the whole file is reported once.
            if finding not in findings:
                yield finding
            findings.add(finding)
    if not findings:
        fix = f"{NAME} install CLIENT adds it; clients: " + ", ".join(CLIENTS)
        yield Finding("clients", "note", "no client is configured to use this server", fix)
        yield await _check_own_command(environment, timeout)


def _config_files(environment: Environment) -> Iterable[ConfigFile]:
    """Return the files of all scopes, each once: in the home folder two scopes have the same."""
    config_files = (client.config_file(environment, scope) for client in CLIENTS.values() for scope in client.files)
    unique: dict[object, ConfigFile] = {}
    for file in config_files:
        unique.setdefault((file.path, file.servers_path), file)
    return unique.values()


async def _check_file(file: ConfigFile, environment: Environment, timeout: float) -> AsyncIterator[Finding]:
    try:
        text = files.read(file.path)
    except ConfigurationError as error:
        message, _, fix = str(error).partition("; ")
        yield Finding(check_name(file.client), "wrong", message, fix or "correct the permissions of the file")
        return
    if text is None:
        return
    entries, misplaced = find_entries(file, text, file.path.stat().st_mode)
    for finding in misplaced:
        yield finding
    for entry in entries:
        async for finding in _check_entry(entry, environment, timeout):
            yield finding


async def _check_own_command(environment: Environment, timeout: float) -> Finding:
    command = launch.command()
    # Without the settings of this shell: problems in them have their own findings.
    own = {option.variable for option in OPTIONS}
    variables = {
        name: value for name, value in environment.variables.items() if name not in own and "CORE13_" not in name
    }
    try:
        server = await handshake(command, {**variables, KEY: PLACEHOLDER_KEY}, timeout)
    except ConfigurationError as error:
        return from_error("handshake", error)
    return Finding("handshake", "ok", f"{' '.join(command)} answers: {server}")


async def _check_entry(entry: Entry, environment: Environment, timeout: float) -> AsyncIterator[Finding]:
    findings = list(check_entry(entry, environment))
    for finding in findings:
        yield finding
    if any(finding.status == "wrong" for finding in findings):
        return
    if not entry.command:
        yield Finding(
            check_name(entry.client), "ok", f"{entry.file.path}: {entry.name} is a remote server, not checked"
        )
        return
    variables = process_environment(entry, environment, PLACEHOLDER_KEY)
    try:
        server = await handshake(entry.command, variables, timeout)
    except ConfigurationError as error:
        shell_path = environment.variables.get("PATH", "")
        yield await _diagnose(entry, error, {**variables, "PATH": shell_path}, timeout)
        return
    yield Finding(check_name(entry.client), "ok", f"{entry.file.path}: {server}")
    if server.version != VERSION and not findings:
        message = f"it runs version {server.version}, but this is version {VERSION}"
        yield entry.warning(message, f"{entry.reinstall_command} writes the command of this version")


async def _diagnose(entry: Entry, error: ConfigurationError, variables: dict[str, str], timeout: float) -> Finding:
    """Return why an entry does not start. `variables` contain the PATH of the shell."""
    finding = from_error(check_name(entry.client), error)
    if f"{KEY} is not set" in finding.message:
        return entry.error(finding.message, f"{entry.reinstall_command} adds it; {HOW_TO_GET_A_KEY}")
    if entry.client.is_gui and not finding.fix:
        with suppress(ConfigurationError):
            await handshake(entry.command, variables, timeout)
            message = f"it starts only with the PATH of your shell, which {entry.client.title} does not see"
            fix = f'{entry.reinstall_command}, or add "PATH" to its env'
            return entry.error(f"{message}: {finding.message}", fix)
    # Without the arguments, which can contain a key or a token.
    fix = finding.fix or f"run the command in a shell to see the problem, or run {entry.reinstall_command}"
    return entry.error(f"{entry.command[0]}: {finding.message}", fix)
