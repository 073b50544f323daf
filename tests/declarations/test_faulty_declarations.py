"""Whatever one value of a declaration is, the declaration is accepted or the error names its file."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.directory import builtin_dir
from core13_mcp.errors import DeclarationError

VALUES: list[Any] = [None, True, 0, -1, 1.5, 10**30, "", "x", "{", "}", "{id}", "${", "\x00", "x" * 2000, [], {}, [[]],
                     ["a"], [{}], {"a": 1}, {"$ref": 5}, {"$ref": "x"}, {"type": "x"}, {"pattern": "("}]  # fmt: skip
FILES = sorted(builtin_dir().glob("*.json"))


def locations(node: Any, location: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*location, key)
        yield from locations(value, (*location, key))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_declaration_with_a_wrong_value_is_an_error_that_names_its_file(tmp_path: Path, file: Path):
    choices = random.Random(file.name)
    content = json.loads(file.read_text())
    refused = 0
    for _ in range(12):
        changed = copy.deepcopy(content)
        *parents, key = choices.choice(list(locations(changed)))
        node = changed
        for step in parents:
            node = node[step]
        node[key] = copy.deepcopy(choices.choice(VALUES))
        (tmp_path / file.name).write_text(json.dumps(changed))
        try:
            load(str(tmp_path))
        except DeclarationError as error:
            refused += 1
            assert str(error).startswith(f"{tmp_path / file.name}: ")
    assert refused > 2
