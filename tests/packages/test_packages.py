"""The files in packages/ agree with the project and with the tools of the server."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from core13_mcp.declarations.catalog import load
from core13_mcp.setup.clients import CLIENTS
from core13_mcp.setup.entries import Secret, ServerEntry, changes
from core13_mcp.setup.install_links import cursor_link, install_links, vscode_link

from ..processes import clean_environment
from .release import release_files

ROOT = Path(__file__).parents[2]
KEY = "POSTHOG_PERSONAL_API_KEY"
BUNDLES = ("mcpb", "mcpb-uvx")
FOLDER = "plugins/c13"


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


def test_every_link_contains_the_command_of_the_server() -> None:
    entry = ServerEntry(command=["uvx", "core13-mcp@1.0", "serve"])
    links = install_links(entry)
    assert [link.client for link in links] == ["VS Code", "Cursor", "VS Code Insiders", "Kiro", "LM Studio", "Goose"]
    for url in (url for link in links for url in (link.direct, link.web) if url):
        # No character of the content has a meaning in the URL.
        assert re.fullmatch(r"[\w:/.?=&%~-]+", url)
        query = parse_qs(urlsplit(url).query)
        config = unquote(url.partition("?")[2]) if url.startswith("vscode:") else query.get("config", [""])[0]
        if config and not config.startswith("{"):
            config = base64.b64decode(config, validate=True).decode()
        words = [query["cmd"][0], *query["arg"]] if "cmd" in query else None
        assert words or [json.loads(config)["command"], *json.loads(config)["args"]] == [*entry.command]
        assert words in (None, [*entry.command])


def test_the_marketplace_points_to_the_plugin() -> None:
    (plugin,) = read(".claude-plugin/marketplace.json")["plugins"]
    names = [
        read(f"{plugin['source']}/{path}plugin.json")["name"] for path in ("", ".claude-plugin/", ".codex-plugin/")
    ]
    assert {*names} == {plugin["name"]}


def test_the_plugin_follows_agent_plugins_1_0_0() -> None:
    plugin, mcp = read(f"{FOLDER}/plugin.json"), read(f"{FOLDER}/mcp.json")

    optional = {"version", "description", "author", "homepage", "repository", "license", "keywords", "extensions"}
    assert {"$schema", "name"} <= plugin.keys() <= {"$schema", "name"} | optional
    assert plugin["$schema"] == "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json"
    assert mcp.keys() == {"$schema", "mcpServers"}
    assert mcp["$schema"] == "https://agent-plugins.org/schemas/1.0.0/mcp.schema.json"
    # A client expands no variables in the command, and finds it on the PATH.
    (server,) = mcp["mcpServers"].values()
    assert server == {"type": "stdio", "command": "core13-mcp", "args": ["serve"]}


def test_no_file_of_the_plugin_refers_to_a_secret_by_value_or_placeholder() -> None:
    for path in (ROOT / FOLDER).rglob("*.json"):
        assert not re.search(r"\$\{|PUT_YOUR|phx_", path.read_text("utf-8")), path


def test_the_skill_has_the_steps_of_every_prompt() -> None:
    (file,) = (ROOT / FOLDER / "skills").glob("*/SKILL.md")
    text = file.read_text("utf-8")
    head = dict(line.split(": ", 1) for line in text.split("---\n")[1].splitlines())
    assert head["name"] == file.parent.name
    assert len(head["description"]) <= 1024
    assert len(text.splitlines()) < 500
    assert "{" not in text
    plain = text.replace("`", "")
    for prompt in json.loads((ROOT / "tools" / "server" / "prompts.json").read_text("utf-8")):
        assert [step for step in prompt["text"] if re.match(r" *\d\.", step) and step not in plain] == []


# The names that models see, from the source or a run of each client; S is the server, and P the plugin. A plugin has a
# server of its own, so that its names are short.
PREFIXES = [
    ("Claude Code", "mcp__{S}__{T}", 64),
    ("Claude Code, plugin", "mcp__plugin_{P}_{S}__{T}", 64),
    ("Codex", "mcp__{S}__{T}", 64),
    ("Copilot CLI", "{S}-{T}", 64),
    ("VS Code", "mcp_{S}_{T}", 64),
    ("Cursor", "user-{S}-{T}", 60),
    ("Cursor, plugin", "plugin-{P}-{S}-{T}", 60),
    ("Gemini CLI", "mcp_{S}_{T}", 64),
    ("Qwen Code", "mcp__{S}__{T}", 64),
    ("opencode", "{S}_{T}", 64),
    ("Kiro, plugin", "power-{P}-{S}-{T}", 64),
]


@pytest.mark.parametrize(("client", "form", "limit"), PREFIXES, ids=[client for client, *_ in PREFIXES])
def test_no_tool_name_is_too_long_for_a_client(client: str, form: str, limit: int) -> None:
    (server,) = read(f"{FOLDER}/mcp.json")["mcpServers"]
    plugin = read(f"{FOLDER}/plugin.json")["name"]
    servers = [server] if "{P}" in form else [server, "core13-mcp"]
    names = [form.format(P=plugin, S=name, T=tool) for name in servers for tool in load()]
    assert [name for name in names if len(name) > limit] == []
