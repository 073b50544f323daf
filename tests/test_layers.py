"""Imports go one way, from the command line down to the modules that know nothing of PostHog or MCP."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import core13_mcp

ROOT = Path(core13_mcp.__file__).parent

# The highest layer first. A module imports from lower layers and from its own package only.
LAYERS = [
    "__main__",
    "cli",
    "compose",
    "setup transports",
    "server",
    "pipeline",
    "api declarations",
    "settings",
    "options logs",
    "files redaction tracing",
    "errors identity jsonio keys origins text",
]

DEPTHS = {name: depth for depth, layer in enumerate(LAYERS) for name in layer.split()}
FILES = sorted(file for file in ROOT.rglob("*.py") if file != ROOT / "__init__.py")
SANDBOX = [file for file in FILES if file.is_relative_to(ROOT / "sandbox")]
ENGINE = [file for file in FILES if file not in SANDBOX]


def path(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def package(file: Path) -> str:
    return file.relative_to(ROOT).with_suffix("").parts[0]


def imports(file: Path) -> Iterator[str]:
    """The top-level names of core13_mcp that a file imports, such as `server` or `text`."""
    parents = file.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        match node:
            case ast.ImportFrom(module=module, level=level) if level:
                prefix = [*parents[: len(parents) - level + 1], *(module.split(".") if module else [])]
                yield from ([*prefix, alias.name][0] for alias in node.names)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] == "core13_mcp":
                yield from ([*module.split(".")[1:], alias.name][0] for alias in node.names)
            case ast.Import():
                yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("core13_mcp."))


@pytest.mark.parametrize("file", ENGINE, ids=path)
def test_a_module_imports_only_from_lower_layers(file: Path):
    own = package(file)
    assert own in DEPTHS, f"add {own} to LAYERS"
    others = set(imports(file)) - {own, "sandbox", "__version__"}
    assert not [other for other in others if DEPTHS[other] <= DEPTHS[own]]


@pytest.mark.parametrize("file", ENGINE, ids=path)
def test_only_compose_imports_the_sandbox(file: Path):
    assert "sandbox" not in imports(file) or package(file) == "compose"


@pytest.mark.parametrize("file", SANDBOX, ids=path)
def test_the_sandbox_imports_nothing_of_the_engine(file: Path):
    assert set(imports(file)) <= {"sandbox"}


# The script of the demo calls tools, as a client does.
@pytest.mark.parametrize("file", [file for file in ENGINE if path(file) != "cli/demo/script.py"], ids=path)
def test_the_engine_names_no_endpoint(file: Path):
    # `subscriptions/listen` is a method of MCP.
    source = file.read_text("utf-8").replace("subscriptions/listen", "")
    assert not re.search("subscription|hedgehog|recording", source, re.IGNORECASE)
