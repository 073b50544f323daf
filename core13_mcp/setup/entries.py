"""What a client's configuration says of this server. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigurationError
from ..identity import NAME
from .client import Client
from .paths import Step

KEY = "POSTHOG_PERSONAL_API_KEY"
INPUT = "posthog-personal-api-key"
PLACEHOLDER = "PUT_YOUR_POSTHOG_PERSONAL_API_KEY_HERE"

Edit = tuple[tuple[Step, ...], Any]
"""Where in the file, and what goes there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The server to enter: a command here, or a URL elsewhere.

    Attributes:
        variables: Settings that are not secret, by variable.
        secret: The key itself, for clients that cannot refer to one; None where they can, or none is needed.
        keyless: Whether no key is needed: the sandbox, or a key file.
    """

    command: Sequence[str] = ()
    url: str | None = None
    variables: Mapping[str, str]
    secret: str | None = None
    keyless: bool = False


def edits(client: Client, at: tuple[Step, ...], server: Server) -> list[Edit]:
    """What to put where in the client's file.

    Raises:
        ConfigurationError: The client cannot have a server elsewhere.
    """
    entry = _remote(client, server) if server.url else _local(client, server)
    said: list[Edit] = [((*at, NAME), entry)]
    if client.prompts and not server.keyless:
        # First, so that an entry never refers to an input that is not there.
        said.insert(0, (inputs(), _prompt()))
    return said


def inputs() -> tuple[Step, ...]:
    """Where VS Code keeps what it asks the person for this server."""
    return ("inputs", ("id", INPUT))


def reference(client: Client, variable: str = KEY) -> str | None:
    """How the client's file refers to the key; None where it cannot."""
    if client.prompts:
        return f"${{input:{INPUT}}}"
    return client.reference.format(variable) if client.reference else None


def needs_secret(client: Client) -> bool:
    """Whether the key itself has to be in the client's file."""
    return reference(client) is None


def _local(client: Client, server: Server) -> dict[str, Any]:
    program, *rest = server.command
    typed = {"type": "stdio"} if client.typed else {}
    entry: dict[str, Any] = {**typed, "command": program, "args": rest}
    environment = {**({} if server.keyless or client.format == "toml" else _secret(client, server)), **server.variables}
    if client.format == "toml" and not server.keyless:
        # Codex passes on nothing of its own environment but what is named.
        entry["env_vars"] = [KEY]
    return {**entry, "env": environment} if environment else entry


def _secret(client: Client, server: Server) -> dict[str, str]:
    return {KEY: reference(client) or server.secret or PLACEHOLDER}


def _remote(client: Client, server: Server) -> dict[str, Any]:
    if client.url is None:
        raise ConfigurationError(
            f"{client.title} has no remote servers in its file; add the URL there under Settings > Connectors"
        )
    entry: dict[str, Any] = {**({"type": "http"} if client.typed else {}), client.url: server.url}
    if server.keyless:
        return entry
    if client.format == "toml":
        return {**entry, "bearer_token_env_var": KEY}
    return {**entry, "headers": {"Authorization": f"Bearer {_secret(client, server)[KEY]}"}}


def _prompt() -> dict[str, Any]:
    return {
        "id": INPUT,
        "type": "promptString",
        "description": "PostHog personal API key (phx_...)",
        "password": True,
    }


def literals(entry: Any) -> Iterator[str]:
    """The keys that an entry holds themselves, neither by reference nor as a placeholder."""
    if not isinstance(entry, dict):
        return
    held = [*_values(entry.get("env")), *_values(entry.get("headers"))]
    for name, value in held:
        key = value.removeprefix("Bearer ")
        if name in (KEY, "Authorization") and "$" not in key and key != PLACEHOLDER:
            yield key


def _values(mapping: Any) -> list[tuple[str, str]]:
    held = mapping.items() if isinstance(mapping, dict) else ()
    return [(name, value) for name, value in held if isinstance(value, str)]
