"""The MCP clients that this project can configure, and their file formats.

This table is the only source of client formats. The argument parser imports it, so it imports no heavy modules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ConfigurationError
from ..identity import NAME

if TYPE_CHECKING:
    from pathlib import Path

    from .environment import Environment
    from .paths import PathStep


class Client(NamedTuple):
    """One MCP client and its configuration format.

    Attributes:
        files: Path template of the configuration file per scope; the first scope is the default.
        servers_key: Name of the object that contains the server entries.
        format: File format: `json`, `jsonc` (comments and trailing commas allowed) or `toml`.
        variable_syntax: Template of a reference to an environment variable; None if the client expands none.
        lists_variables: Whether entries list names of environment variables instead of references to them.
        prompts: Whether the client asks for a secret once and keeps it in the system's key store.
        url_field: Field for the URL of a remote server; None if the file cannot contain remote servers.
        is_gui: Whether the client starts outside a shell, so that the PATH of the shell is not available.
        inherits_env: Whether servers inherit the complete environment of the client.
    """

    name: str
    title: str
    files: Mapping[str, str]
    servers_key: str = "mcpServers"
    format: str = "jsonc"
    variable_syntax: str | None = None
    lists_variables: bool = False
    prompts: bool = False
    url_field: str | None = "url"
    has_type_field: bool = False
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
        return ConfigFile(self, scope, path, (*parents, self.servers_key), project)


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


_CLIENTS = (
    Client(
        name="claude-desktop",
        title="Claude Desktop",
        files={"user": "{config}/Claude/claude_desktop_config.json"},
        format="json",
        url_field=None,
        next_step="quit it and start it again",
    ),
    Client(
        name="claude-code",
        title="Claude Code",
        files={
            "user": "{CLAUDE_CONFIG_DIR}/.claude.json",
            "project": "{cwd}/.mcp.json",
            "local": "{CLAUDE_CONFIG_DIR}/.claude.json",
        },
        format="json",
        variable_syntax="${{{}}}",
        has_type_field=True,
        is_gui=False,
        inherits_env=True,
        next_step="start a new session; /mcp shows it",
    ),
    Client(
        name="cursor",
        title="Cursor",
        files={"user": "{home}/.cursor/mcp.json", "project": "{cwd}/.cursor/mcp.json"},
        variable_syntax="${{env:{}}}",
        next_step="enable it under Settings > MCP",
    ),
    Client(
        name="vscode",
        title="VS Code",
        files={"user": "{config}/Code/User/mcp.json", "project": "{cwd}/.vscode/mcp.json"},
        servers_key="servers",
        prompts=True,
        has_type_field=True,
        next_step="start it from the file or with MCP: List Servers; VS Code asks for the key once",
    ),
    Client(
        name="codex",
        title="Codex",
        files={"user": "{CODEX_HOME}/config.toml", "project": "{cwd}/.codex/config.toml"},
        servers_key="mcp_servers",
        format="toml",
        variable_syntax="{}",
        lists_variables=True,
        is_gui=False,
        next_step="start a new session",
    ),
    Client(
        name="gemini",
        title="Gemini CLI",
        files={"user": "{home}/.gemini/settings.json", "project": "{cwd}/.gemini/settings.json"},
        variable_syntax="${}",
        url_field="httpUrl",
        is_gui=False,
        next_step="start a new session in a folder that it trusts; /mcp shows it",
    ),
    Client(
        name="windsurf",
        title="Windsurf",
        files={"user": "{home}/.codeium/windsurf/mcp_config.json"},
        variable_syntax="${{env:{}}}",
        url_field="serverUrl",
        next_step="refresh the MCP list in Cascade",
    ),
    Client(
        name="zed",
        title="Zed",
        files={"user": "{xdg}/zed/settings.json", "project": "{cwd}/.zed/settings.json"},
        servers_key="context_servers",
        next_step="none; Zed applies the change at once",
    ),
)

CLIENTS: Mapping[str, Client] = {client.name: client for client in _CLIENTS}
