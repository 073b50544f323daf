"""The laws that hold over all files in tools/, whatever endpoint they declare."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any
from urllib.parse import unquote

import httpx2
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as some

from core13_mcp.declarations.catalog import load, with_pinned_project
from core13_mcp.declarations.files import read_server_file
from core13_mcp.declarations.model import Declaration
from core13_mcp.declarations.schema import Schema
from core13_mcp.errors import InvalidArguments
from core13_mcp.jsonio import compact_json
from core13_mcp.pipeline.bind import expand_path

CATALOG = load()
PAGE = {entry["tool"]: entry for entry in json.loads((Path(__file__).parent / "page.json").read_text("utf-8"))}
SHARED = read_server_file("instructions.json")

FREE_FORM = {"users-hedgehog-config-retrieve", "users-hedgehog-config-partial-update"}
"""These hand back an object whose names the API does not fix."""

WITHOUT_OUTPUT, WITH_OUTPUT = 22_434, 27_253
"""Characters of tools/list as compact JSON, reached so far. Lower them when it gets shorter; never raise them lightly."""

HOSTILE = [
    "", ".", "..", "/", "a/b", "../users", "..%2F", "%2F", "%2e%2e", "?", "a?b=c", "#", "a#b", ";", "\\", "..\\..",
    "a b", "\t", "\n", "a\r\nHost: x", "\x00", "\x1f", "\x7f", "@", "@me/", "@me\n", "@current/..", "\u2044", "\uff0f", "\u202e",
    "é", "a" * 10_000, "1" * 10_000,
]  # fmt: skip

CLASHING = {"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "$ref", "$defs", "definitions", "dependentRequired",
            "dependentSchemas", "patternProperties", "propertyNames", "const", "$schema", "$id", "title"}  # fmt: skip
"""Keywords that one provider or another rejects, or that only cost characters."""

each_tool = pytest.mark.parametrize("tool", CATALOG.values(), ids=lambda tool: tool.name)


def parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and all schemas in it: what is named `title` among properties is a property, not a keyword."""
    yield schema
    for part in (*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])):
        yield from parts(part)


def named(condition: Any) -> set[str]:
    """Every property that a condition speaks of, at any depth."""
    match condition:
        case dict():
            required = set(condition.get("required", ()))
            dependent = {
                name for pair in condition.get("dependentRequired", {}).items() for name in (pair[0], *pair[1])
            }
            inner = (
                named(part) for key, part in condition.items() if key not in ("required", "dependentRequired", "const")
            )
            properties = condition.get("properties", {})
            return (
                required | dependent | set(properties).union(*inner, *map(named, properties.values())) - {"properties"}
            )
        case list():
            return set().union(*map(named, condition))
        case _:
            return set()


def told(tool: Declaration) -> Iterator[str]:
    """Every sentence of a declaration."""
    yield tool.description
    yield from (schema["description"] for schema in tool.arguments.values())
    yield from (*tool.hints.values(), *tool.documented.values())
    for said in (tool.rules, tool.confirm, tool.done):
        yield from (part.message for part in said)


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def declared_at(path: str) -> Declaration:
    """The tool that reads a path."""
    plain = path.replace("@me", "{uuid}")
    return next(tool for tool in CATALOG.values() if tool.endpoint.method == "GET" and tool.endpoint.path == plain)


def test_the_tools_are_the_endpoints_of_the_page():
    assert set(CATALOG) == set(PAGE)
    assert len(CATALOG) == 18


@each_tool
def test_method_and_path_are_those_of_the_page(tool: Declaration):
    assert (tool.endpoint.method, tool.endpoint.path) == (PAGE[tool.name]["method"], PAGE[tool.name]["path"])
    assert set(tool.endpoint.placeholders) == set(PAGE[tool.name]["path_parameters"])


@each_tool
def test_every_parameter_of_the_page_is_declared_or_its_absence_explained(tool: Declaration):
    entry = PAGE[tool.name]
    page = {*entry["path_parameters"], *entry["query_parameters"], *entry["body_parameters"]}
    assert page <= tool.arguments.keys() | tool.documented.keys()
    assert not tool.arguments.keys() & tool.documented.keys()


@each_tool
def test_every_schema_is_a_schema_for_an_independent_judge(tool: Declaration):
    conditions = [rule.condition for rule in tool.rules] + [part.when for part in (*tool.confirm, *tool.done)]
    for schema in (tool.input_schema, tool.output_schema, *conditions):
        jsonschema.Draft202012Validator.check_schema(schema)


@each_tool
def test_the_root_is_a_closed_object_and_nothing_else(tool: Declaration):
    assert tool.input_schema.keys() <= {"type", "properties", "required", "additionalProperties"}
    assert tool.input_schema["type"] == "object"
    assert tool.input_schema["additionalProperties"] is False
    assert set(tool.input_schema.get("required", ())) <= tool.arguments.keys()
    assert tool.output_schema["type"] == "object"


@each_tool
def test_no_combinator_and_no_reference_reaches_the_wire(tool: Declaration):
    for schema in (*parts(tool.input_schema), *parts(tool.output_schema)):
        assert not schema.keys() & CLASHING
    assert "$ref" not in compact_json(tool.to_mcp())


@each_tool
def test_every_enumeration_has_its_type_and_every_list_its_items(tool: Declaration):
    for schema in (*parts(tool.input_schema), *parts(tool.output_schema)):
        assert "enum" not in schema or (schema["type"] == "string" and all(isinstance(v, str) for v in schema["enum"]))
        assert schema.get("type") != "array" or schema["items"]


@each_tool
def test_every_argument_is_described_in_sentences_and_typed(tool: Declaration):
    for name, schema in tool.arguments.items():
        assert schema["description"].endswith("."), name
        assert schema["type"], name
    assert tool.description.endswith(".") and not tool.title.endswith(".")


@each_tool
def test_every_default_fits_its_own_schema(tool: Declaration):
    for schema in tool.arguments.values():
        if "default" in schema:
            jsonschema.validate(schema["default"], schema)
    assert tool.endpoint.method != "PATCH" or {"uuid", "detail"} >= {
        n for n, s in tool.arguments.items() if "default" in s
    }


@each_tool
def test_the_hints_agree_with_method_and_scope(tool: Declaration):
    hints, method, scope = tool.annotations, tool.endpoint.method, tool.endpoint.scope
    assert hints.read_only_hint == (method == "GET") == bool(scope and scope.endswith(":read"))
    assert not hints.read_only_hint or (
        hints.idempotent_hint and not hints.destructive_hint and not hints.open_world_hint
    )
    assert method not in ("PATCH", "DELETE") or hints.destructive_hint
    assert method != "DELETE" or hints.idempotent_hint
    assert (scope is None) == (tool.endpoint.auth == "session")
    assert not tool.name.endswith(("-list", "-retrieve")) or hints.read_only_hint


@each_tool
def test_what_is_done_instead_may_be_repeated_like_the_call_itself(tool: Declaration):
    assert tool.endpoint.fallback is None or tool.repeatable


@each_tool
def test_every_placeholder_is_an_argument_that_cannot_be_missing(tool: Declaration):
    sure = {*tool.input_schema.get("required", ()), *(n for n, s in tool.arguments.items() if "default" in s)}
    project = {tool.project.argument} if tool.project else set()
    assert set(tool.endpoint.placeholders) <= tool.arguments.keys() & (sure | project)
    assert project <= set(tool.endpoint.placeholders)


@each_tool
@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value)[:20])
def test_no_argument_of_a_path_may_hold_what_could_leave_it(tool: Declaration, value: str):
    for name in tool.endpoint.placeholders:
        assert not Schema(tool.arguments[name]).is_valid(value), name


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value)[:20])
def test_binding_alone_keeps_a_hostile_value_in_its_segment(value: str):
    stays_in_its_segment(value)


@given(some.text())
def test_binding_alone_keeps_any_text_in_its_segment(value: str):
    stays_in_its_segment(value)


def stays_in_its_segment(value: str) -> None:
    try:
        path = expand_path("/api/things/{x}/rest/", {"x": value})
    except InvalidArguments:
        assert value in ("", ".", "..")
        return
    sent = httpx2.URL("https://api.example" + path)
    segments = sent.raw_path.decode().split("/")
    assert segments[:3] == ["", "api", "things"] and segments[4:] == ["rest", ""]
    assert unquote(segments[3]) == value
    assert (sent.host, sent.query, sent.fragment) == ("api.example", b"", "")


@each_tool
def test_rules_and_conditions_name_only_declared_arguments(tool: Declaration):
    for condition in (*(rule.condition for rule in tool.rules), *(part.when for part in tool.confirm)):
        assert named(condition) <= tool.arguments.keys()
    facts = named([part.when for part in tool.done]) - {"arguments", "answer"}
    assert facts <= tool.arguments.keys() | tool.output_schema.get("properties", {}).keys()
    assert tool.endpoint.body_argument is None or tool.endpoint.body_argument in tool.input_schema["required"]


@each_tool
def test_templates_name_only_what_there_is_to_fill_them(tool: Declaration):
    for part in tool.confirm:
        read = declared_at(part.read).output_schema["properties"].keys() if part.read else set()
        assert fields(part.message) <= {f"arguments.{n}" for n in tool.arguments} | {f"answer.{n}" for n in read}
    for hint in tool.hints.values():
        assert fields(hint) <= {"scope", "field"} | {f"arguments.{n}" for n in tool.arguments}


@each_tool
def test_what_a_model_reads_of_a_write_holds_no_text_that_other_people_wrote(tool: Declaration):
    safe = {"arguments.id", "arguments.uuid", "arguments.password_id", "arguments.target_type"}
    safe |= {"answer.id", "answer.target_type", "answer.target_value", "answer.team.id", "scope", "field"}
    for say in (*tool.hints.values(), *(part.message for part in tool.done)):
        assert fields(say) <= safe
        assert "{answer.target_value}" not in say, "only how many, not which"


@each_tool
def test_a_result_that_says_what_was_done_declares_it(tool: Declaration):
    properties = tool.output_schema.get("properties", {})
    assert tool.name in FREE_FORM or bool(tool.done) == ("done" in properties)
    assert tool.read_only or tool.done


@each_tool
def test_hints_are_for_statuses_that_an_api_answers(tool: Declaration):
    for key in tool.hints:
        assert re.fullmatch(r"unknown|4\d\d( [a-z_]+)?", key)
    assert ("unknown" in tool.hints) == (not tool.repeatable), "what may have happened must be found out"
    assert "403" in tool.hints
    assert "404" in tool.hints or not tool.endpoint.placeholders


@each_tool
def test_every_tool_that_a_text_names_exists(tool: Declaration):
    for text in told(tool):
        assert named_tools(text) <= CATALOG.keys()


def test_every_tool_that_the_instructions_name_exists():
    assert named_tools(" ".join(SHARED)) <= CATALOG.keys()


def named_tools(text: str) -> set[str]:
    return set(re.findall(r"\b(?:session-recordings|subscriptions|users)(?:-[a-z0-9]+)+", text))


@each_tool
def test_every_output_names_its_properties_or_is_free_on_purpose(tool: Declaration):
    assert bool(tool.output_schema.get("properties")) == (tool.name not in FREE_FORM)
    properties = tool.output_schema.get("properties", {})
    for name in tool.output_schema.get("required", ()):
        assert properties[name]["type"], "what must be there has a known type"


@each_tool
def test_an_output_promises_nothing_that_a_newer_api_breaks(tool: Declaration):
    for schema in parts(tool.output_schema):
        assert not schema.keys() & {"additionalProperties", "format", "enum", "pattern", "minimum", "maximum"}
        assert isinstance(schema.get("type", ""), str)


@each_tool
def test_no_output_names_a_nested_token(tool: Declaration):
    for schema in parts(tool.output_schema):
        inner = set() if schema is tool.output_schema else schema.get("properties", {}).keys()
        assert not [name for name in inner if re.search(r"token|secret|password|hash", name)]
    assert "api_token" not in compact_json(tool.output_schema)


@each_tool
def test_every_secret_is_a_name_that_can_occur(tool: Declaration):
    known = tool.arguments.keys() | tool.output_schema.get("properties", {}).keys() | tool.documented.keys()
    assert tool.secrets <= known
    assert {
        name for name in tool.arguments if "password" in name and tool.arguments[name]["type"] == "string"
    } <= tool.secrets


@each_tool
def test_pinning_the_project_takes_it_out_of_the_schema_and_says_why(tool: Declaration):
    alone = with_pinned_project(tool)
    assert "project_id" not in alone.arguments
    assert ("project_id" in alone.documented) == (tool.project is not None)


@each_tool
def test_what_cannot_be_undone_is_asked_about(tool: Declaration):
    undone = {"subscriptions-destroy", "users-hedgehog-config-partial-update"}
    harmful = tool.annotations.destructive_hint or tool.annotations.open_world_hint
    assert not harmful or tool.confirm or tool.name in undone | {"session-recordings-sharing-passwords-create"}
    assert tool.confirm == () or not tool.read_only


def test_the_list_of_tools_is_within_its_budget_and_no_longer_than_it_was():
    wires = [tool.to_mcp() for tool in CATALOG.values()]
    bare = [{key: part for key, part in wire.items() if key != "outputSchema"} for wire in wires]
    assert len(compact_json(bare)) <= WITHOUT_OUTPUT <= 26_000
    assert len(compact_json(wires)) <= WITH_OUTPUT <= 36_000
