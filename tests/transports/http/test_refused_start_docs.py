"""The table of start errors in docs/team.md is complete and quotes the messages exactly."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from core13_mcp.cli.main import main
from core13_mcp.transports.http import address, validation
from core13_mcp.transports.http.auth import tokens

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


@pytest.mark.parametrize("module", [address, validation, tokens], ids=lambda module: module.__name__)
def test_every_start_error_is_documented(module: ModuleType) -> None:
    messages = list(error_messages(Path(str(module.__file__))))
    assert messages
    assert [message for message in messages if message not in SECTION] == []


def error_messages(source: Path) -> Iterator[str]:
    """Yield the longest constant part of each error message in a module."""
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        match node:
            case ast.Yield(value=ast.expr() as text):
                yield longest_constant(text)
            case ast.Call(
                func=ast.Name(id="ConfigurationError" | "ValueError"), args=[ast.Constant() | ast.JoinedStr() as text]
            ):
                yield longest_constant(text)


def longest_constant(text: ast.expr) -> str:
    parts = [part.value for part in ast.walk(text) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return max(parts, key=len)
