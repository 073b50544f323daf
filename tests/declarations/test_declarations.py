"""Checks of every file in tools/: the rules for all declarations, and facts about the 18 tools of the API page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import httpx2
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as some

from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.files import read_server_file
from core13_mcp.declarations.model import Declaration
from core13_mcp.declarations.rules import rule_problems
from core13_mcp.declarations.schema import Schema
from core13_mcp.errors import InvalidArguments
from core13_mcp.jsonio import compact_json
from core13_mcp.pipeline.bind import expand_path
from core13_mcp.templates.language import paths

CATALOG = load()
PAGE = {entry["tool"]: entry for entry in json.loads((Path(__file__).parent / "page.json").read_text("utf-8"))}
ON_PAGE = [tool for tool in CATALOG.values() if tool.name in PAGE]

# Their results are objects whose property names the API does not fix.
FREE_FORM = {"users-hedgehog-config-retrieve", "users-hedgehog-config-partial-update"}

# Characters of tools/list as compact JSON, without and with output schemas, of the tools of the page. Lower them when
# the list gets shorter.
MAX_WITHOUT_OUTPUT, MAX_WITH_OUTPUT = 23_500, 29_000

# They change without a change of the effect, so no question reads them: an answer would be refused as outdated.
VOLATILE = {"next_delivery_date", "updated_at", "created_at"}

HOSTILE = [
    "", ".", "..", "/", "a/b", "../users", "..%2F", "%2F", "%2e%2e", "?", "a?b=c", "#", "a#b", ";", "\\", "..\\..",
    "a b", "\t", "\n", "a\r\nHost: x", "\x00", "\x1f", "\x7f", "@", "@me/", "@me\n", "@current/..", "\u2044", "\uff0f", "\u202e",
    "é", "a" * 10_000, "1" * 10_000,
]  # fmt: skip

each_tool = pytest.mark.parametrize("tool", CATALOG.values(), ids=lambda tool: tool.name)
each_tool_of_the_page = pytest.mark.parametrize("tool", ON_PAGE, ids=lambda tool: tool.name)


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


@each_tool
def test_every_declaration_follows_the_rules(tool: Declaration):
    assert [str(problem) for problem in rule_problems(tool, CATALOG)] == []


def test_there_is_one_tool_for_each_endpoint_of_the_page():
    assert [tool.name for tool in ON_PAGE] == sorted(PAGE)


@each_tool_of_the_page
def test_method_path_and_parameters_match_the_page(tool: Declaration):
    entry = PAGE[tool.name]
    assert (tool.endpoint.method, tool.endpoint.path) == (entry["method"], entry["path"])
    assert set(tool.endpoint.placeholders) == set(entry["path_parameters"])
    parameters = {*entry["path_parameters"], *entry["query_parameters"], *entry["body_parameters"]}
    # Each one is an argument, or there is a reason why the tool does not accept it.
    assert parameters <= tool.arguments.keys() | tool.documented.keys()


@each_tool
def test_an_independent_validator_accepts_every_schema(tool: Declaration):
    conditions = [rule.when for rule in tool.rules] + [part.when for part in (*tool.confirm, *tool.done)]
    for schema in (tool.input_schema, tool.output_schema, *conditions):
        jsonschema.Draft202012Validator.check_schema(schema)


@each_tool_of_the_page
def test_exactly_the_get_requests_read_and_have_a_read_scope(tool: Declaration):
    scope = tool.endpoint.scope
    assert tool.read_only == (tool.endpoint.method == "GET") == bool(scope and scope.endswith(":read"))


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
def test_a_question_reads_only_declared_properties_that_do_not_change_by_themselves(tool: Declaration):
    for part in tool.confirm:
        read = tool_that_reads(part.read).output_schema["properties"].keys() if part.read else set()
        answers = {name for name in paths(part.message) | paths(part.title or "") if name.startswith("answer.")}
        assert answers <= {f"answer.{name}" for name in read - VOLATILE}


@each_tool_of_the_page
def test_hints_and_done_notes_contain_no_text_from_other_people(tool: Declaration):
    safe = {"arguments.id", "arguments.uuid", "arguments.password_id", "arguments.target_type"}
    safe |= {"arguments.dashboard_export_insights", "answer.access_token", "origin", *tool.derive}
    safe |= {"answer.id", "answer.target_type", "answer.target_value", "answer.team.id", "scope", "field"}
    for text in (*tool.hints.values(), *(part.message for part in tool.done)):
        assert paths(text) <= safe
        assert "{answer.target_value}" not in text, "the number of recipients only"


def test_every_tool_that_the_instructions_or_a_declaration_mention_exists():
    texts = [*read_server_file("instructions.json"), *(text for tool in CATALOG.values() for text in texts_of(tool))]
    names = re.findall(r"\b(?:session-recordings|subscriptions|users)(?:-[a-z0-9]+)+", " ".join(texts))
    assert names and set(names) <= CATALOG.keys()


@each_tool_of_the_page
def test_every_output_schema_declares_its_properties(tool: Declaration):
    assert bool(tool.output_schema.get("properties")) == (tool.name not in FREE_FORM)


@each_tool_of_the_page
def test_a_tool_with_recipients_masks_them(tool: Declaration):
    texts = [compact_json(tool.output_schema), *tool.arguments, *(part.message for part in tool.confirm)]
    assert ("target_value" in " ".join(texts)) == ("target_value" in tool.mask)


@each_tool_of_the_page
def test_effects_that_cannot_be_undone_are_confirmed(tool: Declaration):
    reversible = {"subscriptions-destroy", "users-hedgehog-config-partial-update"}
    harmful = tool.annotations.destructive_hint or tool.annotations.open_world_hint
    assert not harmful or tool.confirm or tool.name in reversible | {"session-recordings-sharing-passwords-create"}


def test_the_list_of_tools_is_within_its_budget():
    definitions = [tool.to_mcp() for tool in ON_PAGE]
    inputs = [{key: part for key, part in definition.items() if key != "outputSchema"} for definition in definitions]
    assert len(compact_json(inputs)) <= MAX_WITHOUT_OUTPUT <= 26_000
    assert len(compact_json(definitions)) <= MAX_WITH_OUTPUT <= 36_000
