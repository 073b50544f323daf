"""Update packages/ and plugins/: files for the MCP registry, bundles, the plugin (plugin.py), and install links.

    python scripts/packages.py [--check]

The script writes what follows from the project: version, descriptions, tools, commands and links. Edit everything else
in the files themselves; packages/mcpb-uvx/ is a copy of packages/mcpb/ with another command. `--check` writes nothing,
prints which files are out of date, and exits with 1 if there are any.

Until the package is published (`PUBLISHED` in core13_mcp/identity.py), no file lets a program look up its name on PyPI:
the plugin and the links start an installed `core13-mcp`, the bundles need the wheel in their folder
(`pip wheel --no-deps --wheel-dir packages/mcpb .`), and there is no entry for the MCP registry.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from plugin import FOLDER, plugin_files

from core13_mcp.declarations.catalog import load
from core13_mcp.identity import NAME, PUBLISHED, TITLE, VERSION
from core13_mcp.settings import OPTIONS
from core13_mcp.setup.entries import ServerEntry
from core13_mcp.setup.install_links import install_links

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SHORT = f"PostHog recording sharing, subscriptions and users as {len(load())} MCP tools, with a sandbox."
METADATA = {"version": VERSION, "description": SHORT, "license": PROJECT["license"], "keywords": PROJECT["keywords"]}

REGISTRY_ENTRY = "packages/server.json"
REGISTRY_NAME = "io.github.core13-mcp/core13-mcp"

# In the folder of a bundle.
WHEEL = f"{NAME.replace('-', '_')}-{VERSION}-py3-none-any.whl"

# The command with uvx works on every machine that has uv.
COMMAND = ("uvx", f"{NAME}@{VERSION}", "serve") if PUBLISHED else (NAME, "serve")
# Without a key: the server also uses a sign-in, and explains how to sign in if there is none.
ENTRY = ServerEntry(command=COMMAND)
UVX_ARGUMENTS = COMMAND[1:] if PUBLISHED else ["--from", f"${{__dirname}}/{WHEEL}", NAME, "serve"]


def files() -> dict[str, str]:
    """Return the up-to-date text of every file, by its path in the repository."""
    manifest = _manifest()
    config = {**manifest["server"]["mcp_config"], "command": "uvx", "args": UVX_ARGUMENTS}
    uvx = {"manifest_version": "0.3", "server": {**manifest["server"], "type": "python", "mcp_config": config}}
    json_files = {
        "packages/mcpb/manifest.json": manifest,
        "packages/mcpb-uvx/manifest.json": {**manifest, **uvx},
        **({REGISTRY_ENTRY: _registry_entry()} if PUBLISHED else {}),
    }
    return {
        **{path: json.dumps(value, indent=2, ensure_ascii=False) + "\n" for path, value in json_files.items()},
        "packages/mcpb/pyproject.toml": _bundle_project(),
        "packages/mcpb-uvx/server/main.py": (ROOT / "packages/mcpb/server/main.py").read_text("utf-8"),
        "packages/links.md": _links(),
        **plugin_files(METADATA, COMMAND),
    }


def _read(path: str) -> Any:
    return json.loads((ROOT / path).read_text("utf-8"))


def _manifest() -> dict[str, Any]:
    """Return the MCPB manifest, with which hosts show, configure and start the server."""
    manifest: dict[str, Any] = _read("packages/mcpb/manifest.json")
    manifest |= METADATA
    manifest["display_name"] = TITLE
    manifest["icon"] = "icon.png"
    manifest["long_description"] = PROJECT["description"]
    manifest["tools"] = [{"name": tool.name, "description": tool.title} for tool in load().values()]
    manifest["compatibility"]["runtimes"]["python"] = PROJECT["requires-python"]
    help_texts = {option.name: option.help for option in OPTIONS}
    for name, field in manifest["user_config"].items():
        field["description"] = help_texts[name]
    return manifest


def _registry_entry() -> dict[str, Any]:
    options = {option.name: option for option in OPTIONS}
    more: dict[str, dict[str, Any]] = {
        "personal_api_key": {"isRequired": True},
        "host": {"default": "us"},
        "project_id": {},
        "read_only": {"format": "boolean", "default": "false"},
    }
    variables = [
        {
            "name": options[name].variable,
            "description": options[name].help,
            "isRequired": False,
            "isSecret": options[name].secret,
            **fields,
        }
        for name, fields in more.items()
    ]
    package = {
        "registryType": "pypi",
        "identifier": NAME,
        "version": VERSION,
        "runtimeHint": "uvx",
        "transport": {"type": "stdio"},
        "packageArguments": [{"type": "positional", "value": "serve"}],
        "environmentVariables": variables,
    }
    return {
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": REGISTRY_NAME,
        "title": TITLE,
        "description": SHORT,
        "version": VERSION,
        "packages": [package],
    }


def _bundle_project() -> str:
    text = (
        f'[project]\nname = "{NAME}-bundle"\nversion = "{VERSION}"\n'
        f'requires-python = "{PROJECT["requires-python"]}"\ndependencies = ["{NAME}=={VERSION}"]\n\n'
        "[tool.uv]\npackage = false\n"
    )
    return text if PUBLISHED else f'{text}\n[tool.uv.sources]\n{NAME} = {{ path = "{WHEEL}" }}\n'


def _links() -> str:
    rows = "".join(f"- [Add to {link.client}]({link.web})\n" for link in install_links(ENTRY) if link.web)
    direct = "".join(f"- {link.client}: `{link.direct}`\n" for link in install_links(ENTRY) if link.direct)
    return (
        "# Install links\n\nGenerated by `scripts/packages.py`. Each link adds an entry that starts"
        f" `{' '.join(COMMAND)}`. For pages that allow web links only:\n\n{rows}\nDirect:\n\n{direct}"
    )


def copies() -> dict[str, bytes]:
    """Return the content of the files that are copies of the icon, which scripts/icon.py draws."""
    icon = (ROOT / "packages/icon.png").read_bytes()
    folders = (f"{FOLDER}/.claude-plugin", "packages/mcpb", "packages/mcpb-uvx")
    return {f"{folder}/icon.png": icon for folder in folders}


def main() -> int:
    """Write the files that differ, or print their names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    wanted: dict[str, bytes | None] = {REGISTRY_ENTRY: None}
    wanted |= {path: text.encode() for path, text in files().items()} | copies()
    changed = {path: content for path, content in wanted.items() if _content(path) != content}
    for path, content in changed.items():
        print(f"{'out of date' if check else 'written' if content else 'deleted'}: {path}")
        if not check:
            _write(ROOT / path, content)
    return int(check and bool(changed))


def _content(path: str) -> bytes | None:
    file = ROOT / path
    return file.read_bytes() if file.exists() else None


def _write(file: Path, content: bytes | None) -> None:
    if content is None:
        file.unlink()
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
