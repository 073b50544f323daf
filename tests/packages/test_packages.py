"""The files in packages/ agree with the project and with the tools of the server."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from core13_mcp.setup.clients import CLIENTS
from core13_mcp.setup.entries import Secret, ServerEntry, changes
from core13_mcp.setup.snippets import cursor_link, vscode_link

from ..processes import clean_environment
from .release import release_files

ROOT = Path(__file__).parents[2]
KEY = "POSTHOG_PERSONAL_API_KEY"
BUNDLES = ("mcpb", "mcpb-uvx")


def read(path: str) -> Any:
    return json.loads((ROOT / path).read_text("utf-8"))


def test_the_generated_files_are_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "packages.py"), "--check"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.parametrize("bundle", BUNDLES)
def test_the_script_of_a_bundle_starts_the_server(bundle: str) -> None:
    command = [sys.executable, str(ROOT / "packages" / bundle / "server" / "main.py")]
    environment = clean_environment(CORE13_SANDBOX="1")
    run = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, env=environment, check=False
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("bundle", BUNDLES)
def test_a_bundle_marks_the_key_as_sensitive_and_passes_every_setting_to_the_server(bundle: str) -> None:
    manifest = read(f"packages/{bundle}/manifest.json")

    settings = manifest["user_config"]
    assert {name for name, field in settings.items() if field.get("sensitive")} == {"personal_api_key"}
    assert set(manifest["server"]["mcp_config"]["env"].values()) == {f"${{user_config.{name}}}" for name in settings}
    assert (ROOT / "packages" / bundle / manifest["server"]["entry_point"]).is_file()


def test_the_registry_entry_marks_the_key_as_secret() -> None:
    server = json.loads(release_files()["packages/server.json"])

    assert len(server["description"]) <= 100
    variables = {variable["name"]: variable for variable in server["packages"][0]["environmentVariables"]}
    assert [name for name, variable in variables.items() if variable["isSecret"]] == [KEY]
    assert variables["POSTHOG_HOST"]["default"] == "us"


def test_the_readme_states_the_name_in_the_registry() -> None:
    name = json.loads(release_files()["packages/server.json"])["name"]
    assert f"mcp-name: {name} " in (ROOT / "README.md").read_text("utf-8")


def test_the_install_links_contain_the_entry_of_install() -> None:
    entry = ServerEntry(command=["core13-mcp", "serve"], secrets=(Secret(),))
    ((_, cursor),) = changes(CLIENTS["cursor"], (), entry)
    (_, prompt), (_, vscode) = changes(CLIENTS["vscode"], (), entry)

    for web in (False, True):
        (config,) = parse_qs(urlsplit(cursor_link(entry, web)).query)["config"]
        assert json.loads(base64.b64decode(config)) == cursor
    direct = json.loads(unquote(vscode_link(entry).partition("?")[2]))
    assert direct == {"name": "core13-mcp", "inputs": [prompt], **vscode}
    web_link = parse_qs(urlsplit(vscode_link(entry, web=True)).query)
    assert [json.loads(web_link[name][0]) for name in ("inputs", "config")] == [[prompt], vscode]


def test_the_marketplace_points_to_the_plugin() -> None:
    (plugin,) = read(".claude-plugin/marketplace.json")["plugins"]
    assert read(f"{plugin['source']}/.claude-plugin/plugin.json")["name"] == plugin["name"]
