"""Checks of every file in tools/."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx2
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as some

from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.files import read_server_file
from core13_mcp.declarations.model import Declaration
from core13_mcp.declarations.schema import Schema
from core13_mcp.errors import InvalidArguments
from core13_mcp.jsonio import compact_json
from core13_mcp.pipeline.bind import expand_path
from core13_mcp.templates.language import paths

from .subschemas import subschemas

CATALOG = load()
PAGE = {entry["tool"]: entry for entry in json.loads((Path(__file__).parent / "page.json").read_text("utf-8"))}

# Their results are objects whose property names the API does not fix.
FREE_FORM = {"users-hedgehog-config-retrieve", "users-hedgehog-config-partial-update"}

# Characters of tools/list as compact JSON, without and with output schemas. Lower them when the list gets shorter.
MAX_WITHOUT_OUTPUT, MAX_WITH_OUTPUT = 23_500, 29_000

# They change without a change of the effect, so no question reads them: an answer would be refused as outdated.
VOLATILE = {"next_delivery_date", "updated_at", "created_at"}

HOSTILE = [
    "", ".", "..", "/", "a/b", "../users", "..%2F", "%2F", "%2e%2e", "?", "a?b=c", "#", "a#b", ";", "\\", "..\\..",
    "a b", "\t", "\n", "a\r\nHost: x", "\x00", "\x1f", "\x7f", "@", "@me/", "@me\n", "@current/..", "\u2044", "\uff0f", "\u202e",
    "é", "a" * 10_000, "1" * 10_000,
]  # fmt: skip

# Keywords that a provider rejects, or that only cost characters.
REJECTED_KEYWORDS = {"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "$ref", "$defs", "definitions", "dependentRequired",
            "dependentSchemas", "patternProperties", "propertyNames", "const", "$schema", "$id", "title"}  # fmt: skip

each_tool = pytest.mark.parametrize("tool", CATALOG.values(), ids=lambda tool: tool.name)


def properties_in(condition: Any) -> set[str]:
    """Every property that a condition mentions, at any depth."""
    match condition:
        case dict():
            properties = condition.get("properties", {})
            names = {*condition.get("required", ()), *properties}
            for name, others in condition.get("dependentRequired", {}).items():
                names |= {name, *others}
            named = ("properties", "required", "dependentRequired", "const")
            parts = [part for key, part in condition.items() if key not in named]
            return names.union(*map(properties_in, (*properties.values(), *parts)))
        case list():
            return set().union(*map(properties_in, condition))
        case _:
            return set()


def texts_of(tool: Declaration) -> Iterator[str]:
    """Every text of a declaration for models and people."""
    yield tool.description
    yield from (schema["description"] for schema in tool.arguments.values())
    yield from (*tool.hints.values(), *tool.documented.values())
    for parts in (tool.rules, tool.checks, tool.confirm, tool.done, tool.notes):
        yield from (part.message for part in parts)


def tool_that_reads(path: str) -> Declaration:
    template = path.replace("@me", "{uuid}")
    return next(tool for tool in CATALOG.values() if tool.endpoint.method == "GET" and tool.endpoint.path == template)


def test_there_is_one_tool_for_each_endpoint_of_the_page():
    assert set(CATALOG) == set(PAGE)


@each_tool
def test_method_path_and_parameters_match_the_page(tool: Declaration):
    entry = PAGE[tool.name]
    assert (tool.endpoint.method, tool.endpoint.path) == (entry["method"], entry["path"])
    assert set(tool.endpoint.placeholders) == set(entry["path_parameters"])
    parameters = {*entry["path_parameters"], *entry["query_parameters"], *entry["body_parameters"]}
    # Each one is an argument, or there is a reason why the tool does not accept it.
    assert parameters <= tool.arguments.keys() | tool.documented.keys()
    assert not tool.arguments.keys() & tool.documented.keys()


@each_tool
def test_an_independent_validator_accepts_every_schema(tool: Declaration):
    conditions = [rule.when for rule in tool.rules] + [part.when for part in (*tool.confirm, *tool.done)]
    for schema in (tool.input_schema, tool.output_schema, *conditions):
        jsonschema.Draft202012Validator.check_schema(schema)


@each_tool
def test_the_root_of_an_input_schema_is_an_object_without_additional_properties(tool: Declaration):
    assert tool.input_schema.keys() <= {"type", "properties", "required", "additionalProperties"}
    assert tool.input_schema["type"] == "object"
    assert tool.input_schema["additionalProperties"] is False
    assert set(tool.input_schema.get("required", ())) <= tool.arguments.keys()
    assert tool.output_schema["type"] == "object"


@each_tool
def test_clients_receive_no_combinators_no_references_and_only_enums_of_strings(tool: Declaration):
    assert "$ref" not in compact_json(tool.to_mcp())
    for _, schema in (*subschemas(tool.input_schema), *subschemas(tool.output_schema)):
        assert not schema.keys() & REJECTED_KEYWORDS
        assert "enum" not in schema or (schema["type"] == "string" and all(isinstance(v, str) for v in schema["enum"]))
        assert schema.get("type") != "array" or schema["items"]


@each_tool
def test_every_argument_has_a_type_a_description_and_a_valid_default(tool: Declaration):
    assert tool.description.endswith(".") and not tool.title.endswith(".")
    for name, schema in tool.arguments.items():
        assert schema["description"].endswith(".") and schema["type"], name
        if "default" in schema:
            jsonschema.validate(schema["default"], schema)
            assert tool.endpoint.method != "PATCH" or name in ("uuid", "detail"), "an update changes only what is named"


@each_tool
def test_the_annotations_match_method_and_scope(tool: Declaration):
    hints, method, scope = tool.annotations, tool.endpoint.method, tool.endpoint.scope
    assert hints.read_only_hint == (method == "GET") == bool(scope and scope.endswith(":read"))
    assert not hints.read_only_hint or (
        hints.idempotent_hint and not hints.destructive_hint and not hints.open_world_hint
    )
    assert method not in ("PATCH", "DELETE") or hints.destructive_hint
    assert method != "DELETE" or hints.idempotent_hint
    assert (scope is None) == (tool.endpoint.auth == "session")
    assert not tool.name.endswith(("-list", "-retrieve")) or hints.read_only_hint
    assert tool.endpoint.fallback is None or tool.repeatable


@each_tool
def test_every_path_placeholder_is_required_or_has_a_default(tool: Declaration):
    present = {*tool.input_schema.get("required", ()), *(n for n, s in tool.arguments.items() if "default" in s)}
    project = {tool.project.argument} if tool.project else set()
    assert set(tool.endpoint.placeholders) <= tool.arguments.keys() & (present | project)
    assert project <= set(tool.endpoint.placeholders)


@each_tool
def test_a_path_argument_cannot_leave_its_segment(tool: Declaration):
    for name in tool.endpoint.placeholders:
        schema = Schema(tool.arguments[name])
        assert not [value for value in HOSTILE if schema.is_valid(value)], name


@given(some.text() | some.sampled_from(HOSTILE))
def test_any_text_stays_in_its_path_segment(value: str):
    try:
        path = expand_path("/api/things/{x}/rest/", {"x": value})
    except InvalidArguments:
        assert value in ("", ".", "..")
        return
    url = httpx2.URL("https://api.example" + path)
    segments = url.raw_path.decode().split("/")
    assert segments[:3] == ["", "api", "things"] and segments[4:] == ["rest", ""]
    assert unquote(segments[3]) == value
    assert (url.host, url.query, url.fragment) == ("api.example", b"", "")


@each_tool
def test_rules_and_conditions_mention_declared_arguments_only(tool: Declaration):
    derived = {"derived", "response", "status", "method", *tool.derive}
    for condition in (part.when for part in (*tool.rules, *tool.checks, *tool.confirm)):
        assert properties_in(condition) <= tool.arguments.keys() | derived
    names = properties_in([part.when for part in (*tool.done, *tool.notes)]) - {"arguments", "answer"}
    assert names <= tool.arguments.keys() | tool.output_schema.get("properties", {}).keys() | derived
    assert {check.argument for check in tool.checks} <= tool.arguments.keys()
    assert tool.endpoint.body_argument is None or tool.endpoint.body_argument in tool.input_schema["required"]


@each_tool
def test_every_placeholder_of_a_template_has_a_value(tool: Declaration):
    for part in tool.confirm:
        read = tool_that_reads(part.read).output_schema["properties"].keys() if part.read else set()
        known = {f"arguments.{n}" for n in tool.arguments} | {f"answer.{n}" for n in read - VOLATILE}
        assert paths(part.message) | paths(part.title or "") <= known
        assert properties_in(part.answer) <= read
    for entry in (*tool.rules, *tool.notes):
        assert paths(entry.message) <= tool.derive.keys()
    for hint in tool.hints.values():
        assert paths(hint) <= {"scope", "field"} | {f"arguments.{n}" for n in tool.arguments}


@each_tool
def test_hints_and_done_notes_contain_no_text_from_other_people(tool: Declaration):
    safe = {"arguments.id", "arguments.uuid", "arguments.password_id", "arguments.target_type"}
    safe |= {"arguments.dashboard_export_insights", "answer.access_token", "origin", *tool.derive}
    safe |= {"answer.id", "answer.target_type", "answer.target_value", "answer.team.id", "scope", "field"}
    for text in (*tool.hints.values(), *(part.message for part in tool.done)):
        assert paths(text) <= safe
        assert "{answer.target_value}" not in text, "the number of recipients only"


@each_tool
def test_a_write_declares_a_done_note_and_its_property(tool: Declaration):
    properties = tool.output_schema.get("properties", {})
    assert tool.name in FREE_FORM or bool(tool.done) == ("done" in properties)
    assert tool.read_only or tool.done


@each_tool
def test_hints_exist_for_the_statuses_that_the_api_returns(tool: Declaration):
    for key in tool.hints:
        assert re.fullmatch(r"unknown|4\d\d( field)?( [a-z_]+)?", key)
    assert ("unknown" in tool.hints) == (not tool.repeatable), "a write with an unknown outcome needs a hint"
    assert "403" in tool.hints
    assert "404" in tool.hints or not tool.endpoint.placeholders


def test_every_tool_that_the_instructions_or_a_declaration_mention_exists():
    texts = [*read_server_file("instructions.json"), *(text for tool in CATALOG.values() for text in texts_of(tool))]
    names = re.findall(r"\b(?:session-recordings|subscriptions|users)(?:-[a-z0-9]+)+", " ".join(texts))
    assert names and set(names) <= CATALOG.keys()


@each_tool
def test_every_output_schema_declares_its_properties(tool: Declaration):
    assert bool(tool.output_schema.get("properties")) == (tool.name not in FREE_FORM)
    properties = tool.output_schema.get("properties", {})
    for name in tool.output_schema.get("required", ()):
        assert properties[name]["type"], "a required property has a type"


@each_tool
def test_every_array_of_an_input_schema_has_a_maximum_length(tool: Declaration):
    for _, schema in subschemas(tool.input_schema):
        assert "array" not in schema.get("type", "") or 1 <= schema["maxItems"] <= 100, schema


@each_tool
def test_an_output_schema_has_no_nested_secret_and_no_constraint_that_a_newer_api_violates(tool: Declaration):
    for depth, schema in subschemas(tool.output_schema):
        assert not schema.keys() & {"additionalProperties", "format", "enum", "pattern", "minimum", "maximum"}
        assert isinstance(schema.get("type", ""), str)
        nested = schema.get("properties", {}).keys() if depth else set()
        assert not [name for name in nested if re.search(r"token|secret|password|hash", name)]
    assert "api_token" not in compact_json(tool.output_schema)


@each_tool
def test_secrets_are_declared_names_and_include_passwords(tool: Declaration):
    names = tool.arguments.keys() | tool.output_schema.get("properties", {}).keys() | tool.documented.keys()
    assert tool.secrets <= names
    texts = {name for name, schema in tool.arguments.items() if schema["type"] == "string"}
    assert {name for name in texts if "password" in name} <= tool.secrets


@each_tool
def test_a_tool_with_recipients_masks_them(tool: Declaration):
    texts = [compact_json(tool.output_schema), *tool.arguments, *(part.message for part in tool.confirm)]
    assert ("target_value" in " ".join(texts)) == ("target_value" in tool.mask)


@each_tool
def test_effects_that_cannot_be_undone_are_confirmed(tool: Declaration):
    reversible = {"subscriptions-destroy", "users-hedgehog-config-partial-update"}
    harmful = tool.annotations.destructive_hint or tool.annotations.open_world_hint
    assert not harmful or tool.confirm or tool.name in reversible | {"session-recordings-sharing-passwords-create"}
    assert tool.confirm == () or not tool.read_only


def test_the_list_of_tools_is_within_its_budget():
    definitions = [tool.to_mcp() for tool in CATALOG.values()]
    inputs = [{key: part for key, part in definition.items() if key != "outputSchema"} for definition in definitions]
    assert len(compact_json(inputs)) <= MAX_WITHOUT_OUTPUT <= 26_000
    assert len(compact_json(definitions)) <= MAX_WITH_OUTPUT <= 36_000
