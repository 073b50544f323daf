"""Imports point one way."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import core13_mcp

from .processes import clean_environment

ROOT = Path(core13_mcp.__file__).parent
LAYERS = [
    "errors jsonio text tracing origins",
    "redaction keys",
    "logs options",
    "settings",
    "declarations api",
    "pipeline",
    "server",
    "transports setup",
    "compose",
    "cli",
    "__main__",
]
"""A module imports from lines above its own, or from its own package."""

RANK = {name: rank for rank, line in enumerate(LAYERS) for name in line.split()}
FILES = [
    file for file in sorted(ROOT.rglob("*.py")) if file.parent != ROOT / "sandbox" and file != ROOT / "__init__.py"
]
MEETING = {"compose/engine.py", "compose/sandbox.py"}
"""Only these modules import the sandbox."""

each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))


def unit(file: Path) -> str:
    return file.relative_to(ROOT).with_suffix("").parts[0]


def imported(file: Path) -> Iterator[str]:
    """What a file imports of this package: dotted names, without the package's own."""
    here = file.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        match node:
            case ast.ImportFrom(module=module, level=level) if level:
                base = [*here[: len(here) - level + 1], *(module.split(".") if module else [])]
                yield from (".".join([*base, name.name]) for name in node.names)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] == "core13_mcp":
                yield from (".".join([*module.split(".")[1:], name.name]) for name in node.names)
            case ast.Import():
                yield from (name.name.partition(".")[2] for name in node.names if name.name.startswith("core13_mcp."))


@each_file
def test_a_module_imports_only_from_the_layers_below_it(file: Path):
    assert unit(file) in RANK, "say in which layer it is"
    for name in imported(file):
        other = name.split(".")[0]
        same = other == unit(file)
        assert same or other == "sandbox" or RANK[other] < RANK[unit(file)], f"{other} is not below {unit(file)}"


@each_file
def test_only_these_commands_know_the_sandbox(file: Path):
    meets = any(name.split(".")[0] == "sandbox" for name in imported(file))
    assert not meets or str(file.relative_to(ROOT)) in MEETING


@pytest.mark.parametrize("file", sorted((ROOT / "sandbox").rglob("*.py")), ids=lambda file: file.name)
def test_the_sandbox_knows_nothing_of_the_engine(file: Path):
    assert {name.split(".")[0] for name in imported(file)} <= {"sandbox"}


def test_modules_of_one_package_do_not_import_in_a_circle():
    graph = {unit(file): {name.split(".")[0] for name in imported(file)} - {unit(file), "sandbox"} for file in FILES}
    seen: list[str] = []
    while left := graph.keys() - set(seen):
        ready = [name for name in left if graph[name] <= set(seen)]
        assert ready, f"a circle among {sorted(left)}"
        seen += ready


@each_file
def test_the_engine_names_no_endpoint(file: Path):
    own = file.read_text("utf-8").replace("subscriptions/listen", "")  # that one is MCP's
    assert not re.search("subscription|hedgehog|recording", own, re.IGNORECASE)


def test_asking_for_help_imports_neither_the_sdk_nor_pydantic():
    script = "import sys, core13_mcp.cli.main; print([m for m in ('mcp', 'pydantic', 'httpx2', 'anyio') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60, env=clean_environment()
    )
    assert done.stdout.strip() == "[]"
