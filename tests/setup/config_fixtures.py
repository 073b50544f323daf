"""Configuration files before the installation, with many styles of JSON and TOML."""

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
}
