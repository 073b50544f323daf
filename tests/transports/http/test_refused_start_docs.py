"""The table of start errors in docs/team.md quotes the messages exactly."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from core13_mcp.cli.main import main

PAGE = (Path(__file__).parents[3] / "docs" / "team.md").read_text("utf-8")
SECTION = PAGE.partition("## Start errors")[2].partition("\n## ")[0]
ROW = re.compile(r"^\| `((?:CORE13|POSTHOG)_\S[^`]*)` \| `+(.+?)`+ \|$", re.MULTILINE)
ROWS = [(row[1], row[2].strip()) for row in ROW.finditer(SECTION)]
FILES = {"empty": "", "nameless": "a" * 32, "short": "ada: secret", "tokens": "ada: " + "a" * 32}


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files that the table mentions, and no settings from the environment."""
    for name in [name for name in os.environ if name.startswith(("CORE13_", "POSTHOG_"))]:
        monkeypatch.delenv(name)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("variables", "message"), ROWS, ids=[variables for variables, _ in ROWS])
def test_the_start_error_is_the_documented_one(
    variables: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Some errors are found only after the port is open, so the default is a free port.
    settings = {"CORE13_HTTP": "0", "POSTHOG_PERSONAL_API_KEY": "phx_key"}
    settings |= dict(part.split("=", 1) for part in variables.split())
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert main(["serve"]) == 2
    assert capsys.readouterr().err == f"core13-mcp: {message}\n"


def test_every_row_of_the_table_is_tested() -> None:
    assert len(ROWS) == SECTION.count("\n| `") > 0
