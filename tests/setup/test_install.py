"""`install` and `uninstall`, on the files of real clients."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from core13_mcp.cli.main import main
from core13_mcp.options import CLIENTS
from core13_mcp.sandbox import FULL_KEY, PUBLIC_KEY
from core13_mcp.setup import clients, jsonc, launch
from core13_mcp.setup.environment import Machine

from .before import BEFORE

COMMAND = str(Path(sys.executable).with_name("core13-mcp"))
KEY = "POSTHOG_PERSONAL_API_KEY"

ENTRY = {"command": COMMAND, "args": ["serve"]}
AFTER = {
    "claude-desktop": {**ENTRY, "env": {KEY: FULL_KEY}},
    "claude-code": {"type": "stdio", **ENTRY, "env": {KEY: "${POSTHOG_PERSONAL_API_KEY}"}},
    "cursor": {**ENTRY, "env": {KEY: "${env:POSTHOG_PERSONAL_API_KEY}"}},
    "vscode": {"type": "stdio", **ENTRY, "env": {KEY: "${input:posthog-personal-api-key}"}},
    "codex": {**ENTRY, "env_vars": [KEY]},
    "gemini": {**ENTRY, "env": {KEY: "$POSTHOG_PERSONAL_API_KEY"}},
    "windsurf": {**ENTRY, "env": {KEY: "${env:POSTHOG_PERSONAL_API_KEY}"}},
    "zed": {**ENTRY, "env": {KEY: FULL_KEY}},
}
KEYS = {"vscode": "servers", "codex": "mcp_servers", "zed": "context_servers"}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, FULL_KEY)


@pytest.fixture
def config(home: Path) -> Callable[[str], Path]:
    """Writes a client's file as somebody may have it, and gives its path."""

    def write(client: str) -> Path:
        path, text = BEFORE[client]
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_bytes(text.encode())
        return home / path

    return write


def full(*_: object) -> None:
    """A disk without room."""
    raise OSError(28, "No space left on device")


def servers(client: str, path: Path) -> dict[str, object]:
    """What a client would read as its servers."""
    text = path.read_text("utf-8")
    held = tomllib.loads(text) if client == "codex" else jsonc.read(text)
    found: dict[str, object] = held[KEYS.get(client, "mcpServers")]
    return found


def test_the_command_line_and_the_table_know_the_same_clients():
    assert tuple(clients.CLIENTS) == CLIENTS


@pytest.mark.parametrize("client", CLIENTS)
def test_each_client_gets_an_absolute_command_and_the_key_by_reference_where_it_can(client, config):
    path = config(client)

    assert main(["install", client]) == 0

    assert servers(client, path)["core13-mcp"] == AFTER[client]


@pytest.mark.parametrize("client", CLIENTS)
def test_other_entries_comments_and_order_survive(client, config):
    path = config(client)
    before = path.read_text("utf-8")

    main(["install", client])

    after, read = path.read_text("utf-8"), tomllib.loads if client == "codex" else jsonc.read
    held = read(after)
    del held[KEYS.get(client, "mcpServers")]["core13-mcp"]
    assert {name: value for name, value in held.items() if value and name != "inputs"} == {
        name: value for name, value in read(before).items() if value and name != "inputs"
    }
    assert list(held)[: len(read(before))] == list(read(before))
    for note in (
        "// mine",
        "// keep",
        '{"id": "other"}',
        "# mine",
        "// Zed settings",
        "// dark",
        "/* servers */",
        "// light",
        "# what it",
    ):
        assert after.count(note) == before.count(note)


@pytest.mark.parametrize("client", CLIENTS)
def test_uninstall_gives_back_every_byte(client, config):
    path = config(client)
    text = path.read_bytes()
    main(["install", client])
    assert path.read_bytes() != text

    assert main(["uninstall", client]) == 0

    assert path.read_bytes() == text
    assert [entry.name for entry in path.parent.iterdir() if entry.name != "project"] == [path.name]


@pytest.mark.parametrize("client", CLIENTS)
def test_on_a_fresh_machine_the_file_is_made_and_taken_away_again(client, home):
    path = home / BEFORE[client][0]

    main(["install", client])
    assert servers(client, path) == {"core13-mcp": AFTER[client]}
    main(["uninstall", client])

    assert not path.exists()


@pytest.mark.parametrize("client", CLIENTS)
def test_installing_twice_is_installing_once(client, config, capsys):
    path = config(client)
    main(["install", client])
    once, kept = path.read_bytes(), list(path.parent.iterdir())
    capsys.readouterr()

    main(["install", client])

    assert path.read_bytes() == once
    assert list(path.parent.iterdir()) == kept
    assert "nothing to change" in capsys.readouterr().out


@pytest.mark.parametrize("client", CLIENTS)
def test_what_was_changed_in_between_stays_when_it_is_taken_out(client, config):
    path = config(client)
    main(["install", client])
    added = "\n[late]\nx = 1\n" if client == "codex" else "\n"
    path.write_bytes(path.read_bytes() + added.encode())

    main(["uninstall", client])

    assert path.read_bytes().endswith(added.encode())
    assert "core13-mcp" not in path.read_text("utf-8")


@pytest.mark.parametrize("client", CLIENTS)
def test_the_file_as_it_was_is_kept_beside_it(client, config):
    path = config(client)
    text = path.read_bytes()

    main(["install", client])

    assert path.with_name(f"{path.name}.before-core13-mcp").read_bytes() == text


@pytest.mark.parametrize("client", CLIENTS)
def test_a_file_that_cannot_be_parsed_is_refused_with_the_place_and_left_alone(client, config, capsys):
    path = config(client)
    broken = "a = 1\nb = = 2\n" if client == "codex" else '{\n  "a": 1\n  "b": 2\n}'
    path.write_text(broken)

    assert main(["install", client]) == 2

    assert path.read_text() == broken
    told = capsys.readouterr().err
    assert str(path) in told and "nothing was changed" in told
    assert ("line 2, column 5" if client == "codex" else "line 3, column 3: a comma or } is expected here") in told


def test_taking_out_what_is_not_there_changes_nothing(config, capsys):
    path = config("cursor")

    assert main(["uninstall", "cursor"]) == 0
    assert main(["uninstall", "windsurf"]) == 0

    assert path.read_bytes() == BEFORE["cursor"][1].encode()
    assert "there is no core13-mcp" in capsys.readouterr().out


def test_a_file_that_cannot_be_parsed_is_left_alone_by_uninstall_too(config, capsys):
    path = config("cursor")
    path.write_text("{]")

    assert main(["uninstall", "cursor"]) == 2

    assert path.read_text() == "{]"
    assert "nothing was changed" in capsys.readouterr().err


def test_a_file_that_is_not_text_is_left_alone(config, capsys):
    path = config("cursor")
    path.write_bytes(b"\xff\xfe{}")

    assert main(["install", "cursor"]) == 2

    assert path.read_bytes() == b"\xff\xfe{}"
    assert "cannot be read (UnicodeDecodeError)" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_stays_whole_and_nothing_is_left_beside_it(config, capsys, monkeypatch):
    path = config("cursor")
    text = path.read_bytes()

    monkeypatch.setattr("core13_mcp.setup.files.os.fsync", full)

    assert main(["install", "cursor"]) == 2

    assert path.read_bytes() == text
    assert list(path.parent.iterdir()) == [path]
    assert "cannot be written" in capsys.readouterr().err


def test_a_file_that_cannot_be_given_back_stays_as_it_is(config, capsys, monkeypatch):
    path = config("cursor")
    main(["install", "cursor"])
    text = path.read_bytes()
    monkeypatch.setattr("core13_mcp.setup.files.os.fsync", full)

    assert main(["uninstall", "cursor"]) == 2

    assert path.read_bytes() == text
    assert "cannot be written" in capsys.readouterr().err


def test_uvx_is_asked_for_where_it_is_not(capsys, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")

    assert main(["install", "cursor", "--uvx"]) == 2
    assert "uvx is not on the PATH; install uv" in capsys.readouterr().err


def test_without_a_key_or_anybody_to_ask_it_says_what_to_set(capsys, monkeypatch):
    monkeypatch.delenv(KEY)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)

    assert main(["install", "zed"]) == 2
    assert "set POSTHOG_PERSONAL_API_KEY for this command, or name a file" in capsys.readouterr().err


def test_a_file_keeps_its_mode_and_a_new_one_with_a_key_is_its_owners_only(config, home, capsys):
    path = config("claude-desktop")
    path.chmod(0o640)
    main(["install", "claude-desktop"])
    assert f"others can read it: chmod 600 {path}" in capsys.readouterr().out
    main(["install", "zed"])
    assert "others can read it" not in capsys.readouterr().out

    assert path.stat().st_mode & 0o777 == 0o640
    assert (home / BEFORE["zed"][0]).stat().st_mode & 0o777 == 0o600


def test_a_link_stays_a_link(config, home):
    path = config("zed")
    real = home / "dotfiles.json"
    path.rename(real)
    path.symlink_to(real)

    main(["install", "zed"])

    assert path.is_symlink()
    assert "core13-mcp" in servers("zed", real)


def test_print_shows_the_entry_alone_with_a_placeholder_and_writes_nothing(config, capsys):
    path = config("claude-desktop")
    text = path.read_bytes()

    assert main(["install", "claude-desktop", "--print"]) == 0

    said = capsys.readouterr()
    entry = json.loads(said.out)["mcpServers"]
    assert entry == {"core13-mcp": {**ENTRY, "env": {KEY: "PUT_YOUR_POSTHOG_PERSONAL_API_KEY_HERE"}}}
    assert path.read_bytes() == text
    assert FULL_KEY not in said.out + said.err


REMOTE: dict[str, dict[str, Any]] = {
    "claude-code": {"type": "http", "url": "", "headers": {"Authorization": "Bearer ${POSTHOG_PERSONAL_API_KEY}"}},
    "cursor": {"url": "", "headers": {"Authorization": "Bearer ${env:POSTHOG_PERSONAL_API_KEY}"}},
    "vscode": {"type": "http", "url": "", "headers": {"Authorization": "Bearer ${input:posthog-personal-api-key}"}},
    "codex": {"url": "", "bearer_token_env_var": KEY},
    "gemini": {"httpUrl": "", "headers": {"Authorization": "Bearer $POSTHOG_PERSONAL_API_KEY"}},
    "windsurf": {"serverUrl": "", "headers": {"Authorization": "Bearer ${env:POSTHOG_PERSONAL_API_KEY}"}},
    "zed": {"url": "", "headers": {"Authorization": f"Bearer {FULL_KEY}"}},
}


@pytest.mark.parametrize("client", REMOTE)
def test_a_server_elsewhere_is_entered_by_its_url(client, home):
    url = "https://mcp.example.com/mcp"

    main(["install", client, "--remote", url])

    entry = servers(client, home / BEFORE[client][0])["core13-mcp"]
    assert entry == {name: value or url for name, value in REMOTE[client].items()}


def test_a_server_elsewhere_that_needs_no_key_is_entered_by_its_url_alone(home):
    main(["install", "cursor", "--sandbox", "--remote", "https://mcp.example.com/mcp"])

    entry = servers("cursor", home / BEFORE["cursor"][0])["core13-mcp"]
    assert entry == {"url": "https://mcp.example.com/mcp"}


def test_claude_desktop_is_told_where_a_url_goes_instead(capsys):
    assert main(["install", "claude-desktop", "--remote", "https://mcp.example.com/mcp"]) == 2
    assert "Settings > Connectors" in capsys.readouterr().err


def test_a_key_is_never_sent_in_the_clear(capsys):
    assert main(["install", "cursor", "--remote", "http://mcp.example.com/mcp"]) == 2
    assert main(["install", "cursor", "--remote", "https://[::1/mcp"]) == 2
    assert "https://" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("client", "scope", "path"),
    [
        ("claude-code", "project", ".mcp.json"),
        ("cursor", "project", ".cursor/mcp.json"),
        ("vscode", "project", ".vscode/mcp.json"),
        ("codex", "project", ".codex/config.toml"),
        ("gemini", "project", ".gemini/settings.json"),
        ("zed", "project", ".zed/settings.json"),
    ],
)
def test_a_scope_chooses_the_file(client, scope, path, home):
    main(["install", client, "--scope", scope])

    assert "core13-mcp" in servers(client, home / "project" / path)


def test_a_key_in_a_projects_file_comes_with_a_warning(capsys):
    main(["install", "zed", "--scope", "project"])

    assert "keep it out of version control" in capsys.readouterr().out


def test_claude_codes_local_scope_is_this_folder_in_the_users_file(home):
    main(["install", "claude-code", "--scope", "local"])

    held = json.loads((home / ".claude.json").read_text())
    assert list(held["projects"][str(home / "project")]["mcpServers"]) == ["core13-mcp"]


def test_a_scope_that_a_client_has_not_is_refused_with_those_it_has(capsys):
    assert main(["install", "windsurf", "--scope", "project"]) == 2
    assert "it has user" in capsys.readouterr().err


def test_settings_travel_with_the_entry(home):
    (home / "project" / "key").write_text(FULL_KEY)
    main(["install", "zed", "--personal-api-key-file", "key", "--read-only", "--tools", "users-*,subscriptions-list"])

    assert servers("zed", home / BEFORE["zed"][0])["core13-mcp"] == {
        **ENTRY,
        "env": {
            "POSTHOG_PERSONAL_API_KEY_FILE": str(home / "project" / "key"),
            "CORE13_READ_ONLY": "true",
            "CORE13_TOOLS": "users-*,subscriptions-list",
        },
    }


def test_what_is_for_a_server_over_http_stays_out_of_a_clients_file(home, monkeypatch):
    monkeypatch.setenv("CORE13_HTTP", "8080")
    main(["install", "cursor"])

    assert servers("cursor", home / BEFORE["cursor"][0])["core13-mcp"] == AFTER["cursor"]


def test_in_front_of_the_sandbox_no_key_is_needed(home):
    main(["install", "vscode", "--sandbox"])

    held = jsonc.read((home / BEFORE["vscode"][0]).read_text())
    assert held == {"servers": {"core13-mcp": {"type": "stdio", **ENTRY, "env": {"CORE13_SANDBOX": "true"}}}}


def test_the_key_is_asked_without_echo(home, monkeypatch):
    monkeypatch.delenv(KEY)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("core13_mcp.cli.commands.install.getpass", lambda _: FULL_KEY)

    assert main(["install", "zed"]) == 0

    assert servers("zed", home / BEFORE["zed"][0])["core13-mcp"] == AFTER["zed"]


def test_a_key_of_the_wrong_kind_is_not_written(home, monkeypatch, capsys):
    monkeypatch.delenv(KEY)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("core13_mcp.cli.commands.install.getpass", lambda _: PUBLIC_KEY)

    assert main(["install", "zed"]) == 2

    assert "public project key" in capsys.readouterr().err
    assert not (home / BEFORE["zed"][0]).exists()


def test_a_key_that_is_in_the_file_already_is_kept_and_not_asked_again(home, monkeypatch):
    main(["install", "zed"])
    monkeypatch.delenv(KEY)

    assert main(["install", "zed", "--read-only"]) == 0

    kept = {"env": {KEY: FULL_KEY, "CORE13_READ_ONLY": "true"}}
    assert servers("zed", home / BEFORE["zed"][0])["core13-mcp"] == {**ENTRY, **kept}


def test_a_new_key_takes_the_place_of_the_one_that_is_there(config, monkeypatch):
    path = config("zed")
    main(["install", "zed"])
    monkeypatch.setenv(KEY, "phx_another000000000")

    main(["install", "zed"])
    main(["uninstall", "zed"])

    assert path.read_text() == BEFORE["zed"][1]
    assert FULL_KEY not in "".join(entry.read_text() for entry in path.parent.iterdir() if entry.is_file())


@pytest.mark.parametrize(
    ("platform", "client", "path"),
    [
        ("darwin", "claude-desktop", "Library/Application Support/Claude/claude_desktop_config.json"),
        ("darwin", "vscode", "Library/Application Support/Code/User/mcp.json"),
        ("darwin", "zed", ".config/zed/settings.json"),
        ("win32", "claude-desktop", "AppData/Roaming/Claude/claude_desktop_config.json"),
        ("win32", "vscode", "AppData/Roaming/Code/User/mcp.json"),
        ("win32", "zed", "AppData/Roaming/zed/settings.json"),
        ("linux", "codex", ".codex/config.toml"),
    ],
)
def test_each_platform_keeps_its_files_where_it_does(platform, client, path):
    machine = Machine(platform=platform, home=Path("/h"), environ={}, here=Path("/here"))

    assert clients.CLIENTS[client].file(machine, "user") == Path("/h") / path


def test_what_uvx_made_for_one_run_is_entered_as_uvx_with_the_version(home, monkeypatch, tmp_path):
    (tmp_path / "uvx").write_text("#!/bin/sh\n")
    (tmp_path / "uvx").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "prefix", "/root/.cache/uv/archive-v0/x")

    assert launch.command() == [str(tmp_path / "uvx"), f"core13-mcp@{version('core13-mcp')}", "serve"]


def test_in_a_process_of_its_own_it_writes_the_file_and_says_what_is_next(home):
    ran = subprocess.run(
        [sys.executable, "-m", "core13_mcp", "install", "cursor"],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        env=os.environ | {"HOME": str(home)},
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == [
        f"Cursor: wrote {home}/.cursor/mcp.json",
        f"  runs: {COMMAND} serve",
        "  key: POSTHOG_PERSONAL_API_KEY, which must be set where Cursor is started",
        "  next: switch it on under Settings > MCP; `core13-mcp doctor` checks it",
    ]
    assert FULL_KEY not in ran.stdout
