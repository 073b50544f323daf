"""The table of exit statuses in docs/shell.md, each with a command that ends with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core13_mcp.cli import main as cli
from core13_mcp.cli.commands import uninstall
from core13_mcp.cli.help import PROGRAM
from core13_mcp.identity import VERSION

pytestmark = pytest.mark.usefixtures("home")

DOCUMENTED = re.findall(r"^\| (\d+) \|", (Path(__file__).parents[2] / "docs/shell.md").read_text("utf-8"), re.MULTILINE)


def status_of(*words: str) -> int:
    """The exit status of a command in this process."""
    try:
        return cli.main(list(words))
    except SystemExit as end:
        return int(end.code or 0)


def test_the_documentation_and_the_help_have_the_same_statuses():
    assert re.findall(r"^  (\d+)  ", PROGRAM.examples, re.MULTILINE) == DOCUMENTED


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["tools"], 0),
        (["--help"], 0),
        (["help", "call"], 0),
        (["call", "users-list", "--sandbox"], 0),
        (["call", "subscriptions-retrieve", "id=999", "--sandbox"], 1),
        (["call", "users-destroy", "--sandbox"], 1),
        (["call", "users-retrieve"], 2),
        (["call", "no-such-tool"], 2),
        (["tools", "--timeout", "x"], 2),
        (["nonsense"], 2),
    ],
    ids=str,
)
def test_a_command_ends_with_the_documented_status(words, status):
    assert (status_of(*words), str(status) in DOCUMENTED) == (status, True)


@pytest.mark.parametrize(("error", "status"), [(ValueError("phx_secret0000"), 70), (KeyboardInterrupt(), 130)])
def test_only_an_internal_error_has_status_70_and_ctrl_c_has_130(error, status, monkeypatch, capsys):
    async def fail(*_: object) -> int:
        raise error

    monkeypatch.setattr(uninstall, "run", fail)
    assert (status_of("uninstall", "zed"), str(status) in DOCUMENTED) == (status, True)
    message = capsys.readouterr().err
    assert "secret" not in message
    expected = (VERSION, "ValueError at fail:", "report this line", "issue") if status == 70 else ()
    assert [text for text in expected if text not in message] == []
