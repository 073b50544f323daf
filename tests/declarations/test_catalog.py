from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core13_mcp.declarations.catalog import enabled_tools, load
from core13_mcp.errors import ConfigurationError, DeclarationError
from core13_mcp.settings import Settings

from ..factories import declaration_json

pytestmark = pytest.mark.smoke


def write(folder: Path, *declarations: dict[str, Any]) -> str:
    for declaration in declarations:
        (folder / f"{declaration['name']}.json").write_text(json.dumps(declaration))
    return str(folder)


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"tools": ("users-list",)}, {"users-list"}),
        ({"tools": ("users-*-config-*", "users-list")}, {"users-hedgehog-config-retrieve", "users-hedgehog-config-partial-update", "users-list"}),
        ({"tools": ("users-l*",), "exclude_tools": ("*-list",)}, set()),
        ({"tools": ("users-*",), "read_only": True, "exclude_tools": ("*hedgehog*", "*github*")}, {"users-list", "users-retrieve"}),
    ],
)  # fmt: skip
def test_names_and_globs_select_tools(settings, names):
    assert set(enabled_tools(Settings(**settings))) == names


def test_read_only_mode_enables_reading_tools_only():
    names = {name for name, tool in load().items() if tool.read_only}
    assert names == set(enabled_tools(Settings(read_only=True)))


@pytest.mark.parametrize("settings", [{"tools": ("user-list",)}, {"exclude_tools": ("nothing-*",)}])
def test_a_glob_without_a_match_is_an_error(settings):
    with pytest.raises(ConfigurationError, match="matches no tool"):
        enabled_tools(Settings(**settings))


def test_a_pinned_project_is_removed_from_every_schema():
    pinned = enabled_tools(Settings(project_id=7))
    assert not [tool for tool in pinned.values() if "project_id" in tool.arguments]
    for name, tool in enabled_tools(Settings()).items():
        assert ("project_id" in tool.arguments) == ("leave it out" in pinned[name].documented.get("project_id", ""))


def test_a_directory_adds_tools_and_replaces_tools_by_name(tmp_path: Path):
    (tmp_path / "README.md").write_text("not a declaration")
    catalog = load(write(tmp_path, declaration_json(), declaration_json(name="users-list")))
    assert list(catalog) == sorted([*load(), "things-do"])
    assert catalog["users-list"].title == catalog["things-do"].title == "Do a thing"


def test_a_directory_can_use_its_own_fields_and_the_built_in_ones(tmp_path: Path):
    (tmp_path / "fields").mkdir()
    (tmp_path / "fields" / "own.json").write_text('{"size": {"type": "string", "description": "Size."}}')
    properties = {"id": {}, "size": {"$ref": "fields/own.json#/size"}, "limit": {"$ref": "fields/common.json#/limit"}}
    tool = load(write(tmp_path, declaration_json(properties=properties)))["things-do"]
    assert tool.arguments["size"]["type"] == "string" and tool.arguments["limit"]["default"] == 20


def test_a_missing_directory_is_an_error(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"CORE13_TOOLS_DIR: .* cannot be read: No such file"):
        enabled_tools(Settings(tools_dir=str(tmp_path / "none")))


ENDPOINT = declaration_json()["endpoint"]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"surprise": 1}, "surprise: Extra inputs"),
        ({"endpoint": {**ENDPOINT, "path": "/api/without-slash"}}, "endpoint.path"),
        ({"annotations": {"readOnlyHint": True}}, "destructiveHint"),
        ({"confirm": [{"say": "Really?"}]}, "confirm.0.level"),
        ({"inputSchema": {"type": "nonsense"}}, "nonsense"),
        ({"rules": [{"say": "No.", "condition": {"type": "nonsense"}}]}, "nonsense"),
        ({"confirm": [{"level": "ask", "say": "Really?", "when": {"required": 1}}]}, "1"),
        ({"done": [{"say": "Done.", "when": {"required": 1}}]}, "1"),
        ({"done": [{"say": "Done {answer.id:loud}."}]}, "no form 'loud'"),
        ({"hints": {"404": "Look {at."}}, "expected '}'"),
        ({"confirm": [{"level": "ask", "say": "Really?", "title": "{id:loud}"}]}, "no form 'loud'"),
        (
            {"confirm": [{"level": "ask", "say": "Really?", "read": f"/api/{name}/"} for name in "ab"]},
            "all entries with `read` must have the same one",
        ),
        ({"description": {"$ref": "fields/none.json#/x"}}, "none.json"),
        ({"description": {"$ref": "fields/common.json#/none"}}, "none"),
        ({"description": {"$ref": "fields/../../x.json#/x"}}, "outside the directory"),
        ({"description": {"$ref": "/etc/x.json#/x"}}, "outside the directory"),
        ({"description": {"$ref": "fields/loop.json#/loop"}}, "recursion"),
    ],
)
def test_an_invalid_declaration_is_an_error_that_names_the_file(tmp_path: Path, keys, message):
    (tmp_path / "fields").mkdir()
    (tmp_path / "fields" / "loop.json").write_text('{"loop": {"$ref": "fields/loop.json#/loop"}}')
    with pytest.raises(DeclarationError, match=r"things-do\.json") as caught:
        load(write(tmp_path, {**declaration_json(), **keys}))
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "1", "\xff", json.dumps(declaration_json(name="another-name"))])
def test_invalid_json_or_another_name_than_the_one_of_the_file_is_an_error(tmp_path: Path, text):
    (tmp_path / "things-do.json").write_text(text, "latin-1")
    with pytest.raises(DeclarationError, match=r"things-do\.json"):
        load(str(tmp_path))
