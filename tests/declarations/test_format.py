"""docs/declaration.schema.json describes the format of a declaration for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.directory import builtin_dir
from core13_mcp.jsonio import compact_json

from .test_rules import THING, change

SCHEMA_FILE = Path(__file__).parents[2] / "docs" / "declaration.schema.json"
SCHEMA = json.loads(SCHEMA_FILE.read_text("utf-8"))
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
FILES = sorted(builtin_dir().glob("*.json"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_declaration_names_the_schema_and_matches_it(file: Path):
    content = json.loads(file.read_text("utf-8"))
    assert (file.parent / content["$schema"]).resolve() == SCHEMA_FILE
    assert [error.message for error in VALIDATOR.iter_errors(content)] == []


def test_clients_do_not_receive_the_name_of_the_schema():
    assert "declaration.schema.json" not in compact_json([tool.to_mcp() for tool in load().values()])


def test_a_declaration_may_use_the_older_and_the_newer_names_of_keys():
    for rule in ({"say": "No.", "condition": {}}, {"message": "No.", "when": {}}):
        assert VALIDATOR.is_valid(change(THING, "rules", [rule]))
    for endpoint in ({"whole": "label"}, {"body_argument": "label"}):
        assert VALIDATOR.is_valid(change(THING, "endpoint", THING["endpoint"] | endpoint))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("titel", "x"),
        ("name", "things_create"),
        ("annotations.openWorldHint", None),
        ("confirm.0.level", "maybe"),
        ("confirm.0.message", None),
        ("endpoint.method", "PUT"),
        ("endpoint.scope", "things"),
        ("inputSchema.additionalProperties", True),
        ("inputSchema.anyOf", []),
        ("inputSchema.properties.label.const", 1),
        ("inputSchema.properties.tags.items.enum", [1]),
        ("outputSchema.properties.id.enum", ["a"]),
        ("title", {"$ref": "title"}),
        ("review", "x"),
    ],
)
def test_an_editor_marks_a_mistake(path: str, value: Any):
    assert VALIDATOR.is_valid(THING)
    assert not VALIDATOR.is_valid(change(THING, path, value))


def test_every_key_of_a_declaration_has_a_description():
    parts = SCHEMA["properties"]
    assert [name for name, part in parts.items() if "description" not in part and "$ref" not in part] == []
