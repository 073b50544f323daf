"""No result is longer than the budget, none breaks its promise, and none loses a row: over the real declarations."""

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

SMALLEST = 1000
"""The least that CORE13_MAX_RESULT_CHARS may be."""

PLAIN = re.compile(r"[A-Za-z0-9_]{1,40}")

CATALOG = load()
MADE_UP = {"string": "x" * 20, "integer": 1, "boolean": False, "array": [], "object": {}}
LISTS = [tool for tool in CATALOG.values() if "results" in tool.output_schema.get("properties", {})]
OBJECTS = [tool for tool in CATALOG.values() if tool not in LISTS and tool.output_schema.get("properties")]

budgets = some.integers(SMALLEST, 6000)
details = some.sampled_from(["concise", "full"])
values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=900),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=60), inner, max_size=4),
    max_leaves=12,
)

by_name: Any = {"ids": lambda tool: tool.name}


@some.composite
def objects(draw: some.DrawFn, schema: dict[str, Any]) -> dict[str, Any]:
    """What an API may answer under a schema: the promised fields, some of the named, some that nobody knows."""
    named = {name: part for name, part in schema["properties"].items() if "type" not in part}
    promised = {name: MADE_UP[schema["properties"][name]["type"]] for name in schema.get("required", ())}
    known = {
        name: draw(values) for name in draw(some.sets(some.sampled_from(sorted(named)) if named else some.nothing()))
    }
    strange = draw(some.dictionaries(some.text(min_size=1, max_size=90).map("x_".__add__), values, max_size=12))
    nested = {name: part for name, part in known.items() if "properties" not in named[name]}
    return {**strange, **nested, **promised}


def held(tool: Declaration, shaped: CallResult, budget: int) -> dict[str, Any]:
    result, text = shaped
    assert len(text) <= budget
    assert json.loads(text) == result
    assert text == compact_json(result)
    jsonschema.validate(result, tool.output_schema)
    return result


@pytest.mark.parametrize("tool", OBJECTS, **by_name)
@run(max_examples=20, deadline=None)
@given(data=some.data(), budget=budgets, detail=details)
def test_an_object_fits_the_budget_and_names_what_it_left_out(
    tool: Declaration, data: some.DataObject, budget: int, detail: str
):
    found = data.draw(objects(tool.output_schema))
    result = held(tool, project_response(tool, found, {"detail": detail, "id": 1}, budget), budget)
    roomy = project_response(tool, found, {"detail": detail, "id": 1}, 10**9).value
    gone = sorted(roomy.keys() - result.keys())
    assert ("omitted" in result) == bool(gone)
    assert len(gone) > 8 or all(name in result["omitted"] for name in gone if PLAIN.fullmatch(name))


@pytest.mark.parametrize("tool", LISTS, **by_name)
@run(max_examples=40, deadline=None)
@given(data=some.data(), budget=budgets, detail=details, size=some.integers(1, 7))
def test_paging_yields_every_row_once_and_in_order(
    tool: Declaration, data: some.DataObject, budget: int, detail: str, size: int
):
    row = tool.output_schema["properties"]["results"]["items"]
    stored = data.draw(some.lists(objects(row), max_size=12))
    key = row["required"][0]
    for number, found in enumerate(stored):
        found[key] = number if isinstance(found[key], int) else str(number)
    seen: list[Any] = []
    offset: int | None = 0
    for _ in range(len(stored) + 1):
        assert offset is not None
        page = {"count": len(stored), "next": "https://api.example/", "results": stored[offset : offset + size]}
        result = held(tool, project_response(tool, page, {"detail": detail, "offset": offset}, budget), budget)
        seen += [found[key] for found in result["results"]]
        offset = result.get("next_offset")
        if offset is None:
            break
    assert offset is None, "paging ends"
    assert seen == [found[key] for found in stored]


def test_a_count_that_is_too_low_hides_no_row():
    (tool,) = [tool for tool in LISTS if tool.project]
    rows = [{"id": number, "title": "x" * 400} for number in range(5)]
    page = project_response(tool, {"count": 1, "results": rows}, {}, SMALLEST).value
    assert page["next_offset"] == len(page["results"]) < 5


@pytest.mark.parametrize("tool", LISTS, **by_name)
def test_a_list_never_hands_on_a_url_of_the_api(tool: Declaration):
    page = {"count": 9, "next": "https://api.example/?offset=1", "previous": "https://api.example/", "results": []}
    for detail in ("concise", "full"):
        assert "https://" not in project_response(tool, page, {"detail": detail}, SMALLEST).text
