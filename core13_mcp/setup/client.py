"""What describes an MCP client: its configuration files, and the fields of a server entry."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ConfigurationError
from ..identity import NAME

if TYPE_CHECKING:
    from pathlib import Path

    from .environment import Environment
    from .paths import PathStep

_NO_FIELDS: Mapping[str, Any] = MappingProxyType({})


class Client(NamedTuple):
    """One MCP client and its configuration format.

    Attributes:
        files: Path template of the configuration file per scope; the first scope is the default.
        other_files: Path template of a second file per scope, which is used if it exists and the first one does not.
        folder: Path template of a folder that exists where the client is installed; by default, the folder of the
            first file.
        servers_key: Name of the object that contains the server entries.
        format: File format: `json`, `jsonc` (comments and trailing commas allowed), `toml` or `yaml`.
        local_fields: Fixed fields of an entry that starts a command.
        remote_fields: Fixed fields of an entry that connects to a URL.
        program_field: Field for the program. If `arguments_field` is None, it lists the program and its arguments.
        env_field: Field for the environment variables of the command, as an object.
        env_names_field: Field that lists the variables that the command gets from the client; None if there is none.
        url_field: Field for the URL of a remote server; None if the file cannot contain remote servers.
        bearer_field: Field that names the variable with the bearer token of a remote server.
        header_names_field: Field that names the variable for each header; None if headers refer to variables.
        variable_syntax: Template of a reference to an environment variable; None if `install` writes none.
        remote_command: Template of the shell command that adds a remote server, for web pages. Its headers follow as
            `--header` flags; None if a person edits the file.
        may_expand: Whether a reference that a person writes can work: it needs a setting, or is not documented.
        prompts: Whether the client asks for a secret once and keeps it in the system's key store.
        is_gui: Whether the client starts outside a shell, so that the PATH of the shell is not available.
        inherits_env: Whether servers inherit the complete environment of the client.
    """

    name: str
    title: str
    files: Mapping[str, str]
    other_files: Mapping[str, str] = _NO_FIELDS
    folder: str | None = None
    servers_key: str = "mcpServers"
    format: str = "jsonc"
    local_fields: Mapping[str, Any] = _NO_FIELDS
    remote_fields: Mapping[str, Any] = _NO_FIELDS
    program_field: str = "command"
    arguments_field: str | None = "args"
    env_field: str = "env"
    env_names_field: str | None = None
    url_field: str | None = "url"
    bearer_field: str | None = None
    header_names_field: str | None = None
    variable_syntax: str | None = None
    remote_command: str | None = None
    may_expand: bool = False
    prompts: bool = False
    is_gui: bool = True
    inherits_env: bool = False
    next_step: str = "restart it"

    def config_file(self, environment: Environment, scope: str | None = None) -> ConfigFile:
        """Return the configuration file of a scope, or of the default scope.

        Raises:
            ConfigurationError: The client does not have this scope.
        """
        scope = scope or next(iter(self.files))
        if scope not in self.files:
            raise ConfigurationError(
                f"{self.title} has no scope {scope!r}; use --scope with one of: {', '.join(self.files)}"
            )
        parents = ("projects", str(environment.cwd)) if scope == "local" else ()
        project = environment.cwd if scope == "project" else None
        path = environment.path(self.files[scope])
        other = environment.path(self.other_files.get(scope, self.files[scope]))
        path = other if other.exists() and not path.exists() else path
        return ConfigFile(self, scope, path, (*parents, self.servers_key), project)

    def is_present(self, environment: Environment) -> bool:
        """Return whether the client's file, or the folder that the client creates, exists."""
        path = self.config_file(environment).path
        folder = environment.path(self.folder) if self.folder else path.parent
        return path.exists() or folder.is_dir()

    @property
    def expands(self) -> bool:
        """Whether the client replaces references in the values of an entry."""
        return self.prompts or self.may_expand or self.variable_syntax is not None

    def command(self, entry: Mapping[str, Any]) -> list[str]:
        """Return the program of an entry and its arguments; an empty list for a remote server."""
        program = entry.get(self.program_field)
        arguments = entry.get(self.arguments_field) if self.arguments_field else program
        words = list(map(str, arguments if isinstance(arguments, list) else []))
        if self.arguments_field is None:
            return words
        return [program, *words] if isinstance(program, str) and program else []


class ConfigFile(NamedTuple):
    """A configuration file of a client.

    Attributes:
        servers_path: The path to the server entries in the file.
        project: The project to which the file belongs; None for a file of the person. Other people can write a project.
    """

    client: Client
    scope: str
    path: Path
    servers_path: tuple[PathStep, ...]
    project: Path | None = None

    @property
    def entry_path(self) -> tuple[PathStep, ...]:
        return (*self.servers_path, NAME)
