"""A response with new, missing or retyped fields still produces a result that matches the output schema."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.model import Declaration
from core13_mcp.pipeline.projection import project_response
from core13_mcp.pipeline.tolerance import Reply

from ..factories import make_tool

CATALOG = load()
JSON_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
ROWS = {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "integer"}, "name": {}}}}
OUTPUT = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "on": {"type": "boolean"}, "name": {}, "rows": ROWS},
}
TOOL = make_tool(output=OUTPUT, evidence={"status": [200], "field": "id"})


def value(response: Any, tool: Declaration = TOOL, detail: str = "concise") -> dict[str, Any]:
    return project_response(tool, Reply(200, "GET", response), {"detail": detail}, 40_000).value


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ({"id": 1, "new": 2}, {"id": 1}),
        ({"id": 1, "on": None}, {"id": 1}),
        (
            {"id": 1, "on": "yes", "name": "n"},
            {"id": 1, "name": "n", "note": "The API returned these fields in an unexpected form: on: “'yes'”."},
        ),
        (
            {"id": 1, "rows": [{"id": True}, "x", {"id": 2, "name": "n"}]},
            {
                "id": 1,
                "rows": [{}, {"id": 2, "name": "n"}],
                "note": "The API returned these fields in an unexpected form: rows: “'x'”, rows.id: “true”.",
            },
        ),
        ({"name": "n"}, {"name": "n", "note": "The API answered in an unexpected form: “{'name':'n'}”."}),
        ([1], {"note": "The API answered in an unexpected form: “[1]”."}),
        ("text", {"note": "The API answered in an unexpected form: “'text'”."}),
        (None, {"note": "The API answered in an unexpected form: an empty body."}),
    ],
    ids=["new", "null", "retyped", "rows", "missing", "list", "text", "nothing"],
)
def test_known_fields_are_shown_and_the_rest_is_mentioned(response: Any, expected: dict[str, Any]) -> None:
    assert value(response) == expected


def test_the_remark_lists_at_most_ten_fields() -> None:
    response = {"id": 1, "rows": [str(number) for number in range(15)]}
    assert value(response)["note"].endswith(" and 5 more.")


@pytest.mark.parametrize("response", [['"' * 5000], {"id": 1, "rows": ["x" * 90] * 15}], ids=["text", "fields"])
def test_the_remark_leaves_room_in_the_smallest_result(response: Any) -> None:
    result = project_response(TOOL, Reply(200, "GET", response), {}, 1000)
    assert len(result.text) <= 1000 and "unexpected form" in result.value["note"]


def test_a_page_keeps_the_rows_that_have_the_expected_form() -> None:
    page = {"type": "object", "properties": {"count": {"type": "integer"}, "results": ROWS}}
    result = value({"count": "2", "results": [{"id": 1}, 7]}, make_tool(output=page))
    assert result["results"] == [{"id": 1}]
    assert "count: “'2'”" in result["note"] and "results: “7”" in result["note"]


@given(data=st.data(), detail=st.sampled_from(["concise", "full"]))
@pytest.mark.parametrize("name", CATALOG)
def test_every_result_matches_the_output_schema_whatever_the_api_returns(name: str, data: Any, detail: str) -> None:
    tool = CATALOG[name]
    names = [*tool.output_schema.get("properties", {"color": {}}), "new"]
    response = data.draw(st.dictionaries(st.sampled_from(names), JSON_VALUE, max_size=6) | JSON_VALUE)
    result = value(response, tool, detail)
    jsonschema.validate(result, tool.output_schema)
