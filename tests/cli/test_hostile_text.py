"""Text of other people cannot control the terminal, and cannot look like a line of a command."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from core13_mcp import cli
from core13_mcp.cli.main import main

from ..factories import declaration_json

HOSTILE = "\x1b[2J\nok     version   all is well\r\u202e\u009b2J\u2028x"


def assert_harmless(text: str) -> None:
    assert [character for character in text.replace("\n", "") if not character.isprintable()] == []
    assert not [line for line in text.splitlines() if line.startswith("ok ")]


@pytest.fixture
def tools_dir(tmp_path: Path) -> str:
    declaration = declaration_json(title=f"Title {HOSTILE}", description=f"Description {HOSTILE}")
    (tmp_path / "things-do.json").write_text(json.dumps(declaration))
    return str(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["tools"], 0),
        (["tools", "things-do"], 0),
        (["tools", "things-do", "--json"], 0),
        (["tools", HOSTILE], 2),
        (["call", HOSTILE, "--sandbox"], 2),
        (["call", "things-do", "--sandbox", HOSTILE], 2),
        (["call", "things-do", "--sandbox", f"{HOSTILE}=1"], 1),
        (["call", "things-do", "--sandbox", "id=1"], 1),
        (["call", "users-list", "--sandbox", "--host", HOSTILE], 2),
        (["call", "users-partial-update", "--sandbox", "--dry-run", f"first_name={HOSTILE}"], 1),
    ],
)
def test_a_command_prints_text_of_files_and_arguments_without_control_characters(tools_dir, capsys, arguments, status):
    assert main([*arguments, "--tools-dir", tools_dir]) == status

    output = capsys.readouterr()
    assert output.out or output.err
    assert_harmless(output.out + output.err)


def test_a_definition_is_printed_as_json_with_the_same_value(tools_dir, capsys):
    main(["tools", "things-do", "--json", "--tools-dir", tools_dir])
    assert json.loads(capsys.readouterr().out)["description"] == f"Description {HOSTILE}"


def test_the_path_of_a_project_is_printed_on_one_line(home, monkeypatch, capsys):
    folder = home / f"project {HOSTILE}"
    folder.mkdir()
    monkeypatch.chdir(folder)

    for command in (
        ["install", "zed", "--sandbox", "--no-check"],
        ["install", "zed", "--sandbox", "--print"],
        ["uninstall", "zed"],
    ):
        assert main([*command, "--scope", "project"]) == 0

    output = capsys.readouterr()
    assert_harmless(output.out + output.err)
    assert "wrote" in output.out and "deleted" in output.out


def test_an_unknown_word_on_the_command_line_is_printed_on_one_line(capsys):
    with pytest.raises(SystemExit):
        main(["doctor", f"--{HOSTILE}"])
    assert_harmless(capsys.readouterr().err)


# What `print` may print itself. The functions on the left put the text of other people on one line.
PRINTED = (
    "_line(",
    "'\\n'.join(_lines(",
    'f"{style(',
    "escape_invisible(",
    "style(",
    "edit(",
    "_fill(",
    "mark + ",
    "f'core13-mcp sandbox on {origin}",
)


def test_every_other_text_is_printed_with_a_function_that_makes_it_harmless():
    assert cli.__file__
    folder = Path(cli.__file__).parent
    found = []
    for file in sorted(folder.rglob("*.py")):
        calls = [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)]
        texts = [call.args[0] for call in calls if ast.unparse(call.func) == "print" and call.args]
        names = [ast.unparse(text) for text in texts if not isinstance(text, ast.Constant)]
        found += [(file.name, name) for name in names if not name.startswith(PRINTED)]
    assert [name for name, _ in found if name not in ("terminal.py", "output.py", "transcript.py")] == []
