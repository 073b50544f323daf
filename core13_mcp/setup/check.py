"""Checks of `install`: of the settings before it writes, and of the entry after it."""

from __future__ import annotations

import shutil

from ..errors import ConfigurationError
from ..identity import NAME
from ..settings import Settings
from .client import ConfigFile
from .environment import Environment


def check_settings(settings: Settings) -> None:
    """Check what a server with these settings reads at its start: the declarations, the tools and the key file.

    Raises:
        Core13Error: The server would not start.
    """
    from ..api.credentials import key_provider  # these imports take 100 ms
    from ..declarations.catalog import enabled_tools

    enabled_tools(settings)
    if settings.personal_api_key_file is not None and not settings.sandbox:
        key_provider(settings._replace(personal_api_key=None))


async def start_once(file: ConfigFile, environment: Environment, timeout: float) -> str:
    """Start or call the server of an entry once, as the client would, and return the result as a sentence.

    Raises:
        ConfigurationError: The server does not start, or does not answer.
    """
    from .doctor.entries import find_entries
    from .doctor.handshake import Launch, handshake
    from .doctor.passed_on import process_environment, request_headers
    from .doctor.project import own_command
    from .doctor.remote import SignInRequired, remote_handshake

    entries, _ = find_entries(file)
    entry = next(entry for entry in entries if entry.name == NAME)
    if entry.url:
        headers, missing = request_headers(entry, environment)
        if missing:
            return f"not called, because {missing[0]} is not set here"
        try:
            return f"answers; {await remote_handshake(entry.url, headers, timeout)}"
        except SignInRequired:
            return f"not called, because the server requires a sign-in, which {file.client.title} does"
    program = entry.command[0]
    command: list[str] | None = entry.command
    if file.project is not None:
        if shutil.which(program, path=environment.variables.get("PATH", "")) is None:
            raise ConfigurationError(f"{program} is not on the PATH", "Add its directory to the PATH on each machine.")
        # The file can contain values of other people, which could start anything.
        command = own_command(entry, environment)
    if command is None:
        return f"not started, because the entry has values that this project added; `{NAME} doctor` names them"
    launch = Launch(command, process_environment(entry, environment), file.project or environment.home)
    return f"started; {await handshake(launch, timeout)}"
