"""The MCP clients that this project can configure. This table is the only source of client formats.

It imports nothing heavy. A format that is not documented comes from the client's npm package, or from neondatabase/add-mcp.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..identity import NAME, TITLE
from .client import Client

_CLAUDE_CODE = "{CLAUDE_CONFIG_DIR:}/.claude.json"
_VSCODE = "{config}/Code/User"
# What every extension of Goose has. The timeout is in seconds.
_GOOSE = {"name": NAME, "description": TITLE, "enabled": True, "timeout": 300}

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
        files={"user": _CLAUDE_CODE, "project": "{cwd}/.mcp.json", "local": _CLAUDE_CODE},
        format="json",
        folder="{CLAUDE_CONFIG_DIR:.claude}",
        local_fields={"type": "stdio"},
        remote_fields={"type": "http"},
        variable_syntax="${{{}}}",
        remote_command="claude mcp add --transport http {name} {url}",
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
        files={"user": f"{_VSCODE}/mcp.json", "project": "{cwd}/.vscode/mcp.json"},
        servers_key="servers",
        local_fields={"type": "stdio"},
        remote_fields={"type": "http"},
        prompts=True,
        next_step="start it from the file or with MCP: List Servers",
    ),
    Client(
        name="codex",
        title="Codex",
        files={"user": "{CODEX_HOME:.codex}/config.toml", "project": "{cwd}/.codex/config.toml"},
        servers_key="mcp_servers",
        format="toml",
        env_names_field="env_vars",
        bearer_field="bearer_token_env_var",
        header_names_field="env_http_headers",
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
    Client(
        name="copilot",
        title="Copilot CLI",
        # In a project it reads `.mcp.json` too, which is the file of Claude Code.
        files={"user": "{COPILOT_HOME:.copilot}/mcp-config.json", "project": "{cwd}/.github/mcp.json"},
        format="json",
        local_fields={"type": "local", "tools": ["*"]},
        remote_fields={"type": "http", "tools": ["*"]},
        variable_syntax="${{{}}}",
        is_gui=False,
        inherits_env=True,
        next_step="start a new session; /mcp show lists it",
    ),
    Client(
        name="opencode",
        title="opencode",
        files={"user": "{xdg}/opencode/opencode.jsonc", "project": "{cwd}/opencode.json"},
        other_files={"user": "{xdg}/opencode/opencode.json", "project": "{cwd}/opencode.jsonc"},
        servers_key="mcp",
        local_fields={"type": "local", "enabled": True},
        remote_fields={"type": "remote", "enabled": True},
        arguments_field=None,
        env_field="environment",
        variable_syntax="{{env:{}}}",
        is_gui=False,
        inherits_env=True,
        next_step="start a new session; `opencode mcp list` shows it",
    ),
    Client(
        name="qwen",
        title="Qwen Code",
        files={"user": "{home}/.qwen/settings.json", "project": "{cwd}/.qwen/settings.json"},
        variable_syntax="${}",
        url_field="httpUrl",
        is_gui=False,
        next_step="start a new session in a folder that it trusts; /mcp shows it",
    ),
    Client(
        # Kiro expands ${NAME} only if its setting "Mcp Approved Env Vars" lists the name.
        name="kiro",
        title="Kiro",
        files={"user": "{home}/.kiro/settings/mcp.json", "project": "{cwd}/.kiro/settings/mcp.json"},
        folder="{home}/.kiro",
        may_expand=True,
        next_step="none; Kiro applies the change at once, and the MCP panel shows it",
    ),
    Client(
        name="cline",
        title="Cline for VS Code",
        files={"user": f"{_VSCODE}/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"},
        remote_fields={"type": "streamableHttp"},
        may_expand=True,
        next_step="none; Cline applies the change at once, and its MCP Servers view shows it",
    ),
    Client(
        name="cline-cli",
        title="Cline CLI",
        files={"user": "{CLINE_DIR:.cline}/data/settings/cline_mcp_settings.json"},
        folder="{CLINE_DIR:.cline}",
        remote_fields={"type": "streamableHttp"},
        may_expand=True,
        is_gui=False,
    ),
    Client(
        # Goose reads the variables of `env_keys` from its environment, and then from its own key store.
        name="goose",
        title="Goose",
        files={"user": "{goose}/config.yaml"},
        servers_key="extensions",
        format="yaml",
        local_fields=_GOOSE | {"type": "stdio"},
        remote_fields=_GOOSE | {"type": "streamable_http"},
        program_field="cmd",
        env_field="envs",
        env_names_field="env_keys",
        url_field="uri",
        variable_syntax="${{{}}}",
    ),
    Client(
        name="antigravity",
        title="Antigravity",
        files={"user": "{home}/.gemini/config/mcp_config.json"},
        url_field="serverUrl",
        may_expand=True,
        next_step="refresh the list under Manage MCP Servers",
    ),
    Client(
        name="junie",
        title="JetBrains Junie",
        files={"user": "{home}/.junie/mcp/mcp.json", "project": "{cwd}/.junie/mcp/mcp.json"},
        folder="{home}/.junie",
        may_expand=True,
        next_step="enable it under Settings > Tools > Junie > MCP Settings",
    ),
    Client(
        name="lm-studio",
        title="LM Studio",
        files={"user": "{home}/.lmstudio/mcp.json"},
        other_files={"user": "{home}/.cache/lm-studio/mcp.json"},
        may_expand=True,
        next_step="none; LM Studio applies the change at once, and the Program tab shows it",
    ),
)

CLIENTS: Mapping[str, Client] = {client.name: client for client in _CLIENTS}
