from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from core13_mcp.declarations.catalog import enabled_tools, load
from core13_mcp.declarations.files import read_declarations
from core13_mcp.errors import ConfigurationError, DeclarationError
from core13_mcp.settings import Settings

from ..factories import PROJECT, declaration_json

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
FIELDS = {
    "loop.json": {"loop": {"$ref": "fields/loop.json#/loop"}},
    "text.json": {"text": "text"},
    "list.json": [],
    # A field of 2^30 values, and 99 fields that contain each other.
    "bomb.json": {"0": "x"} | {str(n): [{"$ref": f"fields/bomb.json#/{n - 1}"}] * 2 for n in range(1, 31)},
    "chain.json": {"99": "x"} | {str(n): {"$ref": f"fields/chain.json#/{n + 1}"} for n in range(99)},
}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"surprise": 1}, "surprise: there is no such key"),
        ({"endpoint": {**ENDPOINT, "path": "/api/without-slash"}}, "endpoint.path"),
        ({"annotations": {"readOnlyHint": True}}, "destructiveHint"),
        ({"confirm": [{"say": "Really?"}]}, "confirm.0.level"),
        ({"inputSchema": {"type": "nonsense", "properties": {"id": {}}}}, "nonsense"),
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
        ({"confirm": [{"level": "ask", "say": "Really?", "answer": {"required": ["id"]}}]}, "`answer` needs `read`"),
        (
            {"endpoint": {**ENDPOINT, "pth": 1, "path": "/x/"}},
            'endpoint.pth: there is no such key. Did you mean "path"?',
        ),
        (
            {"endpoint": {**ENDPOINT, "instead": {"stat": 1}}},
            'instead.stat: there is no such key. Did you mean "status"?',
        ),
        (
            {"confirm": [{"level": "ask", "say": "?", "raed": 1}]},
            'confirm.0.raed: there is no such key. Did you mean "read"',
        ),
        ({"project": PROJECT | {"argumnt": 1}}, 'project.argumnt: there is no such key. Did you mean "argument"?'),
        (
            {"checks": [{"argument": "id", "say": "?", "faults": [{"patern": "x", "say": "?"}]}]},
            'checks.0.faults.0.patern: there is no such key. Did you mean "pattern"?',
        ),
        (
            {"evidence": {"status": [200], "feild": "id"}},
            'evidence.feild: there is no such key. Did you mean "field"?',
        ),
        (
            {"hide": [{"field": "id", "wen": {}}]},
            'hide.0.wen: there is no such key. Did you mean "when"?',
        ),
        (
            {"derive": {"day": {"function": "weekday", "from": ["arguments.id"]}}},
            "derive.day.from: there is no such key",
        ),
        (
            {"derive": {"day": {"function": "moon", "of": ["arguments.id"]}}},
            'derive.day.function: the value is "moon". The correct form is "weekday" or',
        ),
        ({"notes": [{"say": "{day", "when": {}}]}, "expected '}'"),
        ({"checks": [{"argument": "id", "say": "?", "when": {"required": 1}}]}, "1"),
        ({"anotations": 1}, 'anotations: there is no such key. Did you mean "annotations"?'),
        (
            {"endpoint": {**ENDPOINT, "path": "/api/things/{idd}/"}},
            'endpoint.path: {idd} is not an argument of the tool. Did you mean "id"?',
        ),
        (
            {"confirm": [{"level": "ask", "say": "?", "read": "/api/{thing}/"}]},
            "confirm.0.read: {thing} is not an argument",
        ),
        ({"project": PROJECT | {"read": "/api/{id}/"}}, "project.read: {id} is not an argument"),
        ({"inputSchema": {"properties": 5}}, "inputSchema: properties: it must be an object of schemas"),
        ({"outputSchema": {"properties": {"id": 5}}}, "outputSchema: properties: it must be an object of schemas"),
        ({"clear": "id"}, "clear: id must be a list of names"),
        ({"description": {"$ref": "fields/none.json#/x"}}, "none.json"),
        (
            {"description": {"$ref": "fields/text.json#/text", "more": 1}},
            "has keys beside it, but it does not name an object",
        ),
        ({"description": {"$ref": "fields/list.json#/0"}}, "it is not a JSON object"),
        ({"description": {"$ref": "fields/pipe.json#/x"}}, "it is not a regular file"),
        ({"description": {"$ref": "fields/link.json#/x"}}, "it is a link to a file outside the directory"),
        ({"description": {"$ref": "fields/bomb.json#/30"}}, "more than 10000 values after every $ref is replaced"),
        ({"description": {"$ref": "fields/chain.json#/0"}}, "deeper than 64 levels after every $ref is replaced"),
        ({"description": {"$ref": "fields/common.json#/none"}}, "none"),
        ({"description": {"$ref": "fields/../../x.json#/x"}}, "outside the directory"),
        ({"description": {"$ref": "/etc/x.json#/x"}}, "outside the directory"),
        (
            {"description": {"$ref": "fields/loop.json#/loop"}},
            "contains itself: fields/loop.json#/loop -> fields/loop.json#/loop",
        ),
    ],
)
def test_an_invalid_declaration_is_an_error_that_names_the_file(tmp_path: Path, keys, message):
    (tmp_path / "fields").mkdir()
    for name, content in FIELDS.items():
        (tmp_path / "fields" / name).write_text(json.dumps(content))
    os.mkfifo(tmp_path / "fields" / "pipe.json")
    (tmp_path / "fields" / "link.json").symlink_to("/etc/hostname")
    with pytest.raises(DeclarationError, match=r"things-do\.json") as caught:
        load(write(tmp_path, {**declaration_json(), **keys}))
    assert message in str(caught.value)


PATHS = {
    "without a prefix": "things/",
    "another prefix": "/oauth/token/",
    "a host": "//evil.example/api/",
    "a URL": "https://evil.example/api/",
    "a suffix of the host": ".evil.example/api/",
    "user information": "@127.0.0.1:8098/api/",
    "a port": ":8098/api/",
    "a dot segment": "/api/../oauth/",
    "a dot segment at the end": "/api/things/../",
    "one dot": "/api/./things/",
    "an encoded dot segment": "/api/%2e%2e/oauth/",
    "an encoded slash": "/api/..%2foauth/",
    "an empty segment": "/api//things/",
    "a backslash": "/api/..\\oauth/",
    "a query": "/api/things/?limit=1",
    "a query before the end": "/api/things?x=/",
    "a fragment": "/api/things#/",
    "no slash at the end": "/api/things",
    "a space": "/api/my things/",
    "a line end": "/api/things/\n",
    "a line end in a segment": "/api/thi\nngs/",
    "a null character": "/api/things\0/",
    "another alphabet": "/api/\uff0e\uff0e/",
    "a part of a segment": "/api/things-{id}/",
    "an open brace": "/api/{id/",
    "a closed brace": "/api/id}/",
    "empty braces": "/api/{}/",
    "nested braces": "/api/{{id}}/",
    "an attribute": "/api/{id.__class__}/",
    "a conversion": "/api/{id!r}/",
}


@pytest.mark.parametrize("key", ["endpoint.path", "confirm.0.read", "project.read"])
@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_path_that_could_lead_elsewhere_is_an_error_that_names_its_key(tmp_path: Path, key, path):
    keys: dict[str, dict[str, Any]] = {
        "endpoint.path": {"endpoint": {**ENDPOINT, "path": path}},
        "confirm.0.read": {"confirm": [{"level": "ask", "say": "Really?", "read": path}]},
        "project.read": {"project": PROJECT | {"read": path}},
    }
    with pytest.raises(DeclarationError, match=rf"/things-do\.json: {key}: (a path must|the segment) "):
        load(write(tmp_path, {**declaration_json(), **keys[key]}))


def test_all_problems_of_the_keys_of_a_file_are_reported_together(tmp_path: Path):
    keys = {"surprise": 1, "endpoint": {**ENDPOINT, "path": "x"}, "confirm": [{"say": "Really?"}]}
    with pytest.raises(DeclarationError) as caught:
        load(write(tmp_path, {**declaration_json(), **keys}))
    assert all(key in str(caught.value) for key in ("surprise: ", "endpoint.path: ", "confirm.0.level: "))


def pipe(file: Path) -> None:
    os.mkfifo(file)


def outside(file: Path) -> None:
    other = file.parents[1] / "other.json"
    other.write_text(json.dumps(declaration_json()))
    file.symlink_to(other)


def device(file: Path) -> None:
    file.symlink_to("/dev/zero")


def loop(file: Path) -> None:
    file.symlink_to(file)


def large(file: Path) -> None:
    file.write_text(json.dumps(declaration_json(description="x" * 300_000)))


def deep(file: Path) -> None:
    file.write_text("[" * 100_000 + "]" * 100_000)


def latin(file: Path) -> None:
    file.write_bytes(b'{"name": "\xe9"}')


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (pipe, "it is not a regular file"),
        (Path.mkdir, "it is not a regular file"),
        (outside, "it is a link to a file outside the directory"),
        (device, "it is a link to a file outside the directory"),
        (loop, "it cannot be read: Too many levels of symbolic links"),
        (large, "it has more than 262144 bytes"),
        (deep, "it is nested too deeply"),
        (latin, "it is not UTF-8 text"),
        (lambda file: file.write_text("{"), "it is not JSON: Expecting"),
    ],
)
@pytest.mark.parametrize("read", [load, read_declarations], ids=["validated", "for the fast start"])
def test_a_file_that_is_not_a_small_regular_file_of_the_directory_is_an_error(tmp_path: Path, make, message, read):
    folder = tmp_path / "tools"
    folder.mkdir()
    make(folder / "things-do.json")
    with pytest.raises(DeclarationError, match=rf"tools/things-do\.json: {message}"):
        read(str(folder))


def test_links_inside_the_directory_and_to_the_directory_are_followed(tmp_path: Path):
    # Kubernetes mounts a ConfigMap in this way.
    data = tmp_path / "mount" / "..2026" / "files"
    data.mkdir(parents=True)
    write(data, declaration_json())
    (tmp_path / "mount" / "..data").symlink_to("..2026/files")
    (tmp_path / "mount" / "things-do.json").symlink_to("..data/things-do.json")
    (tmp_path / "link").symlink_to("mount")
    assert "things-do" in load(str(tmp_path / "link"))


@pytest.mark.parametrize("text", ["", "[]", "{", "1", "\xff", json.dumps(declaration_json(name="another-name"))])
def test_invalid_json_or_another_name_than_the_one_of_the_file_is_an_error(tmp_path: Path, text):
    (tmp_path / "things-do.json").write_text(text, "latin-1")
    with pytest.raises(DeclarationError, match=r"things-do\.json"):
        load(str(tmp_path))
