"""The README of the sandbox says what is true: its tests, personas and faults exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from core13_mcp import sandbox
from core13_mcp.sandbox import faults, personas

HERE = Path(__file__).parent
PACKAGE = Path(sandbox.__file__).parent
README = (PACKAGE / "README.md").read_text()


def functions() -> list[str]:
    trees = [ast.parse(path.read_text()) for path in HERE.glob("test_*.py")]
    found = [
        node.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return [name for name in found if name.startswith("test_")]


def test_every_test_that_the_readme_names_exists_and_is_one() -> None:
    named = set(re.findall(r"`(test_\w+)`", README))
    assert len(named) > 100
    assert named <= set(functions())
    assert {name for name in functions() if functions().count(name) > 1} & named == set()


def test_every_persona_is_in_the_readme_exported_and_says_sandbox() -> None:
    for name, value in vars(personas).items():
        if name.isupper():
            assert f"`{name}`" in README
            assert name in sandbox.__all__
            assert "sandbox" in value


def test_every_fault_is_in_the_readme() -> None:
    for name in faults.OPTIONS:
        assert re.search(rf"`{name}(=[^`]*)?`", README), name


def test_the_sandbox_imports_nothing_of_the_engine() -> None:
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level <= 1, path
                assert not (node.module or "").startswith("core13_mcp"), path
