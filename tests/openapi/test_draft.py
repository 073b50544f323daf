"""`core13-mcp draft` writes a declaration that follows every rule, and lists the decisions that a person makes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core13_mcp.cli.main import main
from core13_mcp.declarations.catalog import load, parse
from core13_mcp.declarations.check import check_directory
from core13_mcp.declarations.directory import replace_references
from core13_mcp.declarations.files import with_confirmation
from core13_mcp.declarations.model import Declaration
from core13_mcp.errors import ConfigurationError, DeclarationError
from core13_mcp.openapi.document import Document
from core13_mcp.openapi.draft import draft

from ..processes import run_cli
from .documents import content, document

CATALOG = load()
DOCUMENT = document()
NAMES = [name for name in DOCUMENT.operations if name not in ("big_things_update", "categories_retrieve", "old_list_2")]


def draft_of(name: str) -> dict[str, Any]:
    return draft(DOCUMENT, DOCUMENT.operation(name))


def arguments_of(name: str) -> dict[str, Any]:
    return dict(draft_of(name)["inputSchema"]["properties"])


def reviewed(folder: Path, name: str) -> Declaration:
    """The declaration of a draft without open decisions, after the check of its directory."""
    content = draft_of(name) | {"review": []}
    folder.mkdir(exist_ok=True)
    (folder / f"{content['name']}.json").write_text(json.dumps(content))
    assert [report.problems for report in check_directory(folder, CATALOG)] == [()]
    return parse(content["name"], with_confirmation(replace_references(content, folder)), content["name"])


@pytest.mark.parametrize("name", NAMES)
def test_a_draft_follows_every_rule_and_loads_when_its_decisions_are_made(tmp_path: Path, name: str):
    content = draft_of(name)
    assert content["review"]
    with pytest.raises(DeclarationError, match=rf"review: {len(content['review'])} open decisions: \(1\) secrets: "):
        parse(content["name"], replace_references(content, tmp_path), "draft")
    reviewed(tmp_path, name)


def test_a_list_reads_pages_of_useful_fields(tmp_path: Path):
    tool = reviewed(tmp_path, "big_things_list")
    assert (tool.name, tool.title) == ("big-things-list", "List big things")
    assert tool.description == "List big things. It changes nothing."
    assert (tool.endpoint.method, tool.endpoint.scope) == ("GET", "big_thing:read")
    assert tool.annotations.model_dump() == {
        "read_only_hint": True, "destructive_hint": False, "idempotent_hint": True, "open_world_hint": False,
    }  # fmt: skip
    assert list(tool.arguments) == ["project_id", "limit", "kind", "anything", "detail"]
    assert tool.input_schema["required"] == ["kind"]
    assert tool.arguments["limit"]["default"] == 20
    assert tool.arguments["kind"] == {"type": "string", "enum": ["a", "b"], "description": "Only these."}
    assert tool.documented == {
        "format": "Results are always JSON.",
        "gone": "Deprecated.",
        "order[by]": "Model providers reject this name of an argument.",
    }
    row = tool.output_schema["properties"]["results"]["items"]["properties"]
    assert list(row)[:3] == ["id", "name", "kind"] and row["id"] == {"type": "integer"} and row["name"] == {}
    assert not row.keys() & {"owner", "filters", "access_token", "old", "id_password", "$group", "value"}
    assert tool.evidence and (tool.evidence.field, tool.evidence.row) == ("results", "id")
    assert tool.project and tool.project.argument == "project_id"


def test_an_update_changes_what_is_named_and_clears_nullable_fields(tmp_path: Path):
    tool = reviewed(tmp_path, "big_things_partial_update")
    assert tool.title == "Change a big thing"
    assert tool.annotations.destructive_hint and tool.annotations.idempotent_hint and tool.annotations.open_world_hint
    assert tool.input_schema["required"] == ["id"]
    assert tool.arguments["id"]["pattern"] == "^[0-9a-fA-F-]{36}$"
    assert tool.clearable == ("kind", "color", "size")
    assert not tool.rules[0].validator.is_valid({"id": "x"}) and tool.rules[0].validator.is_valid({"size": 1})
    assert tool.secrets == {"access_token", "id_password"}
    assert tool.done[0].message == "The big thing is changed."
    assert list(tool.hints) == ["403", "404"]


ARGUMENTS: list[tuple[str, dict[str, Any]]] = [
    ("name", {"type": "string", "maxLength": 400, "minLength": 1, "description": "The name. Shown."}),
    ("kind", {"type": "string", "enum": ["a", "b"], "description": "Kind."}),
    ("color", {"type": "string", "enum": ["a", "b"], "description": "Color."}),
    ("size", {"type": "integer", "maximum": 50, "description": "Size."}),
    ("rate", {"type": "number", "description": "Rate."}),
    ("level", {"type": "integer", "description": "Level. One of 1, 2, 3."}),
    ("mode", {"type": "string", "enum": ["fast"], "description": "Mode."}),
    ("tags", {"type": "array", "items": {"type": "string"}, "maxItems": 100, "description": "Tags."}),
    ("filters", {"type": "object", "description": "Filters."}),
    ("value", {"type": "object", "description": "Value."}),
    ("both", {"type": "string", "description": "Both."}),
    ("either", {"type": "boolean", "description": "Either."}),
    ("labels", {"type": "array", "items": {"type": "string"}, "maxItems": 100, "description": "Labels."}),
    ("target", {
        "type": "object",
        "properties": {
            "kind": {"type": "string", "enum": ["hook", "mail"]},
            "url": {"type": "string"},
            "address": {"type": "string"},
        },
        "description": "Target.",
    }),
    ("long", {"type": "string", "description": f"Of {'many words ' * 10}many ..."}),
    ("shape", {
        "type": "object",
        "properties": {"x": {"type": "integer"}, "y": {"type": "object"}, "z": {"type": "object"}},
        "required": ["x"],
        "description": "Shape.",
    }),
    ("tree", {
        "type": "object",
        "properties": {"child": {"type": "object", "properties": {"child": {"type": "object"}}}},
        "description": "Tree.",
    }),
    ("start", {"type": "string", "format": "date-time", "description": "Start."}),
    ("day", {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "description": "Day. Like 2026-01-31."}),
    ("code", {"type": "string", "pattern": "^[a-z]+$", "description": "Code."}),
    ("odd", {"type": "string", "description": "Odd."}),
    ("broken", {"type": "string", "description": "Broken."}),
    ("pair", {"type": "array", "items": {"type": "integer"}, "maxItems": 2, "minItems": 2, "description": "Pair."}),
    ("rows", {"type": "array", "items": {"type": "integer"}, "maxItems": 100, "description": "Rows."}),
    ("flag", {"type": "boolean", "description": "Flag."}),
    ("map", {"type": "object", "description": "Map."}),
    ("words", {"type": "string", "enum": ["x", "y"], "description": "Words."}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "schema"), ARGUMENTS, ids=lambda value: value if isinstance(value, str) else "")
def test_each_form_of_a_schema_becomes_one_that_every_provider_accepts(name: str, schema: dict[str, Any]):
    assert arguments_of("big_things_create")[name] == schema


def test_a_type_that_the_document_does_not_name_is_a_decision():
    review = draft_of("big_things_create")["review"]
    prefix = "inputSchema.properties."
    assert [text.removeprefix(prefix) for text in review if text.startswith(prefix)] == [
        "value.type: the document gives no type; is object right?",
        "both.type: the document allows integer and string; is string right?",
        "either.type: the document allows boolean and integer; is boolean right?",
        "labels.items.type: the document gives no type; is string right?",
        "shape.properties.y.type: the document gives no type; is object right?",
        "shape.properties.z.type: the document gives no type; is object right?",
    ]


def test_a_list_that_is_one_value_of_a_query_is_a_text_with_commas():
    arguments = arguments_of("exports_list")
    assert arguments["tags"] == {"type": "string", "description": "Comma-separated list. Tags to export."}
    assert arguments["kinds"] == {"type": "string", "description": "Comma-separated list of a, b."}


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("old_list", "outputSchema: the response is of type array, but a tool shows the fields of an object only."),
        ("old_list", "endpoint: the document marks the operation as deprecated. Which one replaces it?"),
        ("exports_list", "outputSchema: the response is text/csv, but a tool reads JSON objects only."),
        ("exports_retrieve", "outputSchema: the document names no field of the response."),
        ("widgets_list", "outputSchema: the document describes no body of the response."),
        ("widgets_list", "description: the document has no text about this operation. What does a call do?"),
        ("notes_destroy", "description: the document has no text about this operation. What does a call do?"),
    ],
)
def test_what_a_document_does_not_say_or_a_tool_cannot_do_is_a_decision(name: str, question: str):
    assert any(text.startswith(question) for text in draft_of(name)["review"])


def test_an_operation_without_a_unique_id_can_be_drafted():
    assert draft_of("exports_retrieve")["endpoint"]["path"] == "/api/exports/{id}/"
    assert DOCUMENT.operation("old_list_2").method == "POST"


def test_an_operation_without_scopes_of_its_own_has_those_of_the_document():
    changed = content() | {"security": [{"PersonalAPIKeyAuth": ["all:read"]}]}
    shared = Document(changed, "openapi.json")
    assert shared.operation("exports_list").scopes == ("all:read",)
    assert shared.operation("exports_retrieve").scopes == ("export:read",)


def test_a_creation_is_careful_until_a_person_has_decided(tmp_path: Path):
    content = draft_of("big_things_create")
    keys = [text.partition(":")[0] for text in content["review"]]
    assert keys[:3] == ["secrets", "outputSchema", "description"]
    assert keys[3:6] == ["annotations.openWorldHint", "confirm", "hints.unknown"]
    assert "The draft lists access_token, id_password, and hides access_token, id_password." in content["review"][0]
    assert content["review"][5].endswith("The operation big_things_list may show it.")
    tool = reviewed(tmp_path, "big_things_create")
    assert tool.annotations.open_world_hint and not tool.annotations.destructive_hint
    assert [entry.level for entry in tool.confirm] == ["ask"]
    assert tool.input_schema["required"] == ["name"]
    assert tool.hints["409"] == "Use another {{name}}."
    assert tool.hints["400"] == "Correct the argument that the API names."
    assert tool.hints["418"] == "The API refuses the call with status 418."
    assert "find out" in tool.hints["unknown"].lower()


def test_a_deletion_returns_a_note_only(tmp_path: Path):
    tool = reviewed(tmp_path, "big_things_destroy")
    assert list(tool.output_schema["properties"]) == ["done"]
    assert tool.evidence and tool.evidence.status == (204,)
    assert "detail" not in tool.arguments


def test_a_deletion_that_the_api_refuses_marks_the_object_as_deleted_if_an_update_can(tmp_path: Path):
    refuses = "endpoint: the document says that the API refuses this method. What does the API do instead?"
    names = ("notes_destroy", "marks_destroy", "pins_destroy")
    assert all(refuses in draft_of(name)["review"] for name in names)
    tool, *others = (reviewed(tmp_path / name, name) for name in names)
    assert tool.endpoint.fallback and tool.endpoint.fallback.model_dump() == {
        "status": 405, "method": "PATCH", "body": {"deleted": True},
    }  # fmt: skip
    assert [other.endpoint.fallback for other in others] == [None, None]


def test_a_boolean_about_a_secret_is_shown_but_not_in_rows(tmp_path: Path):
    assert "token_expired" in draft_of("big_things_retrieve")["outputSchema"]["properties"]
    rows = draft_of("big_things_list")["outputSchema"]["properties"]["results"]
    assert "token_expired" not in rows["items"]["properties"]


def test_an_operation_without_a_scope_needs_a_login_session_and_a_decision(tmp_path: Path):
    review = " ".join(draft_of("big_things_send_create")["review"])
    assert "endpoint.auth: the document names no scope." in review and "evidence: " in review
    tool = reviewed(tmp_path, "big_things_send_create")
    assert (tool.endpoint.auth, tool.endpoint.body_argument) == ("session", "body")
    assert tool.arguments["body"]["type"] == "array"
    assert tool.title == "Big things send"


def test_fields_that_accept_only_null_are_no_arguments():
    reason = "The API accepts only null."
    assert draft_of("big_things_create")["documented"] == {
        "nothing": reason, "void": reason, "old": "Deprecated.", "$group": "Model providers reject this name of an argument.",
    }  # fmt: skip


def test_a_field_that_is_called_clear_stays_a_field(tmp_path: Path):
    tool = reviewed(tmp_path, "widgets_partial_update")
    assert tool.clear is None and tool.arguments["clear"]["type"] == "boolean"


def test_an_operation_without_placeholders_needs_no_project_and_no_hint_for_404(tmp_path: Path):
    tool = reviewed(tmp_path, "widgets_list")
    assert tool.project is None and list(tool.hints) == ["403"]
    assert tool.arguments == {}


def test_several_scopes_are_a_decision():
    review = " ".join(draft_of("big_things_retrieve")["review"])
    assert "endpoint.scope: the document names big_thing:read, other:read. Which one is needed?" in review


def test_a_description_gives_the_model_no_orders():
    assert draft_of("big_things_retrieve")["description"] == "Reads it. Callers must read it - now. It changes nothing."


def test_a_description_that_several_operations_have_describes_none_of_them():
    assert draft_of("notes_destroy")["description"] == "Delete a note."


def test_a_parameter_of_the_operation_replaces_the_one_of_its_path():
    assert arguments_of("big_things_destroy")["id"]["description"] == "The id of the path."
    assert arguments_of("big_things_partial_update")["id"]["description"] == "Id of the big thing."


def test_a_large_body_is_cut_to_the_limits_of_providers(tmp_path: Path):
    tool = reviewed(tmp_path, "big_things_wide_partial_update")
    assert tool.documented["field_199"].startswith("Left out of the draft, because the schema would be too large")
    assert 80 < len(tool.arguments) <= 100
    assert tool.evidence and tool.evidence.field == "ok"


def test_a_long_name_is_shortened_and_a_name_in_path_and_body_is_a_decision():
    content = draft_of("big_things_duplicate_with_a_very_long_name_of_an_action_create")
    assert len(content["name"]) <= 47 and content["name"].startswith("big-") and content["name"].endswith("-create")
    assert "inputSchema.properties.id: two parameters have this name" in " ".join(content["review"])


def test_another_name_of_the_project_argument_is_declared(tmp_path: Path):
    tool = reviewed(tmp_path, "environments_statuses_retrieve")
    assert tool.project and tool.project.argument == "environment_id"
    assert tool.arguments["key"] == {
        "type": "integer", "minimum": 1, "maximum": 2147483647, "description": "Key of it.",
    }  # fmt: skip
    assert tool.description == "Read one status. It changes nothing."


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "big_things_update",
            r"is a PUT request, which replaces an object. Draft the PATCH operation of /api/projects/",
        ),
        ("old_list_2", r"the body of old_list_2 is multipart/form-data, but a tool sends JSON only\. Such a request"),
        ("categories_retrieve", r"cannot describe this operation: .*endpoint.path: a path must end with /"),
        ("big_thing_list", "openapi.json has no operation 'big_thing_list'. Did you mean \"big_things_list\"?"),
        ("zzzzzz", "`core13-mcp draft --list WORD` finds operations."),
    ],
)
def test_an_operation_that_cannot_be_drafted_is_an_error(name: str, message: str):
    with pytest.raises(ConfigurationError, match=message.replace("?", r"\?")):
        draft_of(name)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("#/components/schemas/None", "names nothing"),
        ("other.json#/Thing", "is in another file"),
        ("#/components/schemas/Loop", "never ends"),
    ],
)
def test_a_wrong_reference_in_the_document_is_an_error(reference: str, message: str):
    changed = content()
    changed["components"]["schemas"] = {"Thing": {"$ref": reference}, "Loop": {"$ref": "#/components/schemas/Loop"}}
    wrong = Document(changed, "openapi.json")
    with pytest.raises(ConfigurationError, match=rf"openapi.json: the \$ref .* {message}"):
        draft(wrong, wrong.operation("big_things_partial_update"))


def test_schemas_inside_one_another_without_end_are_cut():
    changed = content()
    changed["components"]["schemas"]["Tree"] = {"allOf": [{"$ref": "#/components/schemas/Tree"}], "type": "object"}
    cyclic = Document(changed, "openapi.json")
    assert draft(cyclic, cyclic.operation("big_things_create"))["inputSchema"]["properties"]["tree"]["type"] == "object"
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(50):
        deep = {"allOf": [deep]}
    changed["components"]["schemas"]["Tree"] = deep
    nested = Document(changed, "openapi.json")
    assert draft(nested, nested.operation("big_things_create"))["inputSchema"]["properties"]["tree"]["type"] == "object"


def run_draft(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command in this process. Starting a process takes a second."""
    status = main(["draft", *arguments])
    return status, *capsys.readouterr()


@pytest.fixture
def spec(tmp_path: Path) -> str:
    (tmp_path / "openapi.json").write_text(json.dumps(content()))
    return str(tmp_path / "openapi.json")


def test_the_command_finds_operations(capsys: pytest.CaptureFixture[str], spec: str):
    status, output, _ = run_draft(capsys, "--list", "S_RETRIEVE", "--spec", spec)
    assert status == 0
    assert [line.split()[:2] for line in output.splitlines()] == [
        ["big_things_retrieve", "GET"], ["environments_statuses_retrieve", "GET"], ["exports_retrieve", "GET"], ["categories_retrieve", "GET"],
    ]  # fmt: skip


def test_the_command_writes_a_draft_and_never_replaces_a_file(capsys: pytest.CaptureFixture[str], spec: str):
    folder = Path(spec).parent / "tools"
    arguments = ("big-things-destroy", "--spec", spec, "--out", str(folder))
    status, _, errors = run_draft(capsys, *arguments)
    assert status == 0
    lines = errors.splitlines()
    assert lines[0] == f"wrote {folder}/big-things-destroy.json, with 5 open decisions:"
    assert lines[-1] == f"Make each one, empty the list `review`, and run: core13-mcp check {folder}"
    status, _, errors = run_draft(capsys, *arguments)
    assert status == 2 and "big-things-destroy.json exists already. Remove it" in errors


def test_the_command_prints_a_draft_with_lines_that_a_person_can_read(spec: str):
    printed = run_cli("draft", "big_things_destroy", "--spec", spec)
    assert printed.returncode == 0 and json.loads(printed.stdout) == draft_of("big_things_destroy")
    assert max(map(len, printed.stdout.splitlines())) < 140
    assert '  "evidence": {"status": [204]},' in printed.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "draft needs either an operation or --list WORD"),
        (("x", "--list", "y"), "draft needs either an operation or --list WORD"),
        (("--list", "zzz", "--spec", "SPEC"), "no operation of SPEC contains 'zzz'. Try a shorter word."),
        (("x", "--sandbox"), "the sandbox has no OpenAPI document. Name a file or a URL with --spec."),
        (("big_things_list", "--spec", "SPEC", "--out", "SPEC/x"), "cannot be written: "),
    ],
)
def test_a_wrong_command_line_is_an_error(
    capsys: pytest.CaptureFixture[str], spec: str, arguments: tuple[str, ...], message: str
):
    status, _, errors = run_draft(capsys, *(word.replace("SPEC", spec) for word in arguments))
    assert status == 2
    assert message.replace("SPEC", spec) in errors
