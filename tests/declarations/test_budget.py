"""Results of the real tools: within the budget, valid against the output schema, and without lost rows."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as some

from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.model import Declaration
from core13_mcp.jsonio import compact_json
from core13_mcp.pipeline.projection import CallResult, project_response
from core13_mcp.pipeline.tolerance import Reply

# The minimum of CORE13_MAX_RESULT_CHARS.
MIN_BUDGET = 1000

PLAIN_NAME = re.compile(r"[A-Za-z0-9_]{1,40}")

CATALOG = load()
EXAMPLES = {"string": "x" * 20, "integer": 1, "boolean": False, "array": [], "object": {}}
LISTS = [tool for tool in CATALOG.values() if "results" in tool.output_schema.get("properties", {})]
OBJECTS = [tool for tool in CATALOG.values() if tool not in LISTS and tool.output_schema.get("properties")]

budgets = some.integers(MIN_BUDGET, 6000)
details = some.sampled_from(["concise", "full"])
values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=900),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=60), inner, max_size=4),
    max_leaves=12,
)

by_name: Any = {"ids": lambda tool: tool.name}


@some.composite
def objects(draw: some.DrawFn, schema: dict[str, Any], evidence: str | None) -> dict[str, Any]:
    """A possible response: the value that shows the effect, some declared properties, and some that are not declared."""
    properties = schema["properties"]
    shown = {evidence: EXAMPLES[properties[evidence].get("type", "string")]} if evidence else {}
    optional = sorted(name for name, part in properties.items() if not part.keys() & {"type", "properties"})
    names = draw(some.sets(some.sampled_from(optional))) if optional else ()
    undeclared = draw(some.dictionaries(some.text(min_size=1, max_size=90).map("x_".__add__), values, max_size=12))
    return {**undeclared, **{name: draw(values) for name in names}, **shown}


def checked(tool: Declaration, call_result: CallResult, budget: int) -> dict[str, Any]:
    """The value of a result that is within the budget and valid."""
    result, text = call_result
    assert len(text) <= budget
    assert json.loads(text) == result
    assert text == compact_json(result)
    jsonschema.validate(result, tool.output_schema)
    return result


@pytest.mark.parametrize("tool", OBJECTS, **by_name)
@run(max_examples=20)
@given(data=some.data(), budget=budgets, detail=details)
def test_an_object_fits_the_budget_and_names_omitted_properties(
    tool: Declaration, data: some.DataObject, budget: int, detail: str
):
    response = data.draw(objects(tool.output_schema, tool.evidence.field if tool.evidence else None))
    result = checked(
        tool, project_response(tool, Reply(200, "GET", response), {"detail": detail, "id": 1}, budget), budget
    )
    complete = project_response(tool, Reply(200, "GET", response), {"detail": detail, "id": 1}, 10**9).value
    omitted = sorted(complete.keys() - result.keys())
    assert ("omitted" in result) == bool(omitted)
    assert len(omitted) > 8 or all(name in result["omitted"] for name in omitted if PLAIN_NAME.fullmatch(name))


@pytest.mark.parametrize("tool", LISTS, **by_name)
@run(max_examples=40)
@given(data=some.data(), budget=budgets, detail=details, size=some.integers(1, 7))
def test_paging_yields_every_row_once_and_in_order(
    tool: Declaration, data: some.DataObject, budget: int, detail: str, size: int
):
    row = tool.output_schema["properties"]["results"]["items"]
    assert tool.evidence and tool.evidence.row
    key = tool.evidence.row
    stored = data.draw(some.lists(objects(row, key), max_size=12))
    for number, entry in enumerate(stored):
        entry[key] = number if isinstance(entry[key], int) else str(number)
    keys: list[Any] = []
    offset: int | None = 0
    for _ in range(len(stored) + 1):
        assert offset is not None
        page = {"count": len(stored), "next": "https://api.example/", "results": stored[offset : offset + size]}
        result = checked(
            tool, project_response(tool, Reply(200, "GET", page), {"detail": detail, "offset": offset}, budget), budget
        )
        keys += [entry[key] for entry in result["results"]]
        offset = result.get("next_offset")
        if offset is None:
            break
    assert offset is None, "paging ends"
    assert keys == [entry[key] for entry in stored]


def test_all_rows_are_paged_even_if_the_count_is_too_low():
    (tool,) = [tool for tool in LISTS if tool.project]
    rows = [{"id": number, "title": "x" * 400} for number in range(5)]
    page = project_response(tool, Reply(200, "GET", {"count": 1, "results": rows}), {}, MIN_BUDGET).value
    assert page["next_offset"] == len(page["results"]) < 5


@pytest.mark.parametrize("tool", LISTS, **by_name)
def test_a_list_contains_no_url_of_the_api(tool: Declaration):
    page = {"count": 9, "next": "https://api.example/?offset=1", "previous": "https://api.example/", "results": []}
    for detail in ("concise", "full"):
        assert "https://" not in project_response(tool, Reply(200, "GET", page), {"detail": detail}, MIN_BUDGET).text
