"""Help: of the program, of a command, and of a tool."""

from __future__ import annotations

import re

import pytest

from core13_mcp.cli.help import COMMANDS
from core13_mcp.cli.main import main
from core13_mcp.declarations.files import read_declarations

from ..processes import CLI, clean_environment
from ..terminal import at_a_terminal

pytestmark = pytest.mark.usefixtures("home")


def output_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The output of a command that succeeds."""
    try:
        status = main(list(words))
    except SystemExit as end:
        status = int(end.code or 0)
    result = capsys.readouterr()
    assert (status, result.err) == (0, "")
    return result.out


def test_without_arguments_a_person_at_a_terminal_gets_a_short_help():
    status, output = at_a_terminal(CLI, clean_environment(TERM="dumb"))

    assert status == 0
    assert "commands:" in output and "core13-mcp demo" in output and "--read-only" not in output
    assert len(output.splitlines()) < 60


def test_help_prints_all_commands_and_settings(capsys):
    text = output_of(capsys, "help")

    assert text == output_of(capsys, "--help")
    assert all(f"  {command} " in text for command in COMMANDS) and "--read-only" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_help_with_a_command_prints_the_help_of_the_command(command, capsys):
    assert output_of(capsys, "help", command) == output_of(capsys, command, "--help")


@pytest.mark.parametrize("words", [["-V"], ["--version"]])
def test_the_version_has_a_short_flag(words, capsys):
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", output_of(capsys, *words))


@pytest.mark.parametrize("name", read_declarations())
def test_every_tool_has_a_table_of_its_arguments(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    text = output_of(capsys, "tools", name)

    assert text == output_of(capsys, "call", name, "--help") == output_of(capsys, "help", name)
    arguments = read_declarations()[name]["inputSchema"]["properties"]
    assert [argument for argument in arguments if not re.search(rf"^{argument}  .*(yes|no)", text, re.MULTILINE)] == []
    assert max(map(len, text.splitlines()[:-1])) <= 100


def test_the_table_shows_types_requirements_values_and_defaults(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    rows = [re.split(" {2,}", line) for line in output_of(capsys, "tools", "subscriptions-create").splitlines()]

    assert ["argument", "type", "required", "description"] in rows
    by_name = {row[0]: row[1:] for row in rows}
    assert by_name["project_id"][:2] == ["integer", "yes"], "a write needs a project"
    assert by_name["start_date"][:2] == ["date-time", "yes"]
    assert by_name["byweekday"][0] == "list of string" and "monday, tuesday" in by_name["byweekday"][2]
    assert by_name["frequency"][2].endswith("One of: daily, weekly, monthly, yearly.")
    assert by_name["interval"][2].endswith("Default: 1.")


def test_a_fixed_project_is_not_an_argument(capsys):
    assert (
        "project_id"
        not in output_of(capsys, "tools", "subscriptions-list", "--project-id", "1").partition("argument")[2]
    )


@pytest.mark.parametrize("columns", ["60", "80", "120"])
@pytest.mark.parametrize("words", [["help"], *(["help", command] for command in COMMANDS)], ids=" ".join)
def test_help_fits_the_terminal(words, columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    lines = output_of(capsys, *words).splitlines()

    # A command in an example and a variable stay on one line.
    too_long = [
        line
        for line in lines
        if len(line) > int(columns) and not re.match(r" *(\S+=\S+|echo|eval|core13-mcp|\[)", line)
    ]
    assert [line for line in too_long if " " in line.strip()] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["call", "subscriptions-create", "--read-only"],
            "subscriptions-create is disabled by --read-only. Change this",
        ),
        (["tools", "users-list", "--tools", "subscriptions-*"], "users-list is disabled by --tools."),
        (["tools", "users-list", "--exclude-tools", "users-*"], "users-list is disabled by --exclude-tools."),
        (["help", "users-destroy"], "users-destroy is disabled by CORE13_READ_ONLY."),
        (["tools", "--tools", "x*"], "--tools: 'x*' matches no tool."),
        (["tools", "--exclude-tools", "x*"], "--exclude-tools: 'x*' matches no tool."),
        (["help", "nonsense"], "there is no tool 'nonsense'. `core13-mcp tools` lists"),
        (["version"], 'Did you mean "--version"?'),
    ],
    ids=" ".join,
)
def test_a_tool_that_is_disabled_or_absent_is_an_error_that_names_the_reason(words, message, capsys, monkeypatch):
    if "CORE13_READ_ONLY" in message:
        monkeypatch.setenv("CORE13_READ_ONLY", "1")
    try:
        status = main(words)
    except SystemExit as end:
        status = int(end.code or 0)
    assert status == 2
    assert message in capsys.readouterr().err


def test_no_suggestion_is_a_tool_that_reaches_people(capsys):
    tools = read_declarations()
    for name in tools:
        for typed in (name[:-1], f"{name}x", name.replace("-", "_"), name.split("-", 1)[1]):
            if typed not in tools:
                assert main(["tools", typed]) == 2
                suggested = re.findall(r'"(.+?)"', capsys.readouterr().err)
                assert [other for other in suggested if tools[other]["annotations"]["openWorldHint"]] == []
