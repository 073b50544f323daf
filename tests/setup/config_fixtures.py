"""Configuration files before the installation, with many styles of JSON, TOML and YAML."""

from __future__ import annotations

# The path under the home folder, the key of the servers, and the text, by client.
BEFORE = {
    "claude-desktop": (
        ".config/Claude/claude_desktop_config.json",
        "mcpServers",
        '{\n    "mcpServers": {\n        "files": {"command": "npx", "args": ["-y", "files"]}\n    },\n    "zoom": 1\n}',
    ),
    "claude-code": (
        ".claude.json",
        "mcpServers",
        '{\n  "numStartups": 12,\n  "mcpServers": {\n    "files": {"command": "npx"}\n  },\n  "tips": {}\n}\n',
    ),
    "cursor": (
        ".cursor/mcp.json",
        "mcpServers",
        '{\r\n  "mcpServers": {\r\n    "files": {"url": "https://f.example"}\r\n  }\r\n}\r\n',
    ),
    "vscode": (
        ".config/Code/User/mcp.json",
        "servers",
        '// mine\n{\n\t"servers": {\n\t\t"files": {"command": "npx"}, // keep\n\t},\n\t"inputs": [\n\t\t{"id": "other"}\n\t]\n}\n',
    ),
    "codex": (
        ".codex/config.toml",
        "mcp_servers",
        'model = "o9" # mine\n\n[mcp_servers.files]\ncommand = "npx"\n\n# colors\n[tui]\ntheme = "dark"\n',
    ),
    "gemini": (".gemini/settings.json", "mcpServers", '{\n  // light\n  "ui": {"theme": "GitHub"}\n}\n'),
    "windsurf": (".codeium/windsurf/mcp_config.json", "mcpServers", '{\n  "mcpServers": {}\n}'),
    "zed": (
        ".config/zed/settings.json",
        "context_servers",
        '// Zed settings\n//\n{\n  "theme": "One Dark", // dark\n  /* servers */\n  "context_servers": {},\n}\n',
    ),
    "copilot": (
        ".copilot/mcp-config.json",
        "mcpServers",
        '{"mcpServers": {"files": {"type": "local", "command": "npx"}}}\n',
    ),
    "opencode": (
        ".config/opencode/opencode.jsonc",
        "mcp",
        '{\n  "$schema": "https://opencode.ai/config.json",\n  "mcp": {\n    // mine\n    "files": {"type": "local"}\n  }\n}\n',
    ),
    "qwen": (".qwen/settings.json", "mcpServers", '{\n  "mcpServers": {},\n  "model": {"name": "coder"}\n}\n'),
    "kiro": (".kiro/settings/mcp.json", "mcpServers", '{\n  "powers": {},\n  "mcpServers": {}\n}\n'),
    "cline": (
        ".config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json",
        "mcpServers",
        '{\n  "mcpServers": {\n    "files": {\n      "command": "npx",\n      "disabled": true\n    }\n  }\n}',
    ),
    "cline-cli": (".cline/data/settings/cline_mcp_settings.json", "mcpServers", '{"mcpServers": {}}'),
    "goose": (
        ".config/goose/config.yaml",
        "extensions",
        "# mine\nGOOSE_MODE: auto\nextensions:\n  # keep\n  files: # colors\n    cmd: npx\n    args: ['-y', \"files\"]\n\nother: 1\n",
    ),
    "antigravity": (".gemini/config/mcp_config.json", "mcpServers", '{\n\t"mcpServers": {\n\t\t"files": {}\n\t}\n}\n'),
    "junie": (".junie/mcp/mcp.json", "mcpServers", '{\n    "mcpServers": {"files": {"command": "npx"}}\n}\n'),
    "lm-studio": (".lmstudio/mcp.json", "mcpServers", '{\r\n  "mcpServers": {}\r\n}'),
}
