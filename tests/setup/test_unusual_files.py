"""`install` and `uninstall` with unusual files, unusable settings and commands that do not stay."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest

from core13_mcp import identity
from core13_mcp.cli.main import main
from core13_mcp.errors import ConfigurationError
from core13_mcp.setup import files, jsonc
from core13_mcp.setup.command import portable_command, server_command, temporary_directory


def install(*arguments: str) -> int:
    return main(["install", *arguments, "--sandbox", "--no-check"])


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "text", ["// hello", "// hello\n", "/* a */\n// b\n", "", "\n", "{}\n", "{}", "\ufeff// hello\n", "\ufeff"]
)
def test_a_file_without_data_gets_an_entry_and_is_restored(text: str, home: Path) -> None:
    path = write(home / ".config/zed/settings.json", text)

    assert install("zed") == 0
    assert "core13-mcp" in jsonc.read(path.read_text())["context_servers"]
    assert all(line in path.read_text() for line in text.splitlines() if "//" in line)
    main(["uninstall", "zed"])
    assert (path.read_text(), list(path.parent.iterdir())) == (text, [path])


def test_a_byte_order_mark_in_a_toml_file_stays(home: Path) -> None:
    path = write(home / ".codex/config.toml", '\ufeffmodel = "x"\r\n')

    assert install("codex") == 0
    text = path.read_bytes().decode()
    assert text.startswith("\ufeffmodel") and "core13-mcp" in tomllib.loads(text[1:])["mcp_servers"]
    main(["uninstall", "codex"])
    assert path.read_bytes().decode() == '\ufeffmodel = "x"\r\n'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe{\0}\0", "it is UTF-16 text; save it as UTF-8"),
        (b"{\0}\0", "it is UTF-16 text; save it as UTF-8"),
        (b'{"a": "\xe9"}', "it is not UTF-8 text; save it as UTF-8"),
        (b'{"mcpServers": null}', 'line 1, column 16: "mcpServers" is null, and not an object; nothing was changed'),
        (b'{"mcpServers": [1]}', '"mcpServers" is an array, and not an object'),
        (b"[]", "line 1, column 1: the file is an array, and not an object"),
        (b"7", "the file is a number, and not an object"),
    ],
)
def test_a_file_that_cannot_get_an_entry_is_named_with_the_reason(
    content: bytes, message: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(home / ".cursor/mcp.json", content)

    assert install("cursor") == 2
    error = capsys.readouterr().err
    assert str(path) in error and message in error and "Error" not in error
    assert (path.read_bytes(), list(path.parent.iterdir())) == (content, [path])


def test_a_read_only_file_is_not_replaced(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(home / ".cursor/mcp.json", "{}")
    path.chmod(0o444)

    assert install("cursor") == 2
    assert f"{path} is read-only; nothing was changed. Run `chmod u+w {path}`" in capsys.readouterr().err
    assert path.read_text() == "{}"


def test_a_hard_link_is_not_cut(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(home / ".cursor/mcp.json", "{}")
    os.link(path, home / "other.json")

    assert install("cursor") == 2
    assert "is a hard link to a file that has other names; nothing was changed" in capsys.readouterr().err
    assert path.samefile(home / "other.json")


def test_a_named_pipe_is_not_opened(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".cursor").mkdir()
    os.mkfifo(home / ".cursor/mcp.json")

    assert install("cursor") == 2
    assert "is not a regular file" in capsys.readouterr().err


def test_names_that_occur_twice_are_reported_and_removed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(
        home / ".cursor/mcp.json",
        '{"mcpServers": {"core13-mcp": 1}, "mcpServers": {"core13-mcp": {}, "core13-mcp": {}}}',
    )

    assert install("cursor") == 0
    output = capsys.readouterr().out
    assert 'note: "mcpServers" occurs several times' in output and 'note: "core13-mcp" occurs several' in output
    main(["uninstall", "cursor"])
    assert json.loads(path.read_text()) == {"mcpServers": {}}


def test_the_directories_of_a_project_that_install_created_are_removed(home: Path) -> None:
    (home / "project" / ".zed").mkdir()
    (home / "project" / ".zed" / "tasks.json").touch()
    for client in ("zed", "cursor", "vscode", "gemini", "codex"):
        assert install(client, "--scope", "project") == 0
        assert main(["uninstall", client, "--scope", "project"]) == 0
    assert [path.name for path in (home / "project").rglob("*")] == [".zed", "tasks.json"]


def test_uninstall_writes_an_empty_file_to_the_target_of_a_link(home: Path) -> None:
    (home / ".cursor").mkdir()
    (home / ".cursor/mcp.json").symlink_to(home / "dotfile.json")
    install("cursor")
    main(["uninstall", "cursor"])
    assert (home / ".cursor/mcp.json").is_symlink() and json.loads((home / "dotfile.json").read_text()) == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tools", "nosuch-*"], "'nosuch-*' matches no tool"),
        (["--personal-api-key-file", "missing"], "the file with the API key, missing: it cannot be read"),
        (["--personal-api-key-file", "quoted"], "it is in quotation marks; remove them"),
        (["--tools-dir", "missing"], "missing"),
    ],
)
def test_settings_with_which_the_server_does_not_start_are_not_written(
    arguments: list[str], message: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(home / "project" / "quoted", '"phx_abcdefgh"')

    assert main(["install", "cursor", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (home / ".cursor").exists()


def test_an_entry_that_does_not_start_is_reported_and_stays(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(home / ".cursor/mcp.json", '{"mcpServers": {"core13-mcp": {"env": {"CORE13_TIMEOUT": "never"}}}}')

    assert main(["install", "cursor", "--sandbox"]) == 1
    assert "check: failed: the process ended with the message: CORE13_TIMEOUT: not a number" in capsys.readouterr().out
    assert json.loads(path.read_text())["mcpServers"]["core13-mcp"]["args"] == ["serve"]


@pytest.mark.parametrize(("on_path", "status"), [(True, 0), (False, 1)])
def test_the_command_in_a_project_file_is_started_from_the_path(
    on_path: bool, status: int, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent) if on_path else "/nowhere")

    assert main(["install", "claude-code", "--scope", "project", "--sandbox"]) == status
    output = capsys.readouterr().out
    assert ("check: started; core13-mcp " if on_path else "check: failed: core13-mcp is not on the PATH. Add") in output


def test_a_project_entry_with_values_of_other_people_is_not_started(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    write(home / "project/.mcp.json", '{"mcpServers": {"core13-mcp": {"env": {"LD_PRELOAD": "/evil.so"}}}}')

    assert main(["install", "claude-code", "--scope", "project", "--sandbox"]) == 0
    assert "check: not started, because the entry has values that this project added" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("prefix", "cache"),
    [("/root/.cache/uv/archive-v0/x", "uvx"), ("/home/me/.cache/pipx/5123879063d49ad", "pipx run")],
)
def test_a_command_in_a_cache_is_not_written(prefix: str, cache: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", prefix)
    with pytest.raises(
        ConfigurationError, match=f"in the cache of {cache}, which can be deleted.*environment that stays"
    ):
        server_command()
    monkeypatch.setattr(identity, "PUBLISHED", True)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigurationError, match="and uvx, which can start it again, is not on the PATH"):
        server_command()
    assert portable_command() == ["uvx", f"core13-mcp@{identity.VERSION}", "serve"]


def test_a_pipx_environment_is_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", "/home/me/.local/share/pipx/venvs/core13-mcp")
    assert server_command()[-1] == "serve"


def test_a_command_for_temporary_files_is_reported(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(Path(sys.executable).parent))
    assert install("cursor") == 0
    assert f"note: {Path(sys.executable).parent} is for temporary files" in capsys.readouterr().out
    assert temporary_directory("/usr/bin/core13-mcp") is None


def test_an_identical_copy_is_made_once(home: Path) -> None:
    path = write(home / ".cursor/mcp.json", '{"mcpServers": {}}')
    install("cursor")
    copies = set(path.parent.iterdir())
    path.write_text('{"mcpServers": {}}')
    install("cursor")
    assert set(path.parent.iterdir()) == copies


def test_a_copy_that_cannot_be_parsed_is_kept(home: Path) -> None:
    path = write(home / ".cursor/mcp.json", "{}")
    install("cursor")
    (copy,) = set(path.parent.iterdir()) - {path}
    copy.write_text("{broken")

    assert main(["uninstall", "cursor"]) == 0
    assert (jsonc.read(path.read_text()), copy.read_text()) == ({}, "{broken")


def test_a_file_that_is_too_large_or_cannot_be_opened_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(home / ".cursor/mcp.json", "{}")
    write(home / ".gemini", "a file and not a directory")
    monkeypatch.setattr(files, "MAX_BYTES", 1)

    assert [install("cursor"), install("gemini")] == [2, 2]
    error = capsys.readouterr().err
    assert f"{path} cannot be read: it has more than 1 bytes" in error
    assert "settings.json cannot be read: Not a directory" in error


def test_a_text_without_a_value_has_nothing_to_remove() -> None:
    assert jsonc.remove("// a", ("servers",)) == "// a"
