"""What `install` keeps, replaces and copies when a client's file has an entry of this server already."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core13_mcp.cli.main import main
from core13_mcp.sandbox import FULL_KEY
from core13_mcp.setup.command import server_command

KEY, KEY_FILE = "POSTHOG_PERSONAL_API_KEY", "POSTHOG_PERSONAL_API_KEY_FILE"
REFERENCE = "${env:POSTHOG_PERSONAL_API_KEY}"
URL, OTHER = "https://mcp.example.com/mcp", "https://other.example.com/mcp"
PROGRAM, *ARGUMENTS = server_command()
OWN = {"command": PROGRAM, "args": ARGUMENTS}


@pytest.fixture
def cursor(home: Path) -> Path:
    (home / ".cursor").mkdir()
    return home / ".cursor" / "mcp.json"


def installed(path: Path, old: Any, *arguments: str, client: str = "cursor") -> Any:
    """The entry after `install` into a file with an old entry."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"mcpServers": {"core13-mcp": old}}))
    assert main(["install", client, "--no-check", *arguments]) == 0
    return json.loads(path.read_text())["mcpServers"]["core13-mcp"]


def backups(path: Path) -> list[str]:
    return [file.read_text() for file in path.parent.glob(f"{path.name}.before-core13-mcp-*")]


@pytest.mark.parametrize(
    ("old", "arguments", "expected"),
    [
        # Values of the person and of the client stay.
        (
            {**OWN, "disabledTools": ["users-destroy"], "env": {"HTTPS_PROXY": "http://p:1"}},
            ["--sandbox"],
            {**OWN, "disabledTools": ["users-destroy"], "env": {"HTTPS_PROXY": "http://p:1", "CORE13_SANDBOX": "true"}},
        ),
        # Earlier settings stay, unless a flag of the same name is given.
        (
            {**OWN, "env": {"POSTHOG_PROJECT_ID": "5", "POSTHOG_HOST": "eu", "CORE13_SANDBOX": "true"}},
            ["--project-id", "7"],
            {**OWN, "env": {"POSTHOG_PROJECT_ID": "7", "POSTHOG_HOST": "eu", "CORE13_SANDBOX": "true"}},
        ),
        # A flag with the default value removes the setting.
        (
            {**OWN, "env": {"POSTHOG_HOST": "eu", "CORE13_SANDBOX": "true"}},
            ["--host", "us"],
            {**OWN, "env": {"CORE13_SANDBOX": "true"}},
        ),
        # Flags in the arguments stay under the same rule.
        (
            {"command": "/old/core13-mcp", "args": ["serve", "--read-only", "--timeout", "9", "--host=eu", "--sandbox"]},
            ["--timeout", "7"],
            {**OWN, "args": [*ARGUMENTS, "--read-only", "--host=eu", "--sandbox"], "env": {"CORE13_TIMEOUT": "7.0"}},
        ),
        # A key, or the person's own reference, stays if this start has no key.
        ({**OWN, "env": {KEY: "phx_precious"}}, [], {**OWN, "env": {KEY: "phx_precious"}}),
        ({**OWN, "env": {KEY: "${env:MY_KEY}"}}, [], {**OWN, "env": {KEY: "${env:MY_KEY}"}}),
        ({**OWN, "env": {KEY: "PUT_YOUR_POSTHOG_PERSONAL_API_KEY_HERE"}}, [], {**OWN, "env": {KEY: REFERENCE}}),
        ({**OWN, "env": {KEY_FILE: "/k"}}, [], {**OWN, "env": {KEY_FILE: "/k"}}),
        # The command of someone else is replaced, with its arguments.
        ({"command": "docker", "args": ["run", "core13-mcp", "serve"]}, ["--sandbox"], {**OWN, "env": {"CORE13_SANDBOX": "true"}}),
        # Headers stay with their URL only.
        (
            {"url": URL, "headers": {"X-Team": "a", "X-PostHog-Api-Key": "phx_precious"}, "timeout": 5},
            ["--remote", URL, "--remote-auth", "token"],
            {"url": URL, "headers": {"X-Team": "a", "Authorization": "Bearer ${env:CORE13_TOKEN}"}, "timeout": 5},
        ),
        (
            {"url": URL, "headers": {"X-Team": "a"}, "timeout": 5},
            ["--remote", OTHER, "--remote-auth", "none"],
            {"url": OTHER, "timeout": 5},
        ),
        ({**OWN, "env": {KEY: "phx_precious"}, "disabled": True}, ["--remote", URL, "--remote-auth", "none"], {"url": URL, "disabled": True}),
        (["not an entry"], ["--sandbox"], {**OWN, "env": {"CORE13_SANDBOX": "true"}}),
    ],
)  # fmt: skip
def test_an_entry_keeps_what_no_flag_replaces(old: Any, arguments: Sequence[str], expected: Any, cursor: Path) -> None:
    assert installed(cursor, old, *arguments) == expected

    text = cursor.read_text()
    assert main(["install", "cursor", "--no-check", *arguments]) == 0
    assert cursor.read_text() == text


def test_a_key_that_is_set_replaces_the_one_in_the_file(cursor: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, FULL_KEY)
    assert installed(cursor, {**OWN, "env": {KEY: "phx_precious"}}) == {**OWN, "env": {KEY: REFERENCE}}


def test_a_key_file_replaces_a_key(cursor: Path, home: Path) -> None:
    (home / "key").write_text(FULL_KEY)
    entry = installed(cursor, {**OWN, "env": {KEY: "phx_precious"}}, "--personal-api-key-file", str(home / "key"))
    assert entry == {**OWN, "env": {KEY_FILE: str(home / "key")}}
    assert "phx_precious" in backups(cursor)[0]


def test_the_login_session_is_included(cursor: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTHOG_SESSION_ID", "s" * 32)
    monkeypatch.setenv("POSTHOG_CSRF_TOKEN", "c" * 32)
    env = installed(cursor, None)["env"]
    assert env["POSTHOG_SESSION_ID"] == "${env:POSTHOG_SESSION_ID}"
    assert env["POSTHOG_CSRF_TOKEN"] == "${env:POSTHOG_CSRF_TOKEN}"


def test_codex_lists_a_variable_only_if_its_table_has_no_value(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tomllib

    path = home / ".codex" / "config.toml"
    path.parent.mkdir()
    path.write_text(f'[mcp_servers.core13-mcp]\ncommand = "core13-mcp"\nenv = {{ {KEY} = "phx_precious" }}\n')
    main(["install", "codex", "--no-check"])
    entry = {"command": PROGRAM, "args": ARGUMENTS, "env": {KEY: "phx_precious"}}
    assert tomllib.loads(path.read_text())["mcp_servers"]["core13-mcp"] == entry

    monkeypatch.setenv(KEY, FULL_KEY)
    main(["install", "codex", "--no-check"])
    entry = {"command": PROGRAM, "args": ARGUMENTS, "env_vars": [KEY]}
    assert tomllib.loads(path.read_text())["mcp_servers"]["core13-mcp"] == entry


def test_the_output_names_what_was_replaced_and_kept_but_no_values(
    cursor: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = {"command": "docker", "args": ["run"], "disabled": True, "env": {KEY: "phx_precious0"}}
    installed(cursor, old, "--sandbox")
    output = capsys.readouterr().out
    assert "  replaced: command, args\n" in output
    assert f"  kept: disabled, env.{KEY}\n" in output
    assert "phx_precious0" not in output

    main(["uninstall", "cursor"])
    assert json.loads(backups(cursor)[0])["mcpServers"]["core13-mcp"] == old
    assert "is kept, because it differs from the file" in capsys.readouterr().out


def test_a_second_copy_is_made_only_if_a_change_loses_a_value_of_a_person(cursor: Path) -> None:
    installed(cursor, None, "--sandbox")
    main(["install", "cursor", "--no-check", "--read-only"])
    assert len(backups(cursor)) == 1

    content = json.loads(cursor.read_text())
    content["mcpServers"]["core13-mcp"]["command"] = "my-wrapper"
    cursor.write_text(json.dumps(content))
    main(["install", "cursor", "--no-check"])
    assert len(backups(cursor)) == 2


def test_a_file_that_install_created_gets_no_copy(home: Path) -> None:
    main(["install", "windsurf", "--no-check", "--sandbox"])
    main(["install", "windsurf", "--no-check", "--read-only"])
    assert [path.name for path in (home / ".codeium" / "windsurf").iterdir()] == ["mcp_config.json"]


def test_a_comment_inside_a_replaced_entry_is_in_the_copy(home: Path) -> None:
    main(["install", "zed", "--no-check", "--sandbox"])
    path = home / ".config/zed/settings.json"
    path.write_text(path.read_text().replace('"args"', '// mine\n"args"'))
    main(["install", "zed", "--no-check", "--read-only"])
    assert "// mine" in backups(path)[0]


def test_a_prompt_that_the_person_changed_stays(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    main(["install", "vscode", "--no-check"])
    path = home / ".config/Code/User/mcp.json"
    content = json.loads(path.read_text())
    content["inputs"][0]["description"] = "my key"
    content["servers"]["other"] = {"command": "x", "env": {"K": "${input:posthog-personal-api-key}"}}
    path.write_text(json.dumps(content))

    main(["install", "vscode", "--no-check", "--read-only"])
    assert json.loads(path.read_text())["inputs"][0]["description"] == "my key"
    main(["uninstall", "vscode"])
    assert json.loads(path.read_text()) == {
        "inputs": content["inputs"],
        "servers": {"other": content["servers"]["other"]},
    }
