"""Writes packages/: what registries, stores and clients take, from one table and the live declarations.

`python scripts/packages.py` writes the files; `--check` only says which differ, and exits with 1 if any does.
`--bundle FOLDER` also packs the two MCPB bundles there; the official `mcpb pack` gives the same content.
"""

from __future__ import annotations

import base64
import json
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from core13_mcp.declarations.catalog import load
from core13_mcp.identity import NAME, TITLE, VERSION
from core13_mcp.options import OPTIONS
from core13_mcp.setup.clients import CLIENTS
from core13_mcp.setup.entries import Server, edits

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
AUTHOR = {"name": "The core13-mcp developers"}
SHORT = f"PostHog recording sharing, subscriptions and users as {len(load())} MCP tools, with a sandbox."
REGISTRY_NAME = "io.github.core13-mcp/core13-mcp"
"""The namespace has to be one that whoever publishes can prove to own; the README says the same name."""

COMMAND = ["uvx", f"{NAME}@{VERSION}", "serve"]
BOOTSTRAP = '''"""Starts core13-mcp, once it is installed."""

import sys

from core13_mcp.cli.main import main

sys.exit(main(["serve"]))
'''


@dataclass(frozen=True)
class Asked:
    """A setting that a package asks the person for."""

    variable: str
    title: str
    kind: str = "string"
    default: Any = ""

    @property
    def option(self) -> Any:
        """What the command line knows of it."""
        return next(option for option in OPTIONS if option.variable == self.variable)

    @property
    def says(self) -> str:
        """What it means."""
        return str(self.option.help)

    @property
    def name(self) -> str:
        """Its name where variables are not used."""
        return str(self.option.name)


ASKED = (
    Asked("POSTHOG_PERSONAL_API_KEY", "PostHog personal API key"),
    Asked("POSTHOG_HOST", "Region or host", default="us"),
    Asked("POSTHOG_PROJECT_ID", "Project id (optional)"),
    Asked("CORE13_READ_ONLY", "Read only", kind="boolean", default=False),
)


def files() -> dict[str, str]:
    """Every file, by its path in the repository."""
    bundled = {
        "pyproject.toml": _bundle_project(),
        "server/main.py": BOOTSTRAP,
        "manifest.json": _json(manifest("0.4", "uv", ["uv", "run", "--directory", "${__dirname}", "server/main.py"])),
    }
    fallback = {"server/main.py": BOOTSTRAP, "manifest.json": _json(manifest("0.3", "python", COMMAND))}
    return {
        **{f"packages/mcpb/{path}": text for path, text in bundled.items()},
        **{f"packages/mcpb-uvx/{path}": text for path, text in fallback.items()},
        "packages/server.json": _json(registry()),
        "packages/claude-code/.claude-plugin/plugin.json": _json(_plugin()),
        "packages/claude-code/.mcp.json": _json({"mcpServers": {NAME: entry("claude-code")}}),
        ".claude-plugin/marketplace.json": _json(_marketplace()),
        "packages/links.md": _links(),
    }


def manifest(version: str, kind: str, command: list[str]) -> dict[str, Any]:
    """An MCPB manifest: what Claude Desktop and others show, ask and run."""
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
            "type": kind,
            "entry_point": "server/main.py",
            "mcp_config": {
                "command": command[0],
                "args": command[1:],
                "env": {asked.variable: f"${{user_config.{asked.name}}}" for asked in ASKED},
            },
        },
        "tools": [{"name": tool.name, "description": tool.title} for tool in load().values()],
        "compatibility": {
            "platforms": ["darwin", "win32", "linux"],
            "runtimes": {"python": PROJECT["requires-python"]},
        },
        "user_config": {asked.name: _field(asked) for asked in ASKED},
    }


def registry() -> dict[str, Any]:
    """`server.json`, for the MCP registry."""
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
                "environmentVariables": [_variable(asked) for asked in ASKED],
            }
        ],
    }


def entry(client: str) -> dict[str, Any]:
    """The entry that `install` writes, with a command that holds on any machine that has uv."""
    return dict(edits(CLIENTS[client], (), Server(command=COMMAND, variables={}))[-1][1])


def cursor_link(web: bool = False) -> str:
    """Opens Cursor and asks whether to add the server."""
    config = quote(base64.b64encode(json.dumps(entry("cursor")).encode()).decode())
    place = "https://cursor.com/en/install-mcp" if web else "cursor://anysphere.cursor-deeplink/mcp/install"
    return f"{place}?name={NAME}&config={config}"


def vscode_link(web: bool = False) -> str:
    """Opens VS Code and asks whether to add the server; VS Code asks for the key itself."""
    (_, prompt), (_, said) = edits(CLIENTS["vscode"], (), Server(command=COMMAND, variables={}))
    if web:
        inputs, config = quote(json.dumps([prompt])), quote(json.dumps(said))
        return f"https://insiders.vscode.dev/redirect/mcp/install?name={NAME}&inputs={inputs}&config={config}"
    return "vscode:mcp/install?" + quote(json.dumps({"name": NAME, "inputs": [prompt], **said}))


def _field(asked: Asked) -> dict[str, Any]:
    secret = asked.option.secret
    return {
        "type": asked.kind,
        "title": asked.title,
        "description": asked.says,
        "required": secret,
        **({"sensitive": True} if secret else {"default": asked.default}),
    }


def _variable(asked: Asked) -> dict[str, Any]:
    secret = asked.option.secret
    said = {"name": asked.variable, "description": asked.says, "isRequired": secret, "isSecret": secret}
    if asked.kind != "string":
        said["format"] = asked.kind
    return said | ({"default": str(asked.default).lower()} if asked.default != "" else {})


def _plugin() -> dict[str, Any]:
    return {
        "name": NAME,
        "version": VERSION,
        "description": SHORT,
        "author": AUTHOR,
        "license": PROJECT["license"],
        "keywords": PROJECT["keywords"],
    }


def _marketplace() -> dict[str, Any]:
    plugin = {"name": NAME, "source": "./packages/claude-code", "description": SHORT, "version": VERSION}
    return {"name": NAME, "owner": AUTHOR, "description": SHORT, "plugins": [plugin]}


def _links() -> str:
    return (
        "# Links that install\n\nWritten by `scripts/packages.py`. For pages that allow web links only:\n\n"
        f"- [Add to Cursor]({cursor_link(web=True)})\n- [Add to VS Code]({vscode_link(web=True)})\n\n"
        f"Direct:\n\n- Cursor: `{cursor_link()}`\n- VS Code: `{vscode_link()}`\n"
    )


def _bundle_project() -> str:
    return (
        f'[project]\nname = "{NAME}-bundle"\nversion = "{VERSION}"\n'
        f'requires-python = "{PROJECT["requires-python"]}"\ndependencies = ["{NAME}=={VERSION}"]\n\n'
        "[tool.uv]\npackage = false\n"
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def bundle(folder: Path) -> None:
    """Pack the MCPB bundles: plain archives with the manifest at the top."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ("mcpb", "mcpb-uvx"):
        with zipfile.ZipFile(folder / f"{NAME}-{VERSION}{kind[4:]}.mcpb", "w", zipfile.ZIP_DEFLATED) as archive:
            for path, text in files().items():
                if path.startswith(f"packages/{kind}/"):
                    archive.writestr(path.removeprefix(f"packages/{kind}/"), text)


def main() -> int:
    """Write or compare."""
    check = "--check" in sys.argv
    differing = [
        path for path, text in files().items() if not (ROOT / path).exists() or (ROOT / path).read_text("utf-8") != text
    ]
    for path in differing:
        print(f"{'differs' if check else 'wrote'}: {path}")
        if not check:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(files()[path], "utf-8")
    if "--bundle" in sys.argv:
        bundle(Path(sys.argv[sys.argv.index("--bundle") + 1]))
    return int(bool(differing) and check)


if __name__ == "__main__":
    sys.exit(main())
