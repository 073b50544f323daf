"""Write packages/: files for the MCP registry, bundles, marketplaces, and install links.

    python scripts/packages.py [--check] [--bundle FOLDER]

`--check` writes nothing, prints which files are out of date, and exits with 1 if there are any. `--bundle` also packs
the two MCPB bundles into the folder; the official `mcpb pack` produces the same content.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

from core13_mcp.declarations.catalog import load
from core13_mcp.identity import NAME, TITLE, VERSION
from core13_mcp.options import Option
from core13_mcp.settings import OPTIONS
from core13_mcp.setup.clients import CLIENTS
from core13_mcp.setup.entries import Secret, ServerEntry, changes
from core13_mcp.setup.snippets import cursor_link, vscode_link

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
AUTHOR = {"name": "The core13-mcp developers"}
SHORT = f"PostHog recording sharing, subscriptions and users as {len(load())} MCP tools, with a sandbox."

# The publisher must own this namespace; README.md states the same name as proof.
REGISTRY_NAME = "io.github.core13-mcp/core13-mcp"

# Works on every machine that has uv.
ENTRY = ServerEntry(command=["uvx", f"{NAME}@{VERSION}", "serve"], secret=Secret())
BUNDLE_COMMAND = ["uv", "run", "--directory", "${__dirname}", "server/main.py"]
BUNDLES = ("mcpb", "mcpb-uvx")
BOOTSTRAP = '''"""Start core13-mcp."""

import sys

from core13_mcp.__main__ import main

sys.exit(main(["serve"]))
'''


class UserSetting(NamedTuple):
    """A setting for which a package asks the user."""

    option: Option
    title: str
    type: str
    default: Any


def _setting(variable: str, title: str, type: str = "string", default: Any = "") -> UserSetting:
    return UserSetting(next(option for option in OPTIONS if option.variable == variable), title, type, default)


SETTINGS = (
    _setting("POSTHOG_PERSONAL_API_KEY", "PostHog personal API key"),
    _setting("POSTHOG_HOST", "Region or host", default="us"),
    _setting("POSTHOG_PROJECT_ID", "Project id (optional)"),
    _setting("CORE13_READ_ONLY", "Read only", "boolean", default=False),
)


def files() -> dict[str, str]:
    """Return the text of every file, by its path in the repository."""
    ((_, claude_entry),) = changes(CLIENTS["claude-code"], (), ENTRY)
    return {
        "packages/mcpb/pyproject.toml": _bundle_project(),
        "packages/mcpb/server/main.py": BOOTSTRAP,
        "packages/mcpb/manifest.json": _json(manifest("0.4", "uv", BUNDLE_COMMAND)),
        "packages/mcpb-uvx/server/main.py": BOOTSTRAP,
        "packages/mcpb-uvx/manifest.json": _json(manifest("0.3", "python", list(ENTRY.command))),
        "packages/server.json": _json(registry_entry()),
        "packages/claude-code/.claude-plugin/plugin.json": _json(_plugin()),
        "packages/claude-code/.mcp.json": _json({"mcpServers": {NAME: claude_entry}}),
        ".claude-plugin/marketplace.json": _json(_marketplace()),
        "packages/links.md": _links(),
    }


def manifest(version: str, server_type: str, command: list[str]) -> dict[str, Any]:
    """Return an MCPB manifest, with which hosts show, configure and start the server."""
    return {
        "manifest_version": version,
        "name": NAME,
        "display_name": TITLE,
        "version": VERSION,
        "description": SHORT,
        "long_description": PROJECT["description"],
        "author": AUTHOR,
        "license": PROJECT["license"],
        "keywords": PROJECT["keywords"],
        "privacy_policies": ["https://posthog.com/privacy"],
        "server": {
            "type": server_type,
            "entry_point": "server/main.py",
            "mcp_config": {
                "command": command[0],
                "args": command[1:],
                "env": {setting.option.variable: f"${{user_config.{setting.option.name}}}" for setting in SETTINGS},
            },
        },
        "tools": [{"name": tool.name, "description": tool.title} for tool in load().values()],
        "compatibility": {
            "platforms": ["darwin", "win32", "linux"],
            "runtimes": {"python": PROJECT["requires-python"]},
        },
        "user_config": {setting.option.name: _user_config(setting) for setting in SETTINGS},
    }


def registry_entry() -> dict[str, Any]:
    """Return `server.json` for the MCP registry."""
    return {
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": REGISTRY_NAME,
        "title": TITLE,
        "description": SHORT,
        "version": VERSION,
        "packages": [
            {
                "registryType": "pypi",
                "identifier": PROJECT["name"],
                "version": VERSION,
                "runtimeHint": "uvx",
                "transport": {"type": "stdio"},
                "packageArguments": [{"type": "positional", "value": "serve"}],
                "environmentVariables": [_registry_variable(setting) for setting in SETTINGS],
            }
        ],
    }


def _user_config(setting: UserSetting) -> dict[str, Any]:
    secret = setting.option.secret
    return {
        "type": setting.type,
        "title": setting.title,
        "description": setting.option.help,
        "required": secret,
        **({"sensitive": True} if secret else {"default": setting.default}),
    }


def _registry_variable(setting: UserSetting) -> dict[str, Any]:
    option = setting.option
    return {
        "name": option.variable,
        "description": option.help,
        "isRequired": option.secret,
        "isSecret": option.secret,
        **({"format": setting.type} if setting.type != "string" else {}),
        **({"default": str(setting.default).lower()} if setting.default != "" else {}),
    }


def _plugin() -> dict[str, Any]:
    metadata = {key: PROJECT[key] for key in ("license", "keywords")}
    return {"name": NAME, "version": VERSION, "description": SHORT, "author": AUTHOR, **metadata}


def _marketplace() -> dict[str, Any]:
    plugin = {"name": NAME, "source": "./packages/claude-code", "description": SHORT, "version": VERSION}
    return {"name": NAME, "owner": AUTHOR, "description": SHORT, "plugins": [plugin]}


def _links() -> str:
    cursor, vscode = cursor_link(ENTRY, web=True), vscode_link(ENTRY, web=True)
    return (
        "# Install links\n\nGenerated by `scripts/packages.py`. For pages that allow web links only:\n\n"
        f"- [Add to Cursor]({cursor})\n- [Add to VS Code]({vscode})\n\n"
        f"Direct:\n\n- Cursor: `{cursor_link(ENTRY)}`\n- VS Code: `{vscode_link(ENTRY)}`\n"
    )


def _bundle_project() -> str:
    return (
        f'[project]\nname = "{NAME}-bundle"\nversion = "{VERSION}"\n'
        f'requires-python = "{PROJECT["requires-python"]}"\ndependencies = ["{NAME}=={VERSION}"]\n\n'
        "[tool.uv]\npackage = false\n"
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def pack_bundles(folder: Path) -> None:
    """Pack the MCPB bundles. A bundle is a ZIP archive with the manifest at the top."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = files()
    for bundle in BUNDLES:
        path = folder / f"{NAME}-{VERSION}{bundle.removeprefix('mcpb')}.mcpb"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            members = [name for name in texts if name.startswith(f"packages/{bundle}/")]
            for name in members:
                archive.writestr(name.removeprefix(f"packages/{bundle}/"), texts[name])


def main() -> int:
    """Write the files that differ, or print their names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--bundle", type=Path)
    arguments = parser.parse_args()
    changed = {path: text for path, text in files().items() if _current(path) != text}
    for path, text in changed.items():
        print(f"{'out of date' if arguments.check else 'written'}: {path}")
        if not arguments.check:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(text, "utf-8")
    if arguments.bundle:
        pack_bundles(arguments.bundle)
    return int(arguments.check and bool(changed))


def _current(path: str) -> str | None:
    return (ROOT / path).read_text("utf-8") if (ROOT / path).exists() else None


if __name__ == "__main__":
    sys.exit(main())
