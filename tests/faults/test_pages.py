"""The fault table names tests that there are, and the transcript of a confirmation is current."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "faults.md").read_text("utf-8"))


@pytest.mark.parametrize("named", sorted(set(NAMED)), ids="::".join)
def test_every_test_that_the_fault_table_names_exists(named: tuple[str, str]) -> None:
    path, name = named
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_row_of_the_fault_table_names_a_test() -> None:
    rows = [line for line in (ROOT / "docs" / "faults.md").read_text("utf-8").splitlines() if line.startswith("| ")]
    unproven = [row for row in rows if "::test_" not in row and not row.startswith("| Fault |")]
    assert NAMED and unproven == []


def test_the_transcript_of_a_confirmation_is_current() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/confirmation.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, "run scripts/confirmation.py"
