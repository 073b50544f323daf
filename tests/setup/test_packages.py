"""What registries, stores and clients are given agrees with the project and with the live tools."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tomllib
import zipfile
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from mcp import Client

from core13_mcp import __version__

ROOT = Path(__file__).parents[2]
VERSION = __version__
KEY = "POSTHOG_PERSONAL_API_KEY"


def held(path: str) -> Any:
    return json.loads((ROOT / path).read_text("utf-8"))


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    return import_module("packages")


def test_the_files_are_what_the_table_makes_of_the_declarations():
    ran = subprocess.run(
        [sys.executable, ROOT / "scripts" / "packages.py", "--check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_everything_says_the_projects_version():
    server = held("packages/server.json")
    bundle = tomllib.loads((ROOT / "packages/mcpb/pyproject.toml").read_text("utf-8"))["project"]

    assert version("core13-mcp") == VERSION
    assert [server["version"], server["packages"][0]["version"]] == [VERSION, VERSION]
    assert bundle["dependencies"] == [f"core13-mcp=={VERSION}"]
    for path in ("packages/mcpb/manifest.json", "packages/mcpb-uvx/manifest.json"):
        assert held(path)["version"] == VERSION
    assert held("packages/claude-code/.claude-plugin/plugin.json")["version"] == VERSION
    assert held("packages/mcpb-uvx/manifest.json")["server"]["mcp_config"]["args"][0] == f"core13-mcp@{VERSION}"
    assert held("packages/claude-code/.mcp.json")["mcpServers"]["core13-mcp"]["args"][0] == f"core13-mcp@{VERSION}"


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["mcpb", "mcpb-uvx"])
async def test_a_bundle_lists_the_tools_that_the_server_lists(kind: str, mcp: Client):
    told = {tool["name"]: tool["description"] for tool in held(f"packages/{kind}/manifest.json")["tools"]}

    assert told == {tool.name: tool.title for tool in (await mcp.list_tools()).tools}


@pytest.mark.parametrize("kind", ["mcpb", "mcpb-uvx"])
def test_a_bundle_keeps_the_key_in_the_key_store_and_passes_every_answer_on(kind):
    manifest = held(f"packages/{kind}/manifest.json")

    asked = manifest["user_config"]
    assert {name for name, field in asked.items() if field.get("sensitive")} == {"personal_api_key"}
    assert set(manifest["server"]["mcp_config"]["env"].values()) == {f"${{user_config.{name}}}" for name in asked}
    assert (ROOT / "packages" / kind / manifest["server"]["entry_point"]).is_file()


def test_the_registry_is_told_which_variable_is_secret():
    server = held("packages/server.json")

    assert len(server["description"]) <= 100
    variables = {one["name"]: one for one in server["packages"][0]["environmentVariables"]}
    assert [name for name, one in variables.items() if one["isSecret"]] == [KEY]
    assert variables["POSTHOG_HOST"]["default"] == "us"


def test_the_readme_proves_to_the_registry_whose_the_name_is():
    name = held("packages/server.json")["name"]

    assert f"mcp-name: {name} " in (ROOT / "README.md").read_text("utf-8")


def test_the_links_hold_the_entry_that_install_writes(packages):
    entry = {"command": "uvx", "args": [f"core13-mcp@{VERSION}", "serve"]}

    (config,) = parse_qs(urlsplit(packages.cursor_link()).query)["config"]
    assert json.loads(base64.b64decode(config)) == {**entry, "env": {KEY: "${env:POSTHOG_PERSONAL_API_KEY}"}}

    said = json.loads(unquote(packages.vscode_link().partition("?")[2]))
    assert said.items() >= {"name": "core13-mcp", "type": "stdio", **entry}.items()
    assert said["env"][KEY] == f"${{input:{said['inputs'][0]['id']}}}"
    assert said["inputs"][0]["password"] is True

    web = parse_qs(urlsplit(packages.vscode_link(web=True)).query)
    assert {name: said[name] for name in ("type", "command", "args", "env")} == json.loads(web["config"][0])
    assert said["inputs"] == json.loads(web["inputs"][0])


def test_the_marketplace_leads_to_the_plugin():
    (plugin,) = held(".claude-plugin/marketplace.json")["plugins"]

    assert held(f"{plugin['source']}/.claude-plugin/plugin.json")["name"] == plugin["name"]


def test_a_bundle_is_an_archive_with_its_manifest_at_the_top(packages, tmp_path):
    packages.bundle(tmp_path)

    names = {}
    for path in tmp_path.glob("*.mcpb"):
        with zipfile.ZipFile(path) as archive:
            names[path.name] = archive.namelist()
    assert names == {
        f"core13-mcp-{VERSION}.mcpb": ["pyproject.toml", "server/main.py", "manifest.json"],
        f"core13-mcp-{VERSION}-uvx.mcpb": ["server/main.py", "manifest.json"],
    }
