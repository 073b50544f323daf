"""The procedure of docs/adding-an-endpoint.md works, from an empty directory to a tool in tools/.

`scripts/docs.py --check` runs the commands of the page. This test continues with their files.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from core13_mcp.cli.main import main
from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.check import check_directory
from core13_mcp.declarations.directory import builtin_dir

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding-an-endpoint.md").read_text("utf-8")
SCHEMA = json.loads((ROOT / "docs" / "declaration.schema.json").read_text("utf-8"))
COMMAND = re.compile(r"^core13-mcp (.+)$", re.MULTILINE)
FILE = re.compile(r"^cat > (\S+) <<'JSON'\n(.*?)^JSON$", re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def write_files(text: str) -> None:
    """Write the files that the commands of a section write with `cat`."""
    for name, content in FILE.findall(text):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(content)


def contribute(file: Path) -> tuple[str, dict[str, Any]]:
    """Copy a declaration to a copy of tools/, as the page says, and return its name and content."""
    shutil.copytree(builtin_dir(), "tools")
    content = {"$schema": "../docs/declaration.schema.json", **json.loads(file.read_text())}
    (Path("tools") / file.name).write_text(json.dumps(content, indent=2))
    return file.stem, content


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def check_contributed(name: str, content: dict[str, Any]) -> None:
    reports = check_directory(Path("tools"))
    assert [report for report in reports if report.problems] == []
    assert len(reports) == len(load().keys() | {name})
    assert name in load("tools")
    jsonschema.Draft7Validator(SCHEMA).validate(content)


def test_a_declaration_that_a_person_writes_becomes_a_tool(capsys: pytest.CaptureFixture[str]) -> None:
    text = section("Add a tool to your installation").partition("mkdir -p wrong")[0]
    write_files(text)
    for command in COMMAND.findall(text):
        assert main(command.split()) == 0, command
    assert '"password_required": true' in capsys.readouterr().out
    check_contributed(*contribute(Path("my-tools/session-recordings-sharing-retrieve.json")))


def test_a_draft_becomes_a_tool(capsys: pytest.CaptureFixture[str]) -> None:
    text = section("Draft a declaration from the OpenAPI document")
    write_files(text)
    *drafting, check, call = COMMAND.findall(text)
    for command in drafting:
        assert main(command.split()) == 0, command
    assert main(check.split()) == 1, "there are open decisions"
    (script,) = re.findall(r"^python3 - <<'PY'\n(.*?)^PY$", text, re.MULTILINE | re.DOTALL)
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    for command in (check, call):
        assert main(command.split()) == 0, command
    assert '"enabled": true' in capsys.readouterr().out
    check_contributed(*contribute(Path("drafts/session-recordings-sharing-list.json")))


def test_the_page_names_every_key_of_a_declaration() -> None:
    keys = set(re.findall(r"`(\w+)[`.]", PAGE))
    assert SCHEMA["properties"].keys() - {"$schema"} <= keys
