"""Imports go one way, from the command line down to the modules that know nothing of PostHog or MCP."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import pytest

import core13_mcp

ROOT = Path(core13_mcp.__file__).parent

# The highest layer first. A module imports from lower layers and from its own package only.
LAYERS = [
    "__main__",
    "cli",
    "compose fastmcp",
    "setup transports",
    "server openapi",
    "pipeline",
    "signin",
    "api declarations",
    "settings",
    "options logs",
    "files redaction templates tracing",
    "errors identity jsonio keys origins secret_forms text",
]

DEPTHS = {name: depth for depth, layer in enumerate(LAYERS) for name in layer.split()}
FILES = sorted(file for file in ROOT.rglob("*.py") if file != ROOT / "__init__.py")
SANDBOX = [file for file in FILES if file.is_relative_to(ROOT / "sandbox")]
ENGINE = [file for file in FILES if file not in SANDBOX]


def path(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def imports(file: Path) -> Iterator[str]:
    """The top-level names of core13_mcp that a file imports, such as `server` or `text`."""
    parent = ".".join(("core13_mcp", *file.relative_to(ROOT).parts[:-1]))
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            source = "." * node.level + (node.module or "") if isinstance(node, ast.ImportFrom) else ""
            prefix = f"{resolve_name(source, parent)}." if source else ""
            modules = [prefix + alias.name for alias in node.names]
            yield from (module.split(".")[1] for module in modules if module.startswith("core13_mcp."))


@pytest.mark.parametrize("file", ENGINE, ids=path)
def test_a_module_imports_only_from_lower_layers(file: Path):
    own = file.relative_to(ROOT).with_suffix("").parts[0]
    assert own in DEPTHS, f"add {own} to LAYERS"
    others = set(imports(file)) - {own, "__version__"}
    assert "sandbox" not in others or own == "compose"
    assert not [other for other in others - {"sandbox"} if DEPTHS[other] <= DEPTHS[own]]


@pytest.mark.parametrize("file", SANDBOX, ids=path)
def test_the_sandbox_imports_nothing_of_the_engine(file: Path):
    assert set(imports(file)) <= {"sandbox"}


# The script of the demo calls tools, as a client does.
@pytest.mark.parametrize("file", [file for file in ENGINE if path(file) != "cli/demo/script.py"], ids=path)
def test_the_engine_names_no_endpoint(file: Path):
    # `subscriptions/listen` is a method of MCP.
    source = file.read_text("utf-8").replace("subscriptions/listen", "")
    assert not re.search("subscription|hedgehog|recording", source, re.IGNORECASE)
