"""The command line, in this process where possible."""

from __future__ import annotations

import io
import json
import logging
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import pytest

from core13_mcp import sandbox
from core13_mcp.cli import main as cli
from core13_mcp.cli.commands import call as command
from core13_mcp.cli.parser import parse
from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.directory import builtin_dir
from core13_mcp.identity import VERSION
from core13_mcp.sandbox.eras import ERAS
from core13_mcp.settings import OPTIONS, SandboxEra, flag_values

from ..processes import CLI, clean_environment, run_cli


class Result(SimpleNamespace):
    status: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for option in OPTIONS:
        monkeypatch.delenv(option.variable, raising=False)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def execute(capsys: pytest.CaptureFixture[str]):
    """Run one command in this process."""

    def run_here(*arguments: str) -> Result:
        try:
            status = cli.main(list(arguments))
        except SystemExit as error:
            status = int(error.code or 0)
        output = capsys.readouterr()
        return Result(status=status, out=output.out, err=output.err)

    return run_here


@pytest.mark.smoke
def test_version_and_help_are_printed(execute):
    assert execute("--version").out.strip() == version("core13-mcp")
    help_text = execute("--help").out
    assert all(word in help_text for word in ("serve", "demo", "tools", "call", "sandbox", "examples:", "--read-only"))


def test_the_usage_line_shows_the_options_of_the_command_and_not_every_setting(execute):
    assert execute("--help").out.startswith("usage: core13-mcp [-h] [--SETTING ...] [--version] COMMAND ...\n")
    usage = "usage: core13-mcp doctor [-h] [--SETTING ...] [--json] [--run-project-commands]\n"
    assert execute("doctor", "--help").out.startswith(usage)
    assert execute("completion", "--help").out.startswith("usage: core13-mcp completion [-h] {bash,zsh,fish}\n")


@pytest.mark.parametrize("option", [option for option in OPTIONS if not option.secret], ids=lambda option: option.flag)
def test_every_setting_that_is_not_secret_has_a_flag(option):
    arguments = ["serve", option.flag] if option.is_flag else ["serve", option.flag, "x"]
    assert flag_values(parse(arguments)) == {option.name: True if option.is_flag else "x"}


@pytest.mark.parametrize(
    ("command_line", "name", "arguments", "flags"),
    [
        (["call", "users-list", "limit=1", "offset=2"], "users-list", ["limit=1", "offset=2"], {}),
        (["call", "users-list", "--sandbox", "limit=1"], "users-list", ["limit=1"], {"sandbox": True}),
        (["call", "--timeout", "3", "users-list", "limit=1"], "users-list", ["limit=1"], {"timeout": "3"}),
        (["--sandbox", "call", "users-list"], "users-list", [], {"sandbox": True}),
        (["call", "users-list", "--sandbox", "-"], "users-list", ["-"], {"sandbox": True}),
        (["--timeout", "3", "call", "users-list", "--timeout", "5"], "users-list", [], {"timeout": "5"}),
    ],
)
def test_flags_may_be_before_or_after_the_command_and_its_arguments(command_line, name, arguments, flags):
    parsed = parse(command_line)
    assert (parsed.name, parsed.arguments, flag_values(parsed)) == (name, arguments, flags)


def test_the_default_command_is_serve():
    assert parse([]).command == "serve"
    assert flag_values(parse(["--read-only"])) == {"read_only": True}


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cal"], "core13-mcp: argument COMMAND: there is no 'cal'. Did you mean \"call\"?\nSee: core13-mcp --help\n"),
        (["xyz"], "there is no 'xyz'. Use serve, demo, tools, call,"),
        (["install", "curser"], "core13-mcp install: argument CLIENT: there is no 'curser'. Did you mean \"cursor\"?"),
        (["install", "zed", "--scope", "qq"], "argument --scope: there is no 'qq'. Use user, project, local"),
        (["install", "claude"], 'there is no \'claude\'. Did you mean "claude-code" or "claude-desktop"?'),
        (["completion", "csh"], 'Did you mean "zsh"?'),
        (["tools", "a", "b"], "core13-mcp tools: unrecognized arguments: b\n"),
        (["call", "users-list", "--sandbx"], 'unrecognized arguments: --sandbx. Did you mean "--sandbox"?'),
        (["call", "users-list", "limit=1", "--qqq"], "core13-mcp call: unrecognized arguments: --qqq\n"),
        (["call"], "core13-mcp call: the following arguments are required: NAME\n"),
        (["call", "users-list", "limit"], "the arguments contain 'limit', which is not key=value. Write them as"),
        (["serve", "--sand"], "unrecognized arguments"),
        (
            ["call", "users-list", "--limit", "2"],
            "--limit is not a flag. Write the arguments of the tool without dashes: limit=2",
        ),
        (["call", "users-list", "--limit=2"], "without dashes: limit=2"),
        (["call", "users-partial-update", "--theme-mode"], "without dashes: theme_mode=VALUE"),
        (["tools", "users-list", "--limit", "2"], "unrecognized arguments: --limit 2\nSee"),
        (["call", "users-list", "--sandbox", "limit=2", "limit=3"], "the argument limit is repeated. Write it once."),
        (["call", "users-list", "--sandbox", "[1]"], "the argument is not a JSON object. Write the arguments as"),
        (["serve", "--http", "99999"], "core13-mcp: --http: 99999 is not a port; use a number from 0 to 65535"),
        (["serve", "--http", "9" * 5000], "--http: 99999999999999999999 is not a port"),
        (["serve", "--http", "x"], "--http: 'x' is not [HOST:]PORT"),
        (["--sandbx", "tools"], 'core13-mcp: unrecognized arguments: --sandbx. Did you mean "--sandbox"?'),
        (["serve", "--personal-api-key", "phx_secret0000"], "set the variable POSTHOG_PERSONAL_API_KEY instead"),
        (["--session-id=secret"], "set the variable POSTHOG_SESSION_ID instead"),
        (["tools", "phx_secret0000", "phx_secret0000"], "unrecognized"),
    ],
)
def test_an_invalid_command_line_is_an_error_without_secrets(execute, arguments, message):
    result = execute(*arguments)
    assert result.status == 2 and message in result.err and "secret" not in result.err.replace("secrets are", "")


@pytest.mark.smoke
def test_tools_prints_one_line_for_each_tool(execute):
    lines = execute("tools").out.splitlines()
    assert [line.split()[0] for line in lines] == list(load())
    assert [line for line in lines if re.fullmatch(r"subscriptions-destroy +DELETE +Delete a subscription", line)]


def test_tools_prints_definitions_as_clients_receive_them(execute):
    assert json.loads(execute("tools", "--json").out) == [tool.to_mcp() for tool in load().values()]
    assert json.loads(execute("tools", "users-list", "--json").out) == load()["users-list"].to_mcp()
    assert (
        "project_id"
        not in json.loads(execute("tools", "subscriptions-list", "--json", "--project-id", "1").out)["inputSchema"][
            "properties"
        ]
    )


def test_tools_includes_valid_declarations_of_an_added_directory(execute, tmp_path: Path):
    declaration = json.loads((builtin_dir() / "users-list.json").read_text())
    (tmp_path / "people-list.json").write_text(json.dumps(declaration | {"name": "people-list"}))
    assert (
        json.loads(execute("tools", "people-list", "--json", "--tools-dir", str(tmp_path)).out)["title"] == "List users"
    )
    (tmp_path / "people-list.json").write_text(json.dumps(declaration))
    assert execute("tools", "--tools-dir", str(tmp_path)).status == 2


@pytest.mark.smoke
@pytest.mark.parametrize(
    "arguments", [["id=1", "project_id=1"], ['{"id": 1, "project_id": 1}'], ["-"], [' {"id":"1","project_id":null}']]
)
def test_a_call_accepts_key_value_pairs_json_or_json_on_stdin(execute, monkeypatch, arguments):
    monkeypatch.setattr("sys.stdin", io.StringIO('{"id": 1}\n'))
    result = execute("call", "subscriptions-retrieve", "--sandbox", *arguments)
    assert result.status == 0 and json.loads(result.out)["title"] == "Weekly growth"


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["tools", "user-list"], 2, 'Did you mean "users-list"?'),
        (["tools", "weather"], 2, "`core13-mcp tools` lists the tools."),
        (["call", "user-list", "--sandbox"], 2, 'Did you mean "users-list"?'),
        (["call", "users-list", "--sandbox", "nonsense"], 2, "arguments"),
        (["call", "users-list", "--sandbox", "=1"], 2, "arguments"),
        (["call", "users-list", "--sandbox", "{nonsense"], 2, "the argument is not valid JSON: "),
        (["call", "users-list", "--sandbox", '{"a": NaN}'], 2, "the argument is not valid JSON: "),
        (["call", "users-list", "--sandbox", "a=1", "{}"], 2, "arguments"),
        (["call", "users-retrieve"], 2, "Personal API keys"),
        (["call", "subscriptions-retrieve", "--sandbox", "id=999"], 1, "404 Not Found"),
        (["call", "subscriptions-retrieve", "--dry-run", "id=x"], 1, "id:"),
        (["call", "users-destroy", "--sandbox"], 1, "run the same command again with --yes."),
        (["sandbox", "outbox"], 2, "--db"),
        (
            ["sandbox", "outbox", "--db", "/no/such/file.db"],
            2,
            "There is no sandbox database at /no/such/file.db. Pass",
        ),
    ],
    ids=str,
)
def test_a_failed_command_prints_its_error_to_stderr(execute, arguments, status, message):
    result = execute(*arguments)
    assert (result.status, result.out) == (status, "") and message in result.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "standard input is empty. Write a JSON object to it, or leave out `-`."),
        (" \n", "standard input is empty."),
        ('\ufeff{"limit": 1}', "standard input starts with a byte order mark. Save it as UTF-8 without a BOM."),
        ("[1", "standard input is not valid JSON: "),
        ("[1]", "standard input is not a JSON object. Write the arguments as {"),
        ("limit=1", "standard input is not valid JSON: "),
    ],
)
def test_standard_input_that_is_not_a_json_object_is_an_error(execute, monkeypatch, text, message):
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    result = execute("call", "users-list", "--sandbox", "-")
    assert (result.status, result.out) == (2, "") and message in result.err


@pytest.mark.usefixtures("without_pauses")
@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["subscriptions-destroy", "id=1", "project_id=7"], "Account: http://127.0.0.1:9, project 7"),
        (["subscriptions-destroy", "id=1", "--project-id", "8"], "Account: http://127.0.0.1:9, project 8"),
        (["users-partial-update", "theme_mode=dark"], "Account: http://127.0.0.1:9"),
    ],
)
def test_a_call_that_writes_to_an_account_names_the_host_and_the_project_first(execute, monkeypatch, words, first):
    monkeypatch.setenv("POSTHOG_PERSONAL_API_KEY", "phx_somebody000000000")
    assert execute("call", *words, "--host", "http://127.0.0.1:9").err.splitlines()[0] == first
    assert "Account" not in execute("call", "users-retrieve", "--host", "http://127.0.0.1:9").err
    assert "Account" not in execute("call", *words, "--sandbox").err


@pytest.mark.parametrize("words", [["--sandbox-db", "{}/s.db"], ["--sandbox-era", "page"]])
def test_a_setting_of_the_sandbox_never_sends_a_call_to_the_account(execute, monkeypatch, tmp_path, words):
    monkeypatch.setenv("POSTHOG_PERSONAL_API_KEY", "phx_somebody000000000")
    flags = [word.format(tmp_path) for word in words]
    assert "ada@" in execute("call", "users-retrieve", *flags).out


@pytest.mark.usefixtures("without_pauses")
def test_every_retry_of_an_unreachable_api_is_logged(execute, monkeypatch):
    monkeypatch.setenv("POSTHOG_PERSONAL_API_KEY", "phx_somebody000000000")
    result = execute("call", "users-retrieve", "--host", "http://127.0.0.1:9")
    assert result.status == 1 and "could not be reached" in result.err and result.err.count("retrying in") == 3


@pytest.mark.smoke
def test_a_dry_run_prints_the_request_and_sends_nothing(execute):
    result = execute("call", "subscriptions-list", "--dry-run", "search=a b", "project_id=7")
    assert result.status == 0 and "nothing was sent" in result.err
    assert (
        result.out.startswith("GET https://us.posthog.com/api/projects/7/subscriptions/?") and "search=a" in result.out
    )


def test_a_dry_run_redacts_secrets(execute):
    arguments = ["recording_id=x", "project_id=1", "raw_password=hunter2hunter2", "note=n"]
    result = execute("call", "session-recordings-sharing-passwords-create", "--sandbox", "--dry-run", *arguments)
    assert "hunter2" not in result.out + result.err and '"note":"n"' in result.out
    assert result.out.startswith("POST http://sandbox.invalid/api/projects/1/")


@pytest.mark.smoke
@pytest.mark.parametrize(
    ("variable", "value"), [("CORE13_TIMOUT", "5"), ("CORE13_TIMEOUT", "never"), ("CORE13_TOOLS", "nothing")]
)
def test_an_invalid_setting_is_one_line_of_error_with_status_2(execute, monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    result = execute("tools")
    assert result.status == 2 and result.err.startswith("core13-mcp: ") and len(result.err.splitlines()) == 1


def test_a_sandbox_database_keeps_the_outbox(execute, tmp_path: Path):
    file = str(tmp_path / "sandbox.db")
    sending = ["subscriptions-test-delivery-create", "id=1", "project_id=1", "--sandbox", "--sandbox-db", file]
    assert execute("call", *sending, "--yes").status == 0
    rows = [json.loads(line) for line in execute("sandbox", "outbox", "--db", file).out.splitlines()]
    assert rows


@pytest.mark.parametrize(
    "arguments", [["call", "users-list", "--sandbox", "--sandbox-db"], ["sandbox", "outbox", "--db"]]
)
def test_a_file_that_is_not_a_sandbox_database_is_an_error(execute, tmp_path: Path, arguments):
    (tmp_path / "notes.db").write_text("not a database, but long enough to be looked at" * 100)
    result = execute(*arguments, str(tmp_path / "notes.db"))
    assert result.status == 2 and len(result.err.splitlines()) == 1


def test_the_sandbox_command_ends_with_its_server(execute, monkeypatch):
    async def serve(host: str, port: int, *_: object, ready: Callable[[str], None], **__: object) -> None:
        ready(f"http://{host}:{port}")

    monkeypatch.setattr(sandbox, "serve", serve)
    result = execute("sandbox", "--port", "7")
    assert result.status == 0 and "http://127.0.0.1:7" in result.err


def test_the_sandbox_uses_a_key_only_if_it_is_a_sandbox_key(execute, monkeypatch):
    monkeypatch.setenv("POSTHOG_PERSONAL_API_KEY", sandbox.STAFF_KEY)
    assert "hedy@" in execute("call", "users-retrieve", "--sandbox").out
    monkeypatch.setenv("POSTHOG_PERSONAL_API_KEY", "phx_real000000000000000")
    assert "ada@" in execute("call", "users-retrieve", "--sandbox").out


@pytest.mark.parametrize(
    ("flags", "is_today"), [((), False), (("--sandbox-era", "page"), False), (("--sandbox-era", "today"), True)]
)
def test_the_sandbox_imitates_the_version_of_the_api_page_or_todays(execute, flags, is_today):
    result = execute("call", "users-retrieve", "detail=full", "--sandbox", *flags)
    assert ("ui_configuration" in json.loads(result.out)) is is_today


def test_the_sandbox_command_imitates_the_requested_version(execute, monkeypatch):
    assert get_args(SandboxEra) == tuple(ERAS)
    eras = []

    async def serve(*_: object, era: str, **__: object) -> None:
        eras.append(era)

    monkeypatch.setattr(sandbox, "serve", serve)
    assert [execute("sandbox", *words).status for words in ((), ("--era", "today"), ("--era", "tomorrow"))] == [0, 0, 2]
    assert eras == ["page", "today"]
    assert "page" in execute("sandbox", "--era", "tomorrow").err


def in_a_shell(script: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script that executes a command, with an empty input and the sandbox."""
    environ = clean_environment(CORE13_SANDBOX="1")
    shell = ["sh", "-c", script, "sh", *command]
    return subprocess.run(shell, check=False, input="", capture_output=True, text=True, timeout=60, env=environ)


# Sends SIGINT to its own process at the first import of a module. Then the command runs as usual.
INTERRUPT_AT_IMPORT = """
import os, signal, sys
module = sys.argv.pop(1)
class Interrupt:
    def find_spec(name, *_):
        if name == module:
            sys.meta_path.remove(Interrupt)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt)
from core13_mcp.__main__ import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("core13_mcp.cli.main", ["serve"]),
        ("core13_mcp.cli.parser", ["serve"]),
        ("core13_mcp.settings", ["serve"]),
        ("mcp", ["serve"]),
        ("core13_mcp.compose.engine", ["serve"]),
        ("core13_mcp.compose.engine", ["call", "users-list"]),
    ],
)
def test_ctrl_c_during_an_import_ends_the_process_with_status_130_and_no_traceback(module, arguments):
    result = in_a_shell('exec "$@"', sys.executable, "-c", INTERRUPT_AT_IMPORT, module, *arguments)
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "")


def test_an_ignored_ctrl_c_stays_ignored():
    arguments = [INTERRUPT_AT_IMPORT, "mcp", "serve", "--log-level", "error"]
    result = in_a_shell("trap '' INT; exec \"$@\"", sys.executable, "-c", *arguments)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_ctrl_c_that_python_has_printed_and_ignored_ends_the_process():
    code = "import sys; sys.last_type = KeyboardInterrupt; from core13_mcp.__main__ import main; sys.exit(main())"
    assert in_a_shell('exec "$@"', sys.executable, "-c", code).returncode == 130


@pytest.mark.parametrize("command", ["serve", "tools"])
@pytest.mark.parametrize(
    ("closed", "message"),
    [
        ("<&-", "standard input is closed"),
        (">&-", "standard output is closed"),
        ("2>&-", "standard error is closed"),
        ("<&- >&-", "standard input and standard output are closed"),
        ("<&- >&- 2>&-", ""),
    ],
)
def test_a_closed_standard_stream_is_an_error_with_status_2(command, closed, message):
    result = in_a_shell(f'exec "$@" {closed}', *CLI, command)
    output = result.stdout if "2>" in closed else result.stderr
    assert result.returncode == 2 and message in output and len(output.splitlines()) == bool(message)


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (KeyboardInterrupt(), 130, ""),
        (RuntimeError("a secret"), 70, f"error in core13-mcp {VERSION} with Python 3."),
        (RuntimeError(), 70, "RuntimeError at broken:"),
    ],
)
def test_an_interrupt_or_unexpected_error_ends_a_command_with_at_most_one_line(
    execute, monkeypatch, error, status, message
):
    async def broken(*_: object) -> int:
        raise error

    monkeypatch.setattr(command, "run", broken)
    result = execute("call", "users-list", "--sandbox")
    assert result.status == status and message in result.err and "a secret" not in result.err


def test_input_and_output_are_utf8_whatever_the_encoding_of_the_system():
    sent = ["call", "users-partial-update", "-", "--sandbox"]
    result = subprocess.run(
        [*CLI, *sent],
        input='{"first_name": "李"}'.encode(),
        capture_output=True,
        check=False,
        timeout=60,
        env=clean_environment(PYTHONIOENCODING="cp1252"),
    )
    assert (result.returncode, "李" in result.stdout.decode()) == (0, True)


def test_a_closed_output_pipe_ends_a_command_with_status_1_and_no_message():
    child = subprocess.Popen([*CLI, "tools", "--json"], stdout=-1, stderr=-1, env=clean_environment())
    assert child.stdout is not None and child.stderr is not None
    child.stdout.close()
    with child.stderr:
        assert child.stderr.read() == b""
    assert child.wait(60) == 1


def test_the_sandbox_does_not_start_with_a_file_that_it_cannot_open(tmp_path):
    result = run_cli("sandbox", "--port", "0", "--db", str(tmp_path))
    assert result.returncode == 2 and "The sandbox cannot start: " in result.stderr


def test_the_sandbox_prints_its_address_and_reports_a_port_in_use():
    child = subprocess.Popen([*CLI, "sandbox", "--port", "0"], stderr=-1, text=True, env=clean_environment())
    assert child.stderr is not None
    with child.stderr:
        line = child.stderr.readline()
        port = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert port and sandbox.FULL_KEY in line
        second = run_cli("sandbox", "--port", port[1])
        assert second.returncode == 2 and f"Port {port[1]} is in use" in second.stderr
        child.send_signal(signal.SIGTERM)
        assert child.wait(60) in (0, -signal.SIGTERM)
