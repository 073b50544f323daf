"""The clients, as one table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .client import Client

CLIENTS: Mapping[str, Client] = MappingProxyType(
    {
        client.name: client
        for client in (
            Client(
                name="claude-desktop",
                title="Claude Desktop",
                files={"user": "{config}/Claude/claude_desktop_config.json"},
                format="json",
                url=None,
                after="quit it and start it again",
            ),
            Client(
                name="claude-code",
                title="Claude Code",
                files={
                    "user": "{CLAUDE_CONFIG_DIR}/.claude.json",
                    "project": "{here}/.mcp.json",
                    "local": "{CLAUDE_CONFIG_DIR}/.claude.json",
                },
                format="json",
                reference="${{{}}}",
                typed=True,
                graphical=False,
                inherits=True,
                after="start a new session; /mcp shows it",
            ),
            Client(
                name="cursor",
                title="Cursor",
                files={"user": "{home}/.cursor/mcp.json", "project": "{here}/.cursor/mcp.json"},
                reference="${{env:{}}}",
                after="switch it on under Settings > MCP",
            ),
            Client(
                name="vscode",
                title="VS Code",
                files={"user": "{config}/Code/User/mcp.json", "project": "{here}/.vscode/mcp.json"},
                key="servers",
                prompts=True,
                typed=True,
                after="start it from the file or with MCP: List Servers; it asks for the key once",
            ),
            Client(
                name="codex",
                title="Codex",
                files={"user": "{CODEX_HOME}/config.toml", "project": "{here}/.codex/config.toml"},
                key="mcp_servers",
                format="toml",
                reference="{}",
                graphical=False,
                after="start a new session",
            ),
            Client(
                name="gemini",
                title="Gemini CLI",
                files={"user": "{home}/.gemini/settings.json", "project": "{here}/.gemini/settings.json"},
                reference="${}",
                url="httpUrl",
                graphical=False,
                after="start a new session in a folder that it trusts; /mcp shows it",
            ),
            Client(
                name="windsurf",
                title="Windsurf",
                files={"user": "{home}/.codeium/windsurf/mcp_config.json"},
                reference="${{env:{}}}",
                url="serverUrl",
                after="refresh the MCP list in Cascade",
            ),
            Client(
                name="zed",
                title="Zed",
                files={"user": "{xdg}/zed/settings.json", "project": "{here}/.zed/settings.json"},
                key="context_servers",
                after="nothing more: it takes effect at once",
            ),
        )
    }
)
