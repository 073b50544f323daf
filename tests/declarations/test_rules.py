"""`core13-mcp check` reports each mistake in a declaration with its key path, the reason and the correct form."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.check import check_directory
from core13_mcp.errors import ConfigurationError

from ..factories import PROJECT
from ..processes import run_cli

ID = {"type": "integer", "minimum": 1, "description": "From things-list."}
THING: dict[str, Any] = {
    "name": "things-create",
    "title": "Create a thing",
    "description": "Create a thing in a project.",
    "annotations": {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": False, "openWorldHint": False},
    "inputSchema": {
        "type": "object",
        "properties": {
            "project_id": ID,
            "parent": ID,
            "label": {"type": "string", "maxLength": 20, "description": "Name of the thing."},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 5, "description": "Words."},
            "password": {"type": "string", "description": "Opens it."},
        },
        "required": ["parent", "label"],
        "additionalProperties": False,
    },
    "outputSchema": {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "owner": {"type": "object"}, "done": {"type": "string"}},
        "required": ["done"],
    },
    "endpoint": {
        "method": "POST",
        "path": "/api/projects/{project_id}/things/{parent}/",
        "scope": "thing:write",
    },
    "project": PROJECT,
    "secrets": ["password"],
    "confirm": [{"level": "ask", "message": "Create {arguments.label}?"}],
    "done": [{"message": "The thing {arguments.label} exists."}],
    "hints": {"403": "The key lacks {scope}.", "404": "See things-list.", "unknown": "See things-list."},
}
CATALOG = load()
PROPERTIES = "inputSchema.properties"

# The key path of the value to change, the new value (None removes the key), and the start of the problem.
Mistake = tuple[str, Any, str]

MISTAKES: list[Mistake] = [
    ("name", "things-" + "x" * 41, "name: it has 48 characters, and clients accept 47. Shorten it."),
    ("title", "Create a thing.", "title: it ends with a period. Write a phrase"),
    ("description", "Create", "description: it does not end with a period. Write sentences."),
    ("description", "Create “it”.", "description: it has characters outside ASCII. Use ASCII"),
    ("description", "You must call it.", "description: 'You must' reads like an order to the model. State"),
    (f"{PROPERTIES}.label.description", "Name", f"{PROPERTIES}.label.description: there is no description that ends"),
    (f"{PROPERTIES}.label.default", 5, f"{PROPERTIES}.label.default: the schema of the argument does not accept it."),
    ("documented", {"label": "Not used."}, "documented.label: it is an argument of the tool. Remove one of the two."),
    ("annotations.readOnlyHint", True, "annotations.readOnlyHint: a POST request can change something. The correct value is false."),
    ("name", "things-list", "annotations.readOnlyHint: the name is that of a tool that reads. The correct value is true."),
    ("endpoint.scope", None, "endpoint.scope: an endpoint has either a scope or the auth session. Add the scope"),
    ("endpoint.instead", {"status": 405, "method": "PATCH", "body": {}}, "endpoint.fallback: the second request repeats a write."),
    ("inputSchema.required", ["label"], "inputSchema.required: parent is in the path and can be absent. Add parent."),
    ("inputSchema.required", ["parent", "size"], "inputSchema.required: size is not a property."),
    (f"{PROPERTIES}.parent", {"type": "string", "description": "Id."}, f"{PROPERTIES}.parent.pattern: a value can have characters"),
    ("project.argument", "label", "project.argument: the path has no placeholder {label}."),
    ("endpoint.whole", "tag", 'endpoint.body_argument: tag is not a required argument. Did you mean "tags"?'),
    ("done", None, "done: a write does not state its effect. Add a note"),
    ("outputSchema", {"type": "object", "properties": {"id": {}}}, "outputSchema.properties.done: `done` and this property belong"),
    ("hints.5xx", "Wait.", "hints.5xx: no error of the API has this key. Use a status"),
    ("hints.unknown", None, "hints.unknown: the key is missing, and the write is never repeated. State how"),
    ("annotations.idempotentHint", True, "hints.unknown: a repeatable request has no unknown outcome. Remove it."),
    ("hints.403", None, "hints.403: the key is missing. Add a hint"),
    ("hints.404", None, "hints.404: the key is missing, and the path has placeholders."),
    ("secrets", ["password", "pasword"], 'secrets: pasword is neither an argument nor a property. Did you mean "password"?'),
    ("secrets", [], "secrets: the argument password is not in the list. Add password."),
    ("inputSchema.type", "array", 'inputSchema.type: the root is not an object. The correct form is "object".'),
    ("inputSchema.additionalProperties", None, "inputSchema.additionalProperties: unknown arguments are accepted. Set it to false."),
    ("inputSchema.anyOf", [{}], "inputSchema.anyOf: the root has a keyword that providers reject. Use type,"),
    ("outputSchema.type", "array", "outputSchema.type: the root is not an object."),
    (f"{PROPERTIES}.label.const", "x", f"{PROPERTIES}.label.const: a provider rejects this keyword"),
    (f"{PROPERTIES}.label.type", ["string", "null"], f"{PROPERTIES}.label.type: some hosts reject a list of types. Use one of"),
    (f"{PROPERTIES}.label.type", None, f"{PROPERTIES}.label.type: the key is missing. Use one of string"),
    (f"{PROPERTIES}.tags.items", {}, f"{PROPERTIES}.tags.items: the list has no schema of its items. Add one"),
    (f"{PROPERTIES}.tags.maxItems", None, f"{PROPERTIES}.tags.maxItems: the length of the list has no limit. Set it to 1 to 100."),
    (f"{PROPERTIES}.tags.items.enum", ["a", ""], f"{PROPERTIES}.tags.items.enum: providers accept enums of texts"),
    (f"{PROPERTIES}.label.format", "uri", f"{PROPERTIES}.label.format: Gemini rejects this format. Use date-time, or a pattern."),
    (f"{PROPERTIES}.label.pattern", "^(?=a)", f"{PROPERTIES}.label.pattern: providers do not support this regular expression."),
    (f"{PROPERTIES}.$id", ID, f"{PROPERTIES}.$id: a provider rejects this name of a property. Use up to 64"),
    (f"{PROPERTIES}.label", True, f"{PROPERTIES}.label: some providers reject true and false as a schema. Use an object"),
    ("outputSchema.properties.owner.properties", {"api_token": {}}, "outputSchema.properties.owner.properties.api_token: a result would show a secret."),
    ("outputSchema.properties.id.enum", [1], "outputSchema.properties.id.enum: a provider rejects this keyword"),
    ("outputSchema.properties.done", {}, "outputSchema.required: the required property done has no type."),
    (f"{PROPERTIES}.label.description", "x" * 17_000 + ".", "inputSchema: the schema has 17"),
    (PROPERTIES, {name: ID for name in ("project_id", "parent", "label", "password", *map("x{}".format, range(97)))},
     "inputSchema: the schema has 102 properties, and OpenAI accepts 100. Remove arguments"),
    ("confirm.0.when", {"required": ["lable"]}, 'confirm.0.when: lable has no value. Did you mean "label"?'),
    ("rules", [{"message": "No {day}.", "when": {"allOf": [{"properties": {"size": {}}, "dependentRequired": {"tags": ["sizes"]}}]}}],
     "rules.0.when: size has no value."),
    ("notes", [{"message": "On {day}."}], "notes.0.message: day has no value. The names are none."),
    ("checks", [{"argument": "labels", "message": "A word."}], 'checks.0.argument: labels has no value. Did you mean "label"?'),
    ("hints.404", "No {arguments.ident}.", "hints.404: arguments.ident has no value."),
    ("done.0.message", "{argument.label} exists.", 'done.0.message: argument.label has no value. Did you mean "arguments.label"?'),
    ("done.0.message", "{arguments.lable} exists.", 'done.0.message: arguments.lable has no value. Did you mean "arguments.label"?'),
    ("confirm.0.message", "Create {answer.name}?", "confirm.0.message: answer.name has no value."),
    ("confirm.0", {"level": "ask", "message": "Create {arguments.x}? {answer.y}", "read": "/api/things/"}, "confirm.0.message: arguments.x has no value."),
    ("review", ["reach: does it reach people?", "confirm: what to ask?"], "review: 2 open decisions: (1) reach: does it"),
    ("titel", "x", 'titel: there is no such key. Did you mean "title"?'),
    ("confirm.0.zzz", "x", "confirm.0.zzz: there is no such key. The keys are when, message, level, title, read, answer."),
    ("confirm.0.level", "maybe", 'confirm.0.level: the value is "maybe". The correct form is "ask" or "require".'),
    ("confirm.0.message", None, "confirm.0.message: the key is missing. The correct form is a text."),
    ("endpoint", {"method": "GET", "path": "/api/x/", "body": "x"}, 'endpoint.body: there is no such key. Did you mean "body_argument"?'),
    ("annotations.openWorldHint", None, "annotations.openWorldHint: the key is missing. The correct form is true or false."),
    ("annotations", None, "annotations: the key is missing. The correct form is an object with readOnlyHint, destructiveHint,"),
    ("endpoint.scope", "things", 'endpoint.scope: the value is "things". The correct form is a text such as "insight:read".'),
    ("endpoint.path", None, "endpoint.path: the key is missing. The correct form is a text such as"),
    ("name", "things_create", 'name: the value is "things_create". The correct form is a text such as "insights-list".'),
    ("name", "x" * 61, "name: String should have at most 60 characters"),
    ("name", "others-create", "name: the file declares the tool others-create. Rename the file to others-create.json."),
    ("hints.404", 5, "hints.404: the value is 5. The correct form is a text."),
    ("evidence", {"status": 5}, "evidence.status: the value is 5. The correct form is a list."),
    ("evidence", {"status": ["x"]}, 'evidence.status.0: the value is "x". The correct form is a whole number.'),
    ("derive", {"day": {"function": "moon", "of": []}}, 'derive.day.function: the value is "moon". The correct form is "weekday" or'),
    ("derive", {"day": {"function": "weekday", "of": ["a", "b"]}}, "derive.day: of: the number of paths is 2, but weekday takes 1 (text)"),
    ("derive", {"day": {"function": "in_offset", "of": ["a"]}}, "derive.day: of: the number of paths is 1, but in_offset takes 2 (text, other)"),
    ("title", 5, "title: the value is 5. The correct form is a text."),
    (f"{PROPERTIES}.label.type", "text", f'{PROPERTIES}.label.type: the value is "text". The correct form is "string", "integer"'),
    (f"{PROPERTIES}.label.minLength", "x", f'{PROPERTIES}.label.minLength: the value is "x". The correct form is a valid JSON Schema.'),
    ("hints.404", "{x", "hints.404: expected '}' before end of string. A value is written as {arguments.NAME}"),
    ("hints.404", {"$ref": "fields/hints.json#/users_404"}, "hints.404: the $ref 'fields/hints.json#/users_404' names a field that does not exist. Did you mean \"user_404\"? fields/hints.json has sharing_403,"),
    ("title", {"$ref": "fields/usr.json#/x"}, "title: the $ref 'fields/usr.json#/x' names a file that does not exist. The files are fields/common.json, "),
    ("done.0", {"$ref": "../x.json#/x"}, "done.0: the $ref '../x.json#/x' leads outside the directory. The correct form is fields/FILE.json#/NAME"),
]  # fmt: skip


def change(content: Any, path: str, value: Any) -> Any:
    """Return a copy of a declaration with another value at a key path; None removes the key."""
    result = copy.deepcopy(content)
    *parents, key = path.split(".")
    node = result
    for step in parents:
        node = node[int(step) if isinstance(node, list) else step]
    if isinstance(node, list):
        node[int(key)] = value
    elif value is None:
        del node[key]
    else:
        node[key] = value
    return result


def check(folder: Path, content: Any, name: str = THING["name"]) -> tuple[str, ...]:
    """The problems of a declaration, as `check` prints them."""
    (folder / f"{name}.json").write_text(json.dumps(content), "utf-8")
    (report,) = check_directory(folder, CATALOG)
    assert report.file == str(folder / f"{name}.json")
    return report.problems


def test_a_correct_declaration_has_no_problems(tmp_path: Path):
    assert check(tmp_path, THING) == ()


@pytest.mark.parametrize(("path", "value", "problem"), MISTAKES)
def test_each_mistake_is_reported_with_its_key_the_reason_and_the_correct_form(tmp_path: Path, path, value, problem):
    content = change(THING, path, value)
    is_valid_name = path == "name" and not problem.startswith("name: the file")
    problems = check(tmp_path, content, content["name"] if is_valid_name else THING["name"])
    assert [text for text in problems if text.startswith(problem)], problems


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_updates_and_deletions_have_the_hints_of_their_method(tmp_path: Path, method: str):
    content = change(change(THING, "endpoint.method", method), f"{PROPERTIES}.label.default", "x")
    problems = " ".join(check(tmp_path, content))
    assert f"annotations.destructiveHint: a {method} overwrites. The correct value is true." in problems
    assert ("annotations.idempotentHint: a repeated DELETE changes nothing more." in problems) == (method == "DELETE")
    assert ("label.default: every update would send it." in problems) == (method == "PATCH")


def test_a_tool_that_reads_has_the_hints_of_one_and_asks_nobody(tmp_path: Path):
    content = change(change(THING, "endpoint.method", "GET"), "annotations", {
        "readOnlyHint": True, "destructiveHint": True, "idempotentHint": False, "openWorldHint": True,
    })  # fmt: skip
    problems = check(tmp_path, content)
    keys = {text.partition(":")[0] for text in problems}
    hints = {f"annotations.{name}Hint" for name in ("readOnly", "destructive", "openWorld", "idempotent")}
    assert keys >= {*hints, "confirm"}


def test_a_question_can_use_the_response_of_a_tool_in_the_same_directory(tmp_path: Path):
    path = "/api/projects/{project_id}/things/{parent}/"
    (tmp_path / "things-retrieve.json").write_text(json.dumps(reader := change(THING, "name", "things-retrieve")))
    reader["endpoint"]["method"] = "GET"
    (tmp_path / "things-retrieve.json").write_text(json.dumps(reader))
    confirm = {"level": "ask", "message": "{answer.owner} {answer.ownr}", "read": path}
    content = change(THING, "confirm", [{**confirm, "answer": {"required": ["idd"]}}])
    (tmp_path / "things-create.json").write_text(json.dumps(content))
    problems = " ".join(check_directory(tmp_path, CATALOG)[0].problems)
    assert 'confirm.0.message: answer.ownr has no value. Did you mean "answer.owner"?' in problems
    assert 'confirm.0.answer: idd has no value. Did you mean "id"?' in problems
    assert "answer.owner has no value" not in problems


def test_a_key_for_editors_is_accepted_and_not_a_part_of_the_declaration(tmp_path: Path):
    assert check(tmp_path, {"$schema": "../docs/declaration.schema.json", **THING}) == ()


@pytest.mark.parametrize("exists", [True, False])
def test_a_directory_without_declarations_is_an_error(tmp_path: Path, exists: bool):
    folder = tmp_path if exists else tmp_path / "none"
    with pytest.raises(ConfigurationError, match="contains no .json file" if exists else "cannot be read: No such"):
        check_directory(folder)


def test_the_command_prints_every_problem_of_every_file_and_its_status_says_whether_there_is_one(tmp_path: Path):
    (tmp_path / "things-create.json").write_text(json.dumps(change(THING, "hints", {})))
    (tmp_path / "broken.json").write_text("{")
    failed = run_cli("check", str(tmp_path))
    assert failed.returncode == 1
    lines = failed.stdout.splitlines()
    assert lines[0].startswith(f"{tmp_path}/broken.json: ")
    assert [line.partition(" ")[2].partition(":")[0] for line in lines[1:4]] == [
        "hints.unknown",
        "hints.403",
        "hints.404",
    ]
    assert lines[4] == "2 files, 4 problems"
    (tmp_path / "broken.json").unlink()
    (tmp_path / "things-create.json").write_text(json.dumps(THING))
    passed = run_cli("check", str(tmp_path))
    assert (passed.returncode, passed.stdout) == (0, "1 file, no problem\n")
