"""Limits on the size of modules and functions, so that each can be understood in one reading."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import core13_mcp

ROOT = Path(core13_mcp.__file__).parent

MAX_MODULE_LINES = 200
MAX_FUNCTION_LINES = 45
MAX_PARAMETERS = 5
MAX_NESTING = 3

Function = ast.FunctionDef | ast.AsyncFunctionDef
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)


def nesting(node: ast.AST) -> int:
    """The number of blocks inside one another. Functions inside a function count on their own, and `elif` adds none."""
    depth = 0
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, Function | ast.ClassDef | ast.Lambda):
                is_elif = isinstance(node, ast.If) and name == "orelse" and isinstance(child, ast.If)
                depth = max(depth, nesting(child) + (isinstance(child, BLOCKS) and not is_elif))
    return depth


def parameters(function: Function) -> int:
    """The number of parameters without `self`, `cls`, `*args` and `**kwargs`."""
    names = [parameter.arg for parameter in (*function.args.posonlyargs, *function.args.args)]
    return len(names) - (names[:1] in (["self"], ["cls"])) + len(function.args.kwonlyargs)


def violations(file: Path) -> Iterator[str]:
    source, path = file.read_text("utf-8"), file.relative_to(ROOT)
    if (lines := source.count("\n")) > MAX_MODULE_LINES:
        yield f"{path} has {lines} lines"
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, Function):
            continue
        assert node.end_lineno is not None
        sizes = {
            "lines": (node.end_lineno - node.lineno + 1, MAX_FUNCTION_LINES),
            "parameters": (parameters(node), MAX_PARAMETERS),
            "nested blocks": (nesting(node), MAX_NESTING),
        }
        for what, (size, limit) in sizes.items():
            if size > limit:
                yield f"{path}:{node.lineno} {node.name} has {size} {what}, the limit is {limit}"


@pytest.mark.parametrize("file", sorted(ROOT.rglob("*.py")), ids=lambda file: file.relative_to(ROOT).as_posix())
def test_modules_and_functions_are_small(file: Path):
    assert list(violations(file)) == []
