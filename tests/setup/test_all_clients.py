"""`install` and `uninstall` for several clients, and the list of installations."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from core13_mcp.cli.main import main
from core13_mcp.sandbox import FULL_KEY
from core13_mcp.setup.clients import CLIENTS
from core13_mcp.setup.environment import Environment
from core13_mcp.setup.installed import present_clients

from ..processes import clean_environment
from ..terminal import at_a_terminal
from .config_fixtures import BEFORE

COMMAND = str(Path(sys.executable).with_name("core13-mcp"))
KEY = "POSTHOG_PERSONAL_API_KEY"
SECRET = "phx_SECRETSECRETSECRET"


def write(home: Path, client: str, content: Any) -> Path:
    path = home / BEFORE[client][0]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps({BEFORE[client][1]: content}))
    return path


def installed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["install", "--list", "--json"]) == 0
    listed: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["installations"]
    return listed


def test_several_named_clients_are_configured(home, capsys):
    assert main(["install", "cursor", "goose", "cursor", "--sandbox"]) == 0
    assert [entry["client"] for entry in installed(capsys)] == ["cursor", "goose"]

    assert main(["uninstall", "goose", "cursor"]) == 0
    assert installed(capsys) == []


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_is_found_by_its_file(client, home):
    environment = Environment(platform="linux", home=home, variables={}, cwd=home)
    assert present_clients(environment) == []

    write(home, client, {})

    assert CLIENTS[client] in present_clients(environment)


@pytest.mark.parametrize(("client", "folder"), [("claude-code", ".claude"), ("kiro", ".kiro"), ("cursor", ".cursor")])
def test_a_client_without_a_file_is_found_by_its_folder(client, folder, home):
    (home / folder).mkdir()
    environment = Environment(platform="linux", home=home, variables={}, cwd=home)
    assert [found.name for found in present_clients(environment)] == [client]


def test_all_changes_the_clients_on_this_machine_with_a_flag(home, capsys):
    for folder in (".cursor", ".config/zed", ".kiro"):
        (home / folder).mkdir(parents=True)

    assert main(["install", "--all", "--yes", "--sandbox"]) == 0
    assert [entry["client"] for entry in installed(capsys)] == ["cursor", "zed", "kiro"]

    assert main(["uninstall", "--all", "--yes"]) == 0
    assert installed(capsys) == []
    assert main(["uninstall", "--all"]) == 0
    assert "no client has an entry core13-mcp; nothing was changed" in capsys.readouterr().out


def test_a_scope_limits_all(home, capsys):
    (home / ".cursor").mkdir()
    (home / ".codeium" / "windsurf").mkdir(parents=True)
    main(["install", "--all", "--yes", "--sandbox"])

    assert main(["install", "--all", "--yes", "--sandbox", "--scope", "project", "--no-check"]) == 0
    assert [(entry["client"], entry["scope"]) for entry in installed(capsys)] == [
        ("cursor", "user"),
        ("cursor", "project"),
        ("windsurf", "user"),
    ]
    assert main(["uninstall", "--all", "--yes", "--scope", "user"]) == 0
    assert [(entry["client"], entry["scope"]) for entry in installed(capsys)] == [("cursor", "project")]


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 1), ("\n", 1), ("\x04", 1)])
def test_all_lists_the_files_and_asks_at_a_terminal(answer, status, home):
    (home / ".cursor").mkdir()
    environ = clean_environment(HOME=str(home))
    command = [COMMAND, "install", "--all", "--sandbox"]

    result, output = at_a_terminal(command, environ, [("Add this server to these files? [y/N] ", answer)])

    assert result == status
    assert f"Cursor (user): {home}/.cursor/mcp.json" in output
    assert (home / ".cursor" / "mcp.json").exists() == (status == 0)


def test_a_person_who_does_not_agree_keeps_the_entries(home):
    path = write(home, "cursor", {"core13-mcp": {"command": "mine"}})
    question = ("Remove core13-mcp from these files? [y/N] ", "no\n")

    status, _ = at_a_terminal([COMMAND, "uninstall", "--all"], clean_environment(HOME=str(home)), [question])

    assert status == 1 and "mine" in path.read_text()


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_without_a_terminal_all_needs_a_flag(command, home, capsys):
    path = write(home, "cursor", {"core13-mcp": {"command": "mine"}})

    assert main([command, "--all"]) == 2

    assert f"{command} --all asks before it changes files. Add --yes to agree." in capsys.readouterr().err
    assert "mine" in path.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "needs either names of clients or --all. Name one or more of claude-desktop, "),
        (["cursor", "--all"], "needs either names of clients or --all"),
        (["--all"], "no client was found on this machine. Name one of claude-desktop, "),
    ],
)
def test_a_command_without_a_client_is_refused(arguments, message, capsys):
    assert main(["install", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_an_error_of_one_client_does_not_end_the_others(home, capsys):
    path = write(home, "cursor", "{")
    (home / ".config/zed").mkdir(parents=True)

    assert main(["install", "--all", "--yes", "--sandbox"]) == 2
    assert f"Cursor: {path}: line 1, column 2" in capsys.readouterr().err

    assert main(["install", "--list"]) == 1
    output = capsys.readouterr()
    assert "Zed (user): core13-mcp in" in output.out and str(path) in output.err

    assert main(["uninstall", "--all", "--yes"]) == 1
    output = capsys.readouterr()
    assert "Zed: deleted " in output.out and str(path) in output.err


@pytest.mark.parametrize("client", CLIENTS)
def test_the_list_shows_the_settings_of_each_client_and_no_secret(client, home, capsys, monkeypatch):
    monkeypatch.setenv(KEY, FULL_KEY)
    main(["install", client, "--read-only", "--project-id", "2", "--no-check"])
    report = capsys.readouterr().out

    [entry] = installed(capsys)

    assert entry["runs"] == f"{COMMAND} serve"
    assert entry["settings"] == {"POSTHOG_PROJECT_ID": "2", "CORE13_READ_ONLY": "true"}
    holds_key = FULL_KEY in (home / BEFORE[client][0]).read_text()
    assert ("key: in this file" in report) == holds_key
    assert entry["secrets"] == {KEY: "file" if holds_key else "client"}
    assert main(["install", "--list"]) == 0
    output = capsys.readouterr().out
    assert "  with: CORE13_READ_ONLY=true\n" in output and FULL_KEY not in output
    assert f"  not shown: {KEY}, {'in this file' if holds_key else f'from {CLIENTS[client].title}'}\n" in output


@pytest.mark.parametrize(
    ("client", "entry", "runs", "settings", "secrets"),
    [
        (
            "cursor",
            {"command": "npx", "args": ["core13-mcp", SECRET], "env": {"TOKEN": SECRET, "POSTHOG_HOST": "eu"}},
            "npx core13-mcp",
            {"POSTHOG_HOST": "eu"},
            {"TOKEN": "file"},
        ),
        (
            "cursor",
            {"command": "core13-mcp", "args": ["serve", "--host=eu", "--tools", "users-*", "--read-only"]},
            "core13-mcp serve",
            {"POSTHOG_HOST": "eu", "CORE13_TOOLS": "users-*", "CORE13_READ_ONLY": "true"},
            {},
        ),
        (
            "cursor",
            {"url": f"https://me:{SECRET}@h.example:8/mcp?key={SECRET}", "headers": {"Authorization": SECRET}},
            "https://h.example:8/mcp",
            {},
            {"Authorization": "file"},
        ),
        ("cursor", {"url": f"{SECRET}:"}, "an invalid URL", {}, {}),
        (
            "cursor",
            {"command": "core13-mcp", "env": {"CORE13_TOOLS": SECRET}},
            "core13-mcp",
            {"CORE13_TOOLS": "***"},
            {},
        ),
        ("cursor", {"command": "core13-mcp", "env": [SECRET]}, "core13-mcp", {}, {}),
        # Kiro expands some variables.
        ("kiro", {"command": "core13-mcp", "env": {KEY: f"${SECRET}"}}, "core13-mcp", {}, {KEY: "client"}),
        # Zed does not expand variables, so this is not a reference.
        ("zed", {"command": "core13-mcp", "env": {KEY: f"${SECRET}"}}, "core13-mcp", {}, {KEY: "file"}),
        ("goose", {"uri": "https://h.example/", "env_keys": [KEY]}, "https://h.example/", {}, {KEY: "client"}),
    ],
)
def test_the_list_shows_entries_that_a_person_wrote_without_secrets(
    client, entry, runs, settings, secrets, home, capsys
):
    path = write(home, client, {"core13-mcp": entry})
    [found] = installed(capsys)

    assert (found["file"], found["runs"], found["secrets"]) == (str(path), runs, secrets)
    assert found["settings"].keys() == settings.keys() and SECRET not in json.dumps(found)


@pytest.mark.parametrize("auth", ["bearer", "header"])
def test_the_list_names_the_variables_of_a_remote_server_of_codex(auth, home, capsys):
    field = 'bearer_token_env_var = "TOKEN"' if auth == "bearer" else 'env_http_headers = { X-Key = "TOKEN" }'
    write(home, "codex", f'[mcp_servers.core13-mcp]\nurl = "https://h.example/"\n{field}\n')
    assert installed(capsys)[0]["secrets"] == {"TOKEN": "client"}


def test_an_empty_list_says_so(capsys):
    assert main(["install", "--list"]) == 0
    assert "no client is configured to use this server" in capsys.readouterr().out


def test_the_second_file_of_a_client_is_used_if_it_exists_alone(home):
    first, second = (home / ".config/opencode" / name for name in ("opencode.jsonc", "opencode.json"))
    second.parent.mkdir(parents=True)
    second.write_text("{}")

    main(["install", "opencode", "--sandbox"])
    assert "core13-mcp" in second.read_text() and not first.exists()


@pytest.mark.parametrize(
    ("variables", "client", "path"),
    [
        ({}, "copilot", "/h/.copilot/mcp-config.json"),
        ({"COPILOT_HOME": "/c"}, "copilot", "/c/mcp-config.json"),
        ({"CODEX_HOME": "/c"}, "codex", "/c/config.toml"),
        ({"CLAUDE_CONFIG_DIR": "/c"}, "claude-code", "/c/.claude.json"),
        ({"XDG_CONFIG_HOME": "/x"}, "goose", "/x/goose/config.yaml"),
    ],
)
def test_a_variable_of_the_client_moves_its_file(variables, client, path):
    environment = Environment(platform="linux", home=Path("/h"), variables=variables, cwd=Path("/here"))
    assert CLIENTS[client].config_file(environment).path == Path(path)


def test_goose_has_its_own_folder_on_windows():
    environment = Environment(platform="win32", home=Path("/h"), variables={"APPDATA": "/a"}, cwd=Path("/here"))
    assert CLIENTS["goose"].config_file(environment).path == Path("/a/Block/goose/config/config.yaml")
