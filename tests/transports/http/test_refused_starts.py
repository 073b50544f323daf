"""Docs/team.md lists every reason for which the server does not start over HTTP, in the words that it prints."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core13_mcp.cli.main import main
from core13_mcp.transports.http import address
from core13_mcp.transports.http import validation as startup
from core13_mcp.transports.http.auth import tokens

PAGE = (Path(__file__).parents[3] / "docs" / "team.md").read_text("utf-8")
CHAPTER = PAGE.partition("## When it does not start")[2].partition("\n## ")[0]
ROWS = [
    (row[1], row[2].strip()) for row in re.finditer(r"^\| `((?:CORE13|POSTHOG)_\S[^`]*)` \| `+(.+?)`+ \|$", CHAPTER, re.MULTILINE)
]  # fmt: skip
FILES = {"empty": "", "nameless": "a" * 32, "short": "ada: secret", "tokens": "ada: " + "a" * 32}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that the docs tell of, and no setting from outside."""
    for name in [name for name in os.environ if name.startswith(("CORE13_", "POSTHOG_"))]:
        monkeypatch.delenv(name)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("said", "tells"), ROWS, ids=[said for said, _ in ROWS])
def test_it_refuses_in_the_words_of_the_docs(
    said: str, tells: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Any free port, because some of them are found out only after it is taken.
    chosen = dict(part.split("=", 1) for part in said.split())
    for name, value in ({"CORE13_HTTP": "0", "POSTHOG_PERSONAL_API_KEY": "phx_key"} | chosen).items():
        monkeypatch.setenv(name, value)
    assert main(["serve"]) == 2
    assert capsys.readouterr().err == f"core13-mcp: {tells}\n"


def test_no_row_of_the_docs_is_overlooked() -> None:
    assert len(ROWS) == CHAPTER.count("\n| `") > 0


@pytest.mark.parametrize("module", [address, startup, tokens], ids=lambda module: module.__name__)
def test_every_refusal_is_in_the_docs(module: object) -> None:
    said = list(refusals(Path(str(getattr(module, "__file__", None)))))
    assert said
    assert [words for words in said if words not in CHAPTER] == []


def refusals(source: Path) -> Iterator[str]:
    """The longest fixed piece of each text with which a module refuses."""
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        match node:
            case ast.Yield(value=ast.expr() as text):
                yield _longest(text)
            case ast.Call(
                func=ast.Name(id="ConfigurationError" | "ValueError"), args=[ast.Constant() | ast.JoinedStr() as text]
            ):
                yield _longest(text)


def _longest(text: ast.expr) -> str:
    pieces = [part.value for part in ast.walk(text) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return max(pieces, key=len)
