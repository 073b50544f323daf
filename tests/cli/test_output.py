"""Output that cannot be written, and other surroundings in which a command cannot do its work."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from core13_mcp.cli.main import main

from ..processes import CLI, clean_environment

FULL = Path("/dev/full")

COMMANDS = [
    ["--help"],
    ["--version"],
    ["tools"],
    ["tools", "--json"],
    ["completion", "bash"],
    ["install", "cursor", "--sandbox", "--print"],
    ["call", "users-list", "--sandbox"],
    ["call", "users-retrieve", "--sandbox", "detail=full"],
    ["call", "subscriptions-list", "--sandbox", "--dry-run"],
    ["demo"],
]


def run(*arguments: str, cwd: Path | None = None, stdout: int = subprocess.PIPE, **variables: str) -> tuple[int, str]:
    """Return the exit status and stderr of a command."""
    process = subprocess.run(
        [*CLI, *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        cwd=cwd,
        env=clean_environment(**variables),
    )
    return process.returncode, process.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_on_a_full_disk_the_exit_status_is_1_with_a_message(home, arguments, unbuffered):
    descriptor = os.open(FULL, os.O_WRONLY)
    try:
        status, errors = run(*arguments, stdout=descriptor, HOME=str(home), PYTHONUNBUFFERED=unbuffered)
    finally:
        os.close(descriptor)
    assert status == 1
    assert errors.splitlines()[-1] == (
        "core13-mcp: standard output cannot be written: No space left on device. The command ran, but its output is "
        "incomplete."
    )
    assert "Traceback" not in errors and "ignored" not in errors


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_behind_a_closed_pipe_the_exit_status_is_1_without_a_message(home, arguments):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        status, errors = run(*arguments, stdout=writer, HOME=str(home))
    finally:
        os.close(writer)
    assert status == 1
    assert "ignored" not in errors and "core13-mcp: " not in errors and "Traceback" not in errors


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(("arguments", "status"), [(["nonsense"], 2), (["tools", "nonsense"], 2), (["tools"], 0)])
def test_messages_that_cannot_be_written_do_not_change_the_exit_status(arguments, status, unbuffered):
    with FULL.open("w") as full:
        process = subprocess.run(
            [*CLI, *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=full,
            timeout=60,
            env=clean_environment(PYTHONUNBUFFERED=unbuffered),
        )
    assert process.returncode == status


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["doctor", "--sandbox"], 2, "the current directory cannot be used: No such file or directory. Change to"),
        (["install", "zed", "--print", "--sandbox"], 2, "the current directory cannot be used"),
        (["uninstall", "zed"], 2, "the current directory cannot be used"),
        (["tools"], 0, ""),
        (["call", "users-list", "--sandbox"], 0, ""),
        (["--help"], 0, ""),
    ],
)
def test_a_deleted_working_directory_is_an_error_of_the_commands_that_need_one(tmp_path, arguments, status, message):
    words = " ".join(["exec", *CLI, *arguments])
    process = subprocess.run(
        ["/bin/sh", "-c", f"mkdir gone && cd gone && rmdir ../gone && {words}"],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env=clean_environment(HOME=str(tmp_path), PYTHONPATH=os.pathsep.join(["", str(Path(__file__).parents[2])])[1:]),
    )
    assert (process.returncode, message in process.stderr) == (status, True), process.stderr


def test_an_unusable_working_directory_is_an_error(monkeypatch, capsys):
    def no_folder() -> Path:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(Path, "cwd", no_folder)
    assert main(["uninstall", "zed"]) == 2
    assert "the current directory cannot be used: No such file or directory." in capsys.readouterr().err


def test_without_a_home_directory_the_error_names_the_variable(monkeypatch, capsys):
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    assert main(["uninstall", "zed"]) == 2
    assert (
        capsys.readouterr().err
        == "core13-mcp: the home directory is not known. Set the variable HOME to its absolute path.\n"
    )


@pytest.mark.parametrize("home", ["", "relative", "."])
@pytest.mark.parametrize("words", [["install", "zed", "--sandbox"], ["uninstall", "zed"], ["doctor", "--sandbox"]])
def test_a_home_directory_that_is_empty_or_relative_is_an_error(home, words, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("HOME", home)
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert "the home directory is not known." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_standard_input_that_is_not_utf_8_is_an_error():
    process = subprocess.run(
        [*CLI, "call", "users-list", "-", "--sandbox"],
        check=False,
        input=b"\xff\xfe",
        capture_output=True,
        timeout=60,
        env=clean_environment(),
    )
    assert (process.returncode, process.stderr.decode()) == (
        2,
        "core13-mcp: standard input is not UTF-8 text. Save it as UTF-8.\n",
    )


@pytest.mark.parametrize("port", ["99999", "-1", "http", "1.5", "\u0663", "9" * 5000, "0000000000099999"])
def test_a_number_that_is_not_a_port_is_an_error(port, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["sandbox", "--port", port])
    assert caught.value.code == 2
    assert "is not a port; use a number from 0 to 65535" in capsys.readouterr().err


WORDS = some.sampled_from(
    ["tools", "call", "install", "uninstall", "completion", "sandbox", "outbox", "help", "users-list", "cursor", "codex", "bash",
     "--json", "--sandbox", "--print", "--scope", "project", "--remote", "--db", "--port", "--tools-dir", "--timeout",
     "--project-id", "--host", "--dry-run", "--sandbox-db", "--personal-api-key-file", "limit=2", "{}", "-", "/", "."]
)  # fmt: skip


def status_of(arguments: list[str]) -> int:
    """The exit status of a command in this process."""
    try:
        return main(arguments)
    except SystemExit as error:
        return int(error.code or 0)


@settings(max_examples=150)
@given(some.lists(WORDS | some.text(max_size=12), max_size=6))
def test_no_arguments_lead_to_an_internal_error(words):
    words = [word for word in words if word not in ("serve", "demo", "doctor", "login", "drift", "draft")]
    # Without a command, the server would start; `sandbox` alone would serve.
    arguments = ["call", *words] if not words or ("sandbox" in words and "outbox" not in words) else words
    if arguments[0] not in ("tools", "call", "install", "uninstall", "completion", "sandbox", "help"):
        arguments = ["tools", *arguments]
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setenv("HOME", folder)
        patch.chdir(folder)
        patch.setattr("sys.stdin", io.StringIO("{}"))
        assert status_of(arguments) in (0, 1, 2)


# Commands that read the file `file`, standard input, the home directory or the working directory.
READERS = [
    ["call", "users-retrieve", "--personal-api-key-file", "file", "--host", "http://127.0.0.1:9", "--timeout", "0.01"],
    ["call", "users-list", "-", "--sandbox"],
    ["call", "users-list", "--sandbox-db", "file"],
    ["sandbox", "outbox", "--db", "file"],
    ["tools", "--tools-dir", "."],
    ["tools", "--tools-dir", "file"],
    ["install", "cursor", "--sandbox"],
    ["install", "codex", "--sandbox"],
    ["uninstall", "cursor"],
    ["uninstall", "codex"],
]
# Valid and almost valid content, and any bytes.
CONTENT = some.binary(max_size=40) | some.sampled_from(
    [b"", b"{}", b"[]", b"null", b"1", b'{"mcpServers": null}', b'{"mcpServers": {"core13-mcp": 1}}', b'{"a": 1', b"\xef\xbb\xbf{}",
     b"\xff\xfe{\0}\0", b"mcp_servers = 1", b"[[mcp_servers]]", b"mcp_servers = []", b"phx_somebody000000000", b"a\nb", b"\0" * 40]
)  # fmt: skip


@pytest.mark.usefixtures("without_pauses")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    command=some.sampled_from(READERS),
    content=CONTENT,
    home=some.sampled_from(["", ".", "relative", "/nonexistent/home", "{cwd}", "{cwd}/file", "/dev/null"]),
    language=some.sampled_from(["C", "POSIX", "xx_YY", "de_DE.ISO-8859-1", ""]),
    is_deleted=some.booleans(),
)
def test_no_file_home_locale_or_working_directory_leads_to_an_internal_error(
    command, content, home, language, is_deleted
):
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        cwd = Path(folder) / "cwd"
        for path in (cwd / "file", cwd / "x.json", cwd / ".cursor/mcp.json", cwd / ".codex/config.toml"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        patch.chdir(cwd)
        patch.setenv("HOME", home.format(cwd=cwd))
        patch.setenv("LC_ALL", language)
        patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), encoding="utf-8"))
        if is_deleted:
            shutil.rmtree(cwd)
        status = status_of(command)
    assert status in (0, 1, 2)
