"""The command line, in process but for what only a process shows."""

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

import pytest

from core13_mcp import sandbox
from core13_mcp.cli import main as cli
from core13_mcp.cli.commands import call as command
from core13_mcp.cli.parser import parse
from core13_mcp.declarations.catalog import load
from core13_mcp.settings import OPTIONS, flag_values

from ..processes import CLI, clean_environment, run_cli


class Ran(SimpleNamespace):
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
def ran(capsys: pytest.CaptureFixture[str]):
    """Run one command in this process."""

    def run_here(*words: str) -> Ran:
        try:
            status = cli.main(list(words))
        except SystemExit as ended:
            status = int(ended.code or 0)
        told = capsys.readouterr()
        return Ran(status=status, out=told.out, err=told.err)

    return run_here


def test_the_version_and_the_help_are_told(ran):
    assert ran("--version").out.strip() == version("core13-mcp")
    told = ran("--help").out
    assert all(word in told for word in ("serve", "demo", "tools", "call", "sandbox", "examples:", "--read-only"))


def test_the_help_begins_with_what_is_the_commands_own_and_not_with_all_settings(ran):
    assert ran("--help").out.startswith("usage: core13-mcp [-h] [--SETTING ...] [--version] COMMAND ...\n")
    assert ran("doctor", "--help").out.startswith("usage: core13-mcp doctor [-h] [--SETTING ...] [--json]\n")
    assert ran("completion", "--help").out.startswith("usage: core13-mcp completion [-h] {bash,zsh,fish}\n")


@pytest.mark.parametrize("option", [option for option in OPTIONS if not option.secret], ids=lambda option: option.flag)
def test_every_setting_but_the_secrets_has_a_flag(option):
    words = ["serve", option.flag] if option.is_flag else ["serve", option.flag, "x"]
    assert flag_values(parse(words)) == {option.name: True if option.is_flag else "x"}


@pytest.mark.parametrize(
    ("words", "name", "arguments", "given"),
    [
        (["call", "users-list", "limit=1", "offset=2"], "users-list", ["limit=1", "offset=2"], {}),
        (["call", "users-list", "--sandbox", "limit=1"], "users-list", ["limit=1"], {"sandbox": True}),
        (["call", "--timeout", "3", "users-list", "limit=1"], "users-list", ["limit=1"], {"timeout": "3"}),
        (["--sandbox", "call", "users-list"], "users-list", [], {"sandbox": True}),
        (["call", "users-list", "--sandbox", "-"], "users-list", ["-"], {"sandbox": True}),
        (["--timeout", "3", "call", "users-list", "--timeout", "5"], "users-list", [], {"timeout": "5"}),
    ],
)
def test_flags_may_stand_on_either_side(words, name, arguments, given):
    parsed = parse(words)
    assert (parsed.name, parsed.arguments, flag_values(parsed)) == (name, arguments, given)


def test_without_a_command_it_serves():
    assert parse([]).command == "serve"
    assert flag_values(parse(["--read-only"])) == {"read_only": True}


@pytest.mark.parametrize(
    ("words", "says"),
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
        (["serve", "--personal-api-key", "phx_secret0000"], "set the variable POSTHOG_PERSONAL_API_KEY instead"),
        (["--session-id=secret"], "set the variable POSTHOG_SESSION_ID instead"),
        (["tools", "phx_secret0000", "phx_secret0000"], "unrecognized"),
    ],
)
def test_what_is_no_command_line_is_an_error_that_quotes_no_key(ran, words, says):
    ended = ran(*words)
    assert ended.status == 2 and says in ended.err and "secret" not in ended.err.replace("secrets are", "")


def test_tools_are_listed_one_a_line(ran):
    lines = ran("tools").out.splitlines()
    assert [line.split()[0] for line in lines] == list(load())
    assert re.fullmatch(r"subscriptions-destroy +DELETE +Delete a subscription", lines[4])


def test_tools_are_shown_as_clients_see_them(ran):
    assert json.loads(ran("tools", "--json").out) == [tool.to_mcp() for tool in load().values()]
    assert json.loads(ran("tools", "users-list").out) == load()["users-list"].to_mcp()
    assert (
        "project_id"
        not in json.loads(ran("tools", "subscriptions-list", "--project-id", "1").out)["inputSchema"]["properties"]
    )


@pytest.mark.parametrize("words", [["tools", "user-list"], ["call", "user-list", "--sandbox"]])
def test_a_tool_that_is_not_there_is_an_error_with_the_nearest(ran, words):
    ended = ran(*words)
    assert (ended.status, ended.out) == (2, "") and 'Did you mean "users-list"?' in ended.err
    assert "Did you mean" not in ran(words[0], "weather", *words[2:]).err


@pytest.mark.parametrize(
    "words", [["id=1", "project_id=1"], ['{"id": 1, "project_id": 1}'], ["-"], [' {"id":"1","project_id":null}']]
)
def test_a_call_takes_words_or_json_or_json_on_stdin(ran, monkeypatch, words):
    monkeypatch.setattr("sys.stdin", io.StringIO('{"id": 1}\n'))
    ended = ran("call", "subscriptions-retrieve", "--sandbox", *words)
    assert ended.status == 0 and json.loads(ended.out)["title"] == "Weekly growth"


@pytest.mark.parametrize("words", [["nonsense"], ["=1"], ["{nonsense"], ['{"a": NaN}'], ["a=1", "{}"]])
def test_arguments_that_are_neither_are_an_error(ran, words):
    ended = ran("call", "users-list", "--sandbox", *words)
    assert ended.status == 2 and "arguments" in ended.err


def test_a_call_that_fails_says_so_on_stderr_and_ends_with_one(ran):
    ended = ran("call", "subscriptions-retrieve", "--sandbox", "id=999")
    assert (ended.status, ended.out) == (1, "") and "404 Not Found" in ended.err


def test_a_call_that_needs_a_person_is_refused(ran):
    ended = ran("call", "users-destroy", "--sandbox")
    assert ended.status == 1 and "CORE13_CONFIRM=never" in ended.err


def test_without_a_key_a_call_says_how_to_make_one(ran):
    ended = ran("call", "users-retrieve")
    assert ended.status == 2 and "Personal API keys" in ended.err and "--sandbox" in ended.err


@pytest.mark.usefixtures("without_pauses")
def test_an_api_that_is_not_there_is_told_with_every_try(ran, monkeypatch):
    monkeypatch.setenv("POSTHOG_PERSONAL_API_KEY", "phx_somebody000000000")
    ended = ran("call", "users-retrieve", "--host", "http://127.0.0.1:9")
    assert ended.status == 1 and "could not be reached" in ended.err and ended.err.count("retrying in") == 3


def test_a_dry_run_shows_the_request_and_sends_nothing(ran):
    ended = ran("call", "subscriptions-list", "--dry-run", "search=a b", "project_id=7")
    assert ended.status == 0 and "nothing was sent" in ended.err
    assert ended.out.startswith("GET https://us.posthog.com/api/projects/7/subscriptions/?") and "search=a" in ended.out


def test_a_dry_run_withholds_secrets(ran):
    words = ["recording_id=x", "project_id=1", "raw_password=hunter2hunter2", "note=n"]
    ended = ran("call", "session-recordings-sharing-passwords-create", "--sandbox", "--dry-run", *words)
    assert "hunter2" not in ended.out + ended.err and '"note":"n"' in ended.out
    assert ended.out.startswith("POST http://sandbox.invalid/api/projects/1/")


def test_a_dry_run_of_bad_arguments_says_what_is_wrong(ran):
    ended = ran("call", "subscriptions-retrieve", "--dry-run", "id=x")
    assert (ended.status, ended.out) == (1, "") and "id:" in ended.err


@pytest.mark.parametrize(
    ("variable", "value"), [("CORE13_TIMOUT", "5"), ("CORE13_TIMEOUT", "never"), ("CORE13_TOOLS", "nothing")]
)
def test_a_wrong_setting_ends_every_command_with_two(ran, monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    ended = ran("tools")
    assert ended.status == 2 and ended.err.startswith("core13-mcp: ") and len(ended.err.splitlines()) == 1


def test_a_sandbox_file_keeps_what_was_done_and_what_would_have_been_sent(ran, tmp_path: Path):
    file = str(tmp_path / "sandbox.db")
    sending = ["subscriptions-test-delivery-create", "id=1", "project_id=1", "--sandbox", "--sandbox-db", file]
    assert ran("call", *sending).status == 0
    rows = [json.loads(line) for line in ran("sandbox", "outbox", "--db", file).out.splitlines()]
    assert rows


@pytest.mark.parametrize("words", [["call", "users-list", "--sandbox", "--sandbox-db"], ["sandbox", "outbox", "--db"]])
def test_a_file_that_is_no_sandbox_is_an_error(ran, tmp_path: Path, words):
    (tmp_path / "notes.db").write_text("not a database, but long enough to be looked at" * 100)
    ended = ran(*words, str(tmp_path / "notes.db"))
    assert ended.status == 2 and len(ended.err.splitlines()) == 1


def test_an_outbox_that_is_not_there_is_an_error(ran, tmp_path: Path):
    assert ran("sandbox", "outbox", "--db", str(tmp_path / "none.db")).status == 2
    assert ran("sandbox", "outbox").status == 2


def test_a_sandbox_that_ends_ends_the_command(ran, monkeypatch):
    async def serve(host: str, port: int, *_: object, ready: Callable[[str], None], **__: object) -> None:
        ready(f"http://{host}:{port}")

    monkeypatch.setattr(sandbox, "serve", serve)
    ended = ran("sandbox", "--port", "7")
    assert ended.status == 0 and "http://127.0.0.1:7" in ended.err


def test_a_sandbox_key_is_used_in_the_sandbox_and_any_other_is_not(ran, monkeypatch):
    monkeypatch.setenv("POSTHOG_PERSONAL_API_KEY", sandbox.STAFF_KEY)
    assert "hedy@" in ran("call", "users-retrieve", "--sandbox").out
    monkeypatch.setenv("POSTHOG_PERSONAL_API_KEY", "phx_real000000000000000")
    assert "ada@" in ran("call", "users-retrieve", "--sandbox").out


# Sends SIGINT to its own process at the first import of a module. Then the command runs as usual.
INTERRUPT_AT_IMPORT = """
import os, signal, sys
class Interrupt:
    def find_spec(name, *_):
        if name == sys.argv[1]:
            sys.meta_path.remove(Interrupt)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt)
from core13_mcp.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("core13_mcp.cli.parser", ["serve"]),
        ("core13_mcp.settings", ["serve"]),
        ("mcp", ["serve"]),
        ("core13_mcp.compose.engine", ["serve"]),
        ("core13_mcp.compose.engine", ["call", "users-list"]),
    ],
)
def test_ctrl_c_during_an_import_ends_the_process_with_status_130_and_no_traceback(module, arguments):
    ended = subprocess.run(
        [sys.executable, "-c", INTERRUPT_AT_IMPORT, module, *arguments, "--sandbox"],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        env=clean_environment(),
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, b"", b"")


def test_an_ignored_ctrl_c_stays_ignored():
    command = [sys.executable, "-c", INTERRUPT_AT_IMPORT, "mcp", "serve", "--sandbox", "--log-level", "error"]
    ended = subprocess.run(
        ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", *command],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        env=clean_environment(),
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


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
    ended = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *CLI, command],
        check=False,
        input="",
        capture_output=True,
        text=True,
        timeout=60,
        env=clean_environment(CORE13_SANDBOX="1"),
    )
    output = ended.stdout if "2>" in closed else ended.stderr
    assert ended.returncode == 2 and message in output and len(output.splitlines()) == bool(message)


@pytest.mark.parametrize(
    ("raised", "status", "says"),
    [(KeyboardInterrupt(), 130, ""), (RuntimeError("the words"), 70, "unexpected error in core13-mcp: RuntimeError")],
)
def test_what_ends_a_command_early_is_told_in_one_line(ran, monkeypatch, raised, status, says):
    async def broken(*_: object) -> int:
        raise raised

    monkeypatch.setattr(command, "run", broken)
    ended = ran("call", "users-list", "--sandbox")
    assert ended.status == status and says in ended.err and "the words" not in ended.err


def test_the_module_is_the_command():
    done = run_cli("--version")
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, version("core13-mcp"), "")


def test_names_come_and_go_as_they_are_written_whatever_the_systems_encoding():
    sent = ["call", "users-partial-update", "-", "--sandbox"]
    done = subprocess.run(
        [*CLI, *sent],
        input='{"first_name": "李"}'.encode(),
        capture_output=True,
        check=False,
        timeout=60,
        env=clean_environment(PYTHONIOENCODING="cp1252"),
    )
    assert (done.returncode, "李" in done.stdout.decode()) == (0, True)


def test_output_that_nobody_reads_to_its_end_is_no_mistake():
    child = subprocess.Popen([*CLI, "tools", "--json"], stdout=-1, stderr=-1, env=clean_environment())
    assert child.stdout is not None and child.stderr is not None
    child.stdout.close()
    with child.stderr:
        assert child.stderr.read() == b""
    assert child.wait(60) == 1


def test_the_sandbox_serves_on_a_port_and_says_where():
    child = subprocess.Popen([*CLI, "sandbox", "--port", "0"], stderr=-1, text=True, env=clean_environment())
    assert child.stderr is not None
    with child.stderr:
        told = child.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", told)
        assert found and sandbox.FULL_KEY in told
        taken = run_cli("sandbox", "--port", found[1])
        assert taken.returncode == 2 and f"Port {found[1]} is in use" in taken.stderr
        child.send_signal(signal.SIGTERM)
        assert child.wait(60) in (0, -signal.SIGTERM)
