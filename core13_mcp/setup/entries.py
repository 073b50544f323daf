"""The entry of this server in the configuration of a client. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import ConfigurationError
from ..identity import NAME
from ..keys import HOW_TO_GET_A_KEY, KEY_HEADER
from .client import Client
from .paths import PathStep

KEY = "POSTHOG_PERSONAL_API_KEY"
TOKEN = "CORE13_TOKEN"

# A reference to a variable, perhaps with a default, or to an input of VS Code, in the syntax of any client.
REFERENCE = re.compile(
    r"\$\{(?:env:|input:)?(?P<braced>[A-Za-z_][\w-]*)(?::-(?P<default>[^{}]*))?\}"
    r"|\{env:(?P<plain>[A-Za-z_]\w*)\}"
    r"|\$(?P<shell>[A-Za-z_]\w*)"
)

# A path in the file and the value to write there.
Change = tuple[tuple[PathStep, ...], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret that an entry passes to the server.

    Attributes:
        variable: Environment variable that contains the secret. Entries refer to it if the client supports that.
        header: Request header that carries the secret to a remote server, after `prefix`.
        how_to_get: What a person does who does not have the secret.
        value: The secret itself, for clients that need it in the file; without it a placeholder is written.
    """

    variable: str = KEY
    header: str = "Authorization"
    prefix: str = "Bearer "
    description: str = "PostHog personal API key (phx_...)"
    how_to_get: str = (
        f"run `{NAME} login` and then this command again, name a file that contains it with --personal-api-key-file, "
        f"or {HOW_TO_GET_A_KEY}"
    )
    value: str | None = field(default=None, repr=False)

    @property
    def input_id(self) -> str:
        """The id of the input with which VS Code asks for the secret, with `description`."""
        return self.variable.lower().replace("_", "-")

    @property
    def placeholder(self) -> str:
        """The text that stands for the secret where its value is not known."""
        return f"PUT_YOUR_{self.variable}_HERE"

    def reference(self, client: Client) -> str | None:
        """The reference to the secret in the file; None if the file must contain the secret."""
        if client.prompts:
            return f"${{input:{self.input_id}}}"
        if client.variable_syntax:
            return client.variable_syntax.format(self.variable)
        return self.variable if client.env_names_field else None

    def with_value(self, value: str) -> Secret:
        """Return this secret with its value."""
        return replace(self, value=value)

    def text(self, client: Client) -> str:
        """The text in the file: the reference, the secret itself, or the placeholder."""
        return self.reference(client) or self.value or self.placeholder


# The login session, for tools that accept no API key.
SESSION_ID = Secret(variable="POSTHOG_SESSION_ID", description="cookie sessionid of PostHog")
CSRF_TOKEN = Secret(variable="POSTHOG_CSRF_TOKEN", description="cookie posthog_csrftoken of PostHog")

# The secret that each request to a remote server carries, by the value of `--auth` of the server.
REMOTE_SECRETS: Mapping[str, tuple[Secret, ...]] = {
    "own-key": (
        Secret(
            header=KEY_HEADER,
            prefix="",
            description="your PostHog personal API key",
            how_to_get=HOW_TO_GET_A_KEY,
        ),
    ),
    "token": (
        Secret(
            variable=TOKEN,
            description="the token that your administrator gave you",
            how_to_get="ask the administrator of the server for one",
        ),
    ),
    "oauth": (),
    "none": (),
}

# Every secret that an entry can contain or refer to.
SECRETS = (Secret(), SESSION_ID, CSRF_TOKEN, *REMOTE_SECRETS["token"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEntry:
    """The server that an entry starts (`command`) or connects to (`url`).

    Attributes:
        variables: Environment variables that are not secret.
        reset: Environment variables that get their default value, so that the entry does not contain them.
        secrets: Empty if the server needs no secret from the client, as with the sandbox or a key file.
    """

    command: Sequence[str] = ()
    url: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    reset: frozenset[str] = frozenset()
    secrets: tuple[Secret, ...] = ()

    def without_values(self) -> ServerEntry:
        """Return this entry with references and placeholders only."""
        return replace(self, secrets=tuple(replace(secret, value=None) for secret in self.secrets))

    def secrets_in_file(self, client: Client) -> list[Secret]:
        """The secrets that the client's file must contain themselves."""
        return [secret for secret in self.secrets if secret.reference(client) is None]


def changes(client: Client, servers_path: tuple[PathStep, ...], entry: ServerEntry) -> list[Change]:
    """Return the changes that add the entry to the client's file.

    Raises:
        ConfigurationError: The client's file cannot contain a remote server.
    """
    # The prompts come first, so that the entry never refers to an input that does not exist.
    prompts = [_prompt(secret) for secret in entry.secrets if client.prompts]
    return [*prompts, ((*servers_path, NAME), _remote(client, entry) if entry.url else _local(client, entry))]


def written_fields(client: Client) -> set[str]:
    """Return the fields that `changes` can write into an entry."""
    entry = ServerEntry(command=[NAME], url="-", variables={NAME: ""}, secrets=(Secret(), Secret(prefix="")))
    return set(_local(client, entry)) | set(_remote(client, entry) if client.url_field else ())


def _prompt(secret: Secret) -> Change:
    prompt = {"type": "promptString", "description": secret.description, "password": True}
    return ("inputs", ("id", secret.input_id)), {"id": secret.input_id, **prompt}


def contains_reference(client: Client, entry: Any, secret: Secret) -> bool:
    """Whether an entry refers to a secret, so that it does not contain the secret itself."""
    if isinstance(entry, dict):
        names = entry.get(client.env_names_field or "")
        is_listed = isinstance(names, list) and secret.variable in names
        return is_listed or contains_reference(client, list(entry.values()), secret)
    if isinstance(entry, list):
        return any(contains_reference(client, part, secret) for part in entry)
    reference = secret.reference(client)
    return isinstance(entry, str) and reference is not None and reference in entry


def _local(client: Client, entry: ServerEntry) -> dict[str, Any]:
    value: dict[str, Any] = {**client.local_fields, client.program_field: [*entry.command]}
    if client.arguments_field:
        value |= {client.program_field: entry.command[0], client.arguments_field: [*entry.command[1:]]}
    variables = dict(entry.variables)
    if entry.secrets and client.env_names_field:
        value[client.env_names_field] = [secret.variable for secret in entry.secrets]
    else:
        variables = {secret.variable: secret.text(client) for secret in entry.secrets} | variables
    return {**value, client.env_field: variables} if variables else value


def _remote(client: Client, entry: ServerEntry) -> dict[str, Any]:
    if client.url_field is None:
        raise ConfigurationError(
            f"the configuration file of {client.title} cannot contain remote servers; "
            f"add the URL in {client.title} under Settings > Connectors"
        )
    value: dict[str, Any] = {**client.remote_fields, client.url_field: entry.url}
    headers = {}
    for secret in entry.secrets:
        if secret.prefix and client.bearer_field:
            value[client.bearer_field] = secret.variable
        elif client.header_names_field:
            value[client.header_names_field] = {secret.header: secret.variable}
        else:
            headers[secret.header] = secret.prefix + secret.text(client)
    if headers and client.env_names_field:
        value[client.env_names_field] = [secret.variable for secret in entry.secrets]
    return {**value, "headers": headers} if headers else value
