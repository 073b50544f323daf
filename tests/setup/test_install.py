"""`install` and `uninstall` on the configuration files of real clients."""

from __future__ import annotations

import json
import resource
import shutil
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from ruamel.yaml import YAML

from core13_mcp import identity
from core13_mcp.cli.main import main
from core13_mcp.identity import TITLE, VERSION
from core13_mcp.keys import KEY_HEADER
from core13_mcp.sandbox import FULL_KEY, PUBLIC_KEY
from core13_mcp.setup import jsonc
from core13_mcp.setup.clients import CLIENTS
from core13_mcp.setup.command import server_command
from core13_mcp.setup.entries import Secret
from core13_mcp.setup.environment import Environment

from ..processes import clean_environment, run_cli
from ..terminal import at_a_terminal
from .config_fixtures import BEFORE

COMMAND = str(Path(sys.executable).with_name("core13-mcp"))
KEY = "POSTHOG_PERSONAL_API_KEY"
URL = "https://mcp.example.com/mcp"

LOCAL = {"command": COMMAND, "args": ["serve"]}
GOOSE = {"name": "core13-mcp", "description": TITLE, "enabled": True, "timeout": 300}
ENTRIES: dict[str, dict[str, Any]] = {
    "claude-desktop": {**LOCAL, "env": {KEY: FULL_KEY}},
    "claude-code": {"type": "stdio", **LOCAL, "env": {KEY: "${POSTHOG_PERSONAL_API_KEY}"}},
    "cursor": {**LOCAL, "env": {KEY: "${env:POSTHOG_PERSONAL_API_KEY}"}},
    "vscode": {"type": "stdio", **LOCAL, "env": {KEY: "${input:posthog-personal-api-key}"}},
    "codex": {**LOCAL, "env_vars": [KEY]},
    "gemini": {**LOCAL, "env": {KEY: "$POSTHOG_PERSONAL_API_KEY"}},
    "windsurf": {**LOCAL, "env": {KEY: "${env:POSTHOG_PERSONAL_API_KEY}"}},
    "zed": {**LOCAL, "env": {KEY: FULL_KEY}},
    "copilot": {"type": "local", "tools": ["*"], **LOCAL, "env": {KEY: "${POSTHOG_PERSONAL_API_KEY}"}},
    "opencode": {
        "type": "local",
        "enabled": True,
        "command": [COMMAND, "serve"],
        "environment": {KEY: "{env:POSTHOG_PERSONAL_API_KEY}"},
    },
    "qwen": {**LOCAL, "env": {KEY: "$POSTHOG_PERSONAL_API_KEY"}},
    "goose": {**GOOSE, "type": "stdio", "cmd": COMMAND, "args": ["serve"], "env_keys": [KEY]},
    "kiro": {**LOCAL, "env": {KEY: FULL_KEY}},
    "cline": {**LOCAL, "env": {KEY: FULL_KEY}},
    "cline-cli": {**LOCAL, "env": {KEY: FULL_KEY}},
    "antigravity": {**LOCAL, "env": {KEY: FULL_KEY}},
    "junie": {**LOCAL, "env": {KEY: FULL_KEY}},
    "lm-studio": {**LOCAL, "env": {KEY: FULL_KEY}},
}
REMOTE: dict[str, dict[str, Any]] = {
    "claude-code": {"type": "http", "url": URL, "headers": {KEY_HEADER: "${POSTHOG_PERSONAL_API_KEY}"}},
    "cursor": {"url": URL, "headers": {KEY_HEADER: "${env:POSTHOG_PERSONAL_API_KEY}"}},
    "vscode": {"type": "http", "url": URL, "headers": {KEY_HEADER: "${input:posthog-personal-api-key}"}},
    "codex": {"url": URL, "env_http_headers": {KEY_HEADER: KEY}},
    "gemini": {"httpUrl": URL, "headers": {KEY_HEADER: "$POSTHOG_PERSONAL_API_KEY"}},
    "windsurf": {"serverUrl": URL, "headers": {KEY_HEADER: "${env:POSTHOG_PERSONAL_API_KEY}"}},
    "zed": {"url": URL, "headers": {KEY_HEADER: FULL_KEY}},
    "copilot": {
        "type": "http",
        "tools": ["*"],
        "url": URL,
        "headers": {KEY_HEADER: "${POSTHOG_PERSONAL_API_KEY}"},
    },
    "opencode": {
        "type": "remote",
        "enabled": True,
        "url": URL,
        "headers": {KEY_HEADER: "{env:POSTHOG_PERSONAL_API_KEY}"},
    },
    "qwen": {"httpUrl": URL, "headers": {KEY_HEADER: "$POSTHOG_PERSONAL_API_KEY"}},
    "cline": {"type": "streamableHttp", "url": URL, "headers": {KEY_HEADER: FULL_KEY}},
    "goose": {
        **GOOSE,
        "type": "streamable_http",
        "uri": URL,
        "env_keys": [KEY],
        "headers": {KEY_HEADER: "${POSTHOG_PERSONAL_API_KEY}"},
    },
    "antigravity": {"serverUrl": URL, "headers": {KEY_HEADER: FULL_KEY}},
}
COMMENTS = ("// mine", "// keep", "# mine", "// Zed settings", "// dark", "/* servers */", "// light", "# colors")

every_client = pytest.mark.parametrize("client", CLIENTS)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, FULL_KEY)


@pytest.fixture
def config(home: Path) -> Callable[[str], Path]:
    """Writes the file that a client has before the installation, and returns its path."""

    def write(client: str) -> Path:
        path, _, text = BEFORE[client]
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_bytes(text.encode())
        return home / path

    return write


def install(*arguments: str) -> int:
    """The exit status of `install`, which writes the entry and does not start the server."""
    return main(["install", *arguments, "--no-check"])


def read(client: str, text: str) -> Any:
    readers: dict[str, Callable[[str], Any]] = {"toml": tomllib.loads, "yaml": YAML(typ="safe", pure=True).load}
    return readers.get(CLIENTS[client].format, jsonc.read)(text)


def servers(client: str, path: Path) -> dict[str, Any]:
    """The servers that the client reads from its file."""
    entries: dict[str, Any] = read(client, path.read_text("utf-8"))[BEFORE[client][1]]
    return entries


def backups(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.before-core13-mcp*"))


@every_client
def test_install_adds_an_entry_once_and_keeps_the_rest_of_the_file(client, config, capsys):
    path = config(client)
    before = path.read_bytes().decode()

    assert install(client) == 0

    after = path.read_bytes().decode()
    assert servers(client, path)["core13-mcp"] == ENTRIES[client]
    assert [file.read_bytes() for file in backups(path)] == [before.encode()]
    assert [after.count(comment) for comment in COMMENTS] == [before.count(comment) for comment in COMMENTS]
    content = read(client, after)
    del content[BEFORE[client][1]]["core13-mcp"]
    if client == "vscode":
        assert content["inputs"].pop()["id"] == "posthog-personal-api-key"
    assert list(content.items())[: len(read(client, before))] == list(read(client, before).items())

    files = list(path.parent.iterdir())
    install(client)
    assert path.read_bytes().decode() == after
    assert list(path.parent.iterdir()) == files
    assert "no change in" in capsys.readouterr().out


@every_client
def test_uninstall_restores_the_file_and_deletes_the_backup(client, config):
    path = config(client)
    before = path.read_bytes()
    install(client)

    assert main(["uninstall", client]) == 0

    assert path.read_bytes() == before
    assert not backups(path)


@pytest.mark.parametrize("client", ["claude-code", "vscode", "codex", "zed"])
def test_uninstall_keeps_a_backup_that_has_content_which_the_file_lost(client, config, capsys):
    path = config(client)
    before = path.read_bytes()
    install(client)
    only_entry = {BEFORE[client][1]: {"core13-mcp": servers(client, path)["core13-mcp"]}}
    path.write_text(tomlkit.dumps(only_entry) if client == "codex" else json.dumps(only_entry))

    assert main(["uninstall", client]) == 0

    assert [file.read_bytes() for file in backups(path)] == [before]
    assert f"backup: {backups(path)[0]} is kept" in capsys.readouterr().out


@every_client
def test_a_missing_file_is_created(client, home):
    path = home / BEFORE[client][0]

    install(client)
    assert servers(client, path) == {"core13-mcp": ENTRIES[client]}
    assert path.stat().st_mode & 0o777 == 0o600

    main(["uninstall", client])
    assert list(home.iterdir()) == [home / "project"]


@pytest.mark.parametrize("client", ["claude-desktop", "cursor", "codex"])
@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_an_invalid_file_is_not_changed(command, client, config, capsys):
    path = config(client)
    invalid = "a = 1\nb = = 2\n" if client == "codex" else '{\n  "a": 1\n  "b": 2\n}'
    path.write_text(invalid)

    assert main([command, client]) == 2

    assert path.read_text() == invalid
    position = (
        "Invalid value (at line 2, column 5)" if client == "codex" else "line 3, column 3: Expecting ',' delimiter"
    )
    assert f"{path}: {position}" in (message := capsys.readouterr().err)
    assert "nothing was changed" in message


def test_uninstall_without_an_entry_changes_nothing(config, capsys):
    path = config("cursor")

    assert main(["uninstall", "cursor"]) == 0
    assert main(["uninstall", "windsurf"]) == 0

    assert path.read_bytes() == BEFORE["cursor"][2].encode()
    assert "has no entry core13-mcp; nothing was changed" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_an_error(config, home, capsys):
    path = config("cursor")
    path.write_bytes(b"\xff\xfe{}")
    (home / ".gemini/settings.json").mkdir(parents=True)

    assert [install("cursor"), install("gemini")] == [2, 2]

    assert path.read_bytes() == b"\xff\xfe{}"
    errors = capsys.readouterr().err
    assert "cannot be read: it is UTF-16 text; save it as UTF-8" in errors
    assert "settings.json cannot be read: it is not a regular file" in errors


@pytest.mark.parametrize("command", ["install", "uninstall"])
@pytest.mark.parametrize("link_folder", [False, True], ids=["the file is a link", "its folder is a link"])
def test_a_link_in_a_project_to_a_file_outside_is_not_followed(command, link_folder, home, capsys):
    other = home / "mcp.json"
    other.write_text('{"mcpServers": {"core13-mcp": {"command": "mine"}}}')
    project = home / "project"
    if link_folder:
        (project / ".cursor").symlink_to(home)
    else:
        (project / ".cursor").mkdir()
        (project / ".cursor" / "mcp.json").symlink_to(other)

    assert main([command, "cursor", "--scope", "project"]) == 2

    assert json.loads(other.read_text()) == {"mcpServers": {"core13-mcp": {"command": "mine"}}}
    assert {path.name for path in home.iterdir()} == {"project", "mcp.json"}
    error = capsys.readouterr().err
    assert f"leads to {other}, which is outside the project" in error and "Replace the link by a file" in error


def test_a_link_in_a_project_to_a_file_of_the_project_is_followed(home):
    project = home / "project"
    (project / ".cursor").mkdir()
    (project / ".cursor" / "mcp.json").symlink_to("../shared.json")

    assert install("cursor", "--scope", "project") == 0

    assert (project / ".cursor" / "mcp.json").is_symlink()
    assert "core13-mcp" in json.loads((project / "shared.json").read_text())["mcpServers"]


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_a_failed_write_leaves_the_file_unchanged(command, config, capsys):
    path = config("cursor")
    if command == "uninstall":
        install("cursor")
    files = {file: file.read_bytes() for file in path.parent.iterdir()}

    # This limit makes every write to a file fail.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        status = main([command, "cursor"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert status == 2
    assert f"{path}" in (error := capsys.readouterr().err) and "cannot be written: File too large" in error
    assert "nothing was changed" in error
    assert {file: file.read_bytes() for file in path.parent.iterdir()} == files


@pytest.mark.parametrize("prefix", ["/usr", "/root/.cache/uv/archive-v0/x"])
def test_uvx_is_not_used_before_the_package_is_published(capsys, monkeypatch, prefix):
    monkeypatch.setattr(sys, "prefix", prefix)

    assert install("cursor", *(["--uvx"] if prefix == "/usr" else [])) == 2
    assert "is not published on PyPI yet, so uvx would run a package of someone else" in capsys.readouterr().err


def test_uvx_must_be_on_the_path(capsys, monkeypatch):
    monkeypatch.setattr(identity, "PUBLISHED", True)
    monkeypatch.setenv("PATH", "/nowhere")

    assert install("cursor", "--uvx") == 2
    assert "uvx is not on the PATH; install uv" in capsys.readouterr().err


def test_an_installation_from_the_uv_cache_is_started_with_uvx_and_its_version(monkeypatch, tmp_path):
    (tmp_path / "uvx").write_text("#!/bin/sh\n")
    (tmp_path / "uvx").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(identity, "PUBLISHED", True)
    monkeypatch.setattr(sys, "prefix", "/root/.cache/uv/archive-v0/x")

    assert server_command() == [str(tmp_path / "uvx"), f"core13-mcp@{VERSION}", "serve"]


def test_a_file_keeps_its_mode(config, capsys):
    path = config("claude-desktop")
    path.chmod(0o640)
    install("claude-desktop")
    assert f"other users can read it, run: chmod 600 {path}" in capsys.readouterr().out
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_symbolic_link_stays_a_link(config, home):
    path = config("zed")
    target = home / "dotfiles.json"
    path.rename(target)
    path.symlink_to(target)

    install("zed")

    assert path.is_symlink()
    assert "core13-mcp" in servers("zed", target)


def test_print_shows_the_entry_with_a_placeholder_and_writes_nothing(config, capsys):
    path = config("claude-desktop")
    text = path.read_bytes()

    assert install("claude-desktop", "--print") == 0

    output = capsys.readouterr()
    entries = json.loads(output.out)["mcpServers"]
    assert entries == {"core13-mcp": {**LOCAL, "env": {KEY: "PUT_YOUR_POSTHOG_PERSONAL_API_KEY_HERE"}}}
    assert path.read_bytes() == text
    assert FULL_KEY not in output.out + output.err


@pytest.mark.parametrize("client", REMOTE)
def test_a_remote_server_is_added_by_its_url(client, home):
    install(client, "--remote", URL, "--remote-auth", "own-key")
    assert servers(client, home / BEFORE[client][0])["core13-mcp"] == REMOTE[client]


@pytest.mark.parametrize(
    ("client", "url", "message"),
    [
        ("claude-desktop", URL, "cannot contain remote servers; add the URL in Claude Desktop under Settings"),
        ("cursor", "http://mcp.example.com/mcp", "is not an https:// URL"),
        ("cursor", "https://[::1/mcp", "is not an https:// URL"),
    ],
)
def test_a_remote_server_that_cannot_be_added_is_refused(client, url, message, capsys):
    assert install(client, "--remote", url, "--remote-auth", "none") == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(("client", "path"), [("claude-code", ".mcp.json"), ("cursor", ".cursor/mcp.json")])
def test_the_project_scope_writes_nothing_that_is_specific_to_this_machine(client, path, home, capsys):
    (home / "project" / "tools").mkdir()
    assert install(client, "--scope", "project", "--tools-dir", "tools", "--sandbox") == 0

    entry = servers(client, home / "project" / path)["core13-mcp"]
    assert client == "cursor" or entry.pop("type") == "stdio"
    env = {"CORE13_TOOLS_DIR": "tools", "CORE13_SANDBOX": "true"}
    assert entry == {"command": "core13-mcp", "args": ["serve"], "env": env}
    assert "core13-mcp must be on the PATH of" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("client", "arguments", "message"),
    [
        ("cursor", ["--tools-dir", ".."], "which is outside this project, so it does not exist on other machines"),
        ("zed", [], "needs the key in its file, and"),
    ],
)
def test_a_project_file_gets_no_path_and_no_key_of_this_machine(client, arguments, message, home, capsys):
    assert install(client, "--scope", "project", *arguments) == 2
    assert message in capsys.readouterr().err
    assert not list((home / "project").iterdir())


def test_the_local_scope_of_claude_code_is_the_current_folder_in_the_user_file(home):
    install("claude-code", "--scope", "local")

    content = json.loads((home / ".claude.json").read_text())
    assert list(content["projects"][str(home / "project")]["mcpServers"]) == ["core13-mcp"]


def test_a_missing_scope_is_refused(capsys):
    assert install("windsurf", "--scope", "project") == 2
    assert "Windsurf has no scope 'project'; use --scope with one of: user" in capsys.readouterr().err


def test_settings_are_written_to_the_entry_except_those_of_serve(home, monkeypatch):
    monkeypatch.setenv("CORE13_HTTP", "8080")
    (home / "project" / "key").write_text(FULL_KEY)
    install("zed", "--personal-api-key-file", "key", "--read-only", "--tools", "users-*,subscriptions-list")

    assert servers("zed", home / BEFORE["zed"][0])["core13-mcp"] == {
        **LOCAL,
        "env": {
            "POSTHOG_PERSONAL_API_KEY_FILE": str(home / "project" / "key"),
            "CORE13_READ_ONLY": "true",
            "CORE13_TOOLS": "users-*,subscriptions-list",
        },
    }


def test_the_sandbox_needs_no_key(home):
    install("vscode", "--sandbox")

    path = home / BEFORE["vscode"][0]
    entry = {"type": "stdio", **LOCAL, "env": {"CORE13_SANDBOX": "true"}}
    assert jsonc.read(path.read_text()) == {"servers": {"core13-mcp": entry}}

    main(["uninstall", "vscode"])
    assert not path.exists()


def test_without_a_terminal_a_missing_key_is_an_error(capsys, monkeypatch):
    monkeypatch.delenv(KEY)

    assert install("zed") == 2
    assert "name a file that contains it with --personal-api-key-file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (f"{PUBLIC_KEY}\n", "public project key"),
        (
            "\n",
            "no key was entered; run `core13-mcp login` and then this command again, name a file",
        ),
        ("\x04", "no key was entered"),
        ("\n", "create a personal API key (phx_...) in PostHog"),
    ],
)
def test_an_unusable_typed_key_is_not_written(typed, message, home):
    environ = clean_environment(HOME=str(home))
    status, output = at_a_terminal([COMMAND, "install", "zed"], environ, [("not shown): ", typed)])

    assert (status, message in output) == (2, True)
    assert not (home / BEFORE["zed"][0]).exists()


def test_a_key_in_the_file_is_kept_until_another_one_is_set(config, monkeypatch):
    path = config("zed")
    install("zed")
    monkeypatch.delenv(KEY)
    install("zed", "--read-only")
    assert servers("zed", path)["core13-mcp"]["env"] == {KEY: FULL_KEY, "CORE13_READ_ONLY": "true"}

    monkeypatch.setenv(KEY, "phx_another000000000")
    install("zed")
    assert servers("zed", path)["core13-mcp"]["env"] == {KEY: "phx_another000000000", "CORE13_READ_ONLY": "true"}

    main(["uninstall", "zed"])
    assert path.read_text() == BEFORE["zed"][2]
    assert FULL_KEY not in "".join(file.read_text() for file in path.parent.iterdir() if file.is_file())


@pytest.mark.parametrize(
    ("platform", "client", "path"),
    [
        ("darwin", "vscode", "Library/Application Support/Code/User/mcp.json"),
        ("darwin", "zed", ".config/zed/settings.json"),
        ("win32", "vscode", "AppData/Roaming/Code/User/mcp.json"),
        ("win32", "zed", "AppData/Roaming/zed/settings.json"),
    ],
)
def test_each_platform_has_its_own_path(platform, client, path):
    environment = Environment(platform=platform, home=Path("/h"), variables={}, cwd=Path("/here"))
    assert CLIENTS[client].config_file(environment).path == Path("/h") / path


@pytest.mark.parametrize("has_key", [True, False])
def test_the_output_states_the_file_the_command_and_the_next_step(has_key, home):
    command = shutil.which("core13-mcp", path=str(Path(COMMAND).parent))
    hint = f"        (it is not set here; {Secret().how_to_get})"

    run = run_cli("install", "cursor", **{"HOME": str(home), KEY: FULL_KEY} if has_key else {"HOME": str(home)})

    assert (run.returncode, run.stderr) == (0, "")
    # The tests may run in a directory for temporary files, and then a note says so.
    lines = [line for line in run.stdout.splitlines() if not line.startswith("  note: ")]
    assert lines == [
        f"Cursor: wrote {home}/.cursor/mcp.json",
        f"  runs: {command} serve",
        "  key: POSTHOG_PERSONAL_API_KEY, which must be set in the environment of Cursor",
        *([] if has_key else [hint]),
        f"  check: started; core13-mcp {VERSION} with 18 tools",
        "  next: enable it under Settings > MCP; `core13-mcp doctor` checks it",
    ]
