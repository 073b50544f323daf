from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core13_mcp.jsonio import compact_json
from core13_mcp.pipeline.projection import project, project_response, truncate

from ..factories import make_tool

ROW: dict[str, Any] = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {}}, "required": ["id"]}
PAGE = {
    "type": "object",
    "properties": {"count": {}, "results": {"type": "array", "items": ROW}},
    "required": ["count", "results"],
}
ONE = make_tool(output={**ROW, "properties": {**ROW["properties"], "done": {"type": "string"}}})
MANY = make_tool(path="/api/things/", output=PAGE)


def shaped(answer: Any, max_chars: int = 1000, tool: Any = ONE, **arguments: Any) -> dict[str, Any]:
    return project_response(tool, answer, arguments, max_chars).value


@pytest.mark.parametrize(
    ("schema", "value", "kept"),
    [
        (ROW, {"id": 1, "name": "x", "other": 2}, {"id": 1, "name": "x"}),
        (ROW, {"id": None, "name": None}, {"id": None}),
        (ROW, {"id": 1, "name": ""}, {"id": 1}),
        (ROW, {"id": 1, "name": []}, {"id": 1}),
        (ROW, {"id": 1, "name": {}}, {"id": 1}),
        (ROW, {"id": 1, "name": 0}, {"id": 1, "name": 0}),
        (ROW, {"id": 1, "name": False}, {"id": 1, "name": False}),
        ({"properties": {"in": ROW}}, {"in": {"id": 1, "x": 2}}, {"in": {"id": 1}}),
        ({"properties": {"in": ROW}}, {"in": "text"}, {"in": "text"}),
        ({"items": ROW}, [{"id": 1, "x": 2}, {"id": 3}], [{"id": 1}, {"id": 3}]),
        ({"type": "object"}, {"any": None}, {"any": None}),
    ],
)
def test_a_result_keeps_what_the_schema_names_and_drops_what_says_nothing(schema, value, kept):
    assert project(schema, value) == kept


def test_full_detail_keeps_everything():
    assert shaped({"id": 1, "name": None, "other": []}, detail="full") == {"id": 1, "name": None, "other": []}


@pytest.mark.parametrize(
    ("answer", "done"), [({"id": 7}, "Made 7."), ({"id": 8}, "Made something."), (None, "Made something.")]
)
def test_a_write_says_what_it_did(answer, done):
    when = {"properties": {"answer": {"properties": {"id": {"const": 7}}, "required": ["id"]}}}
    tool = make_tool(
        "POST", done=[{"when": when, "say": "Made {answer.id}."}, {"say": "Made something."}], output=ONE.output_schema
    )
    assert project_response(tool, answer, {}, 1000).value["done"] == done


def test_the_last_page_says_no_next_offset():
    page = shaped({"count": 2, "next": None, "previous": None, "results": [{"id": 1}, {"id": 2}]}, tool=MANY)
    assert page == {"count": 2, "results": [{"id": 1}, {"id": 2}]}


def test_a_page_says_where_the_next_one_starts():
    page = shaped({"count": 9, "next": "https://x/?offset=4", "results": [{"id": 3}, {"id": 4}]}, tool=MANY, offset=2)
    assert page == {"count": 9, "next_offset": 4, "results": [{"id": 3}, {"id": 4}]}


def test_an_empty_page_past_the_end_leads_nowhere():
    assert shaped({"count": 9, "results": []}, tool=MANY, offset=50) == {"count": 9, "results": []}


def test_rows_that_do_not_fit_come_with_the_next_page():
    rows = [{"id": n, "name": "x" * 100} for n in range(20)]
    page = shaped({"count": 20, "results": rows}, max_chars=600, tool=MANY)
    assert page["next_offset"] == len(page["results"]) < 20
    assert len(compact_json(page)) <= 600


def test_one_row_that_is_too_long_alone_is_shortened_so_that_paging_moves_on():
    rows = [{"id": 1, "name": "x" * 5000}, {"id": 2}]
    page = shaped({"count": 2, "results": rows}, max_chars=1000, tool=MANY)
    assert page["next_offset"] == 1
    assert page["results"][0]["id"] == 1 and page["results"][0]["omitted"].startswith("name: too long")
    assert len(compact_json(page)) <= 1000


@pytest.mark.parametrize("answer", [{"results": "none", "count": 1}, {"results": [1], "count": 1}, {"results": []}])
def test_what_only_looks_like_a_page_is_an_object(answer):
    assert project_response(make_tool(), answer, {}, 1000).value == answer


def test_an_object_that_is_too_long_loses_its_longest_fields_and_says_which():
    whole = {"id": 1, "a": "x" * 400, "b": "y" * 300, "c": "z"}
    less = truncate(whole, 500, keep={"id"}, remedy="ask for less").value
    assert less == {"id": 1, "b": "y" * 300, "c": "z", "omitted": "a: too long for one result; ask for less."}


def test_many_left_out_fields_are_counted_rather_than_listed():
    less = truncate({f"field{n}": "x" * 100 for n in range(30)}, 400, keep=set(), remedy="ask for less").value
    assert " and 2" in less["omitted"] and " more: too long" in less["omitted"]


def test_what_must_stay_stays_even_where_it_does_not_fit():
    assert truncate({"id": "x" * 100, "name": "y"}, 50, keep={"id"}, remedy="").value == {"id": "x" * 100}


def test_the_remedy_depends_on_what_was_asked():
    long = {"id": 1, "name": "x" * 5000}
    assert "CORE13_MAX_RESULT_CHARS" in shaped(long)["omitted"]
    assert "detail=concise" in shaped(long, detail="full")["omitted"]


rows = some.lists(some.fixed_dictionaries({"id": some.integers(), "name": some.text(max_size=300)}), max_size=30)


@given(rows, some.integers(1000, 5000), some.integers(0, 100))
def test_every_page_fits_the_budget_and_paging_reaches_every_row(found, budget, offset):
    seen: list[Any] = []
    while True:
        page = shaped(
            {"count": offset + len(found), "results": found[len(seen) :]}, budget, MANY, offset=offset + len(seen)
        )
        assert len(compact_json(page)) <= budget
        seen += page["results"]
        if "next_offset" not in page:
            break
        assert page["next_offset"] == offset + len(seen)
    assert [row["id"] for row in seen] == [row["id"] for row in found]


@given(some.dictionaries(some.text(max_size=10), some.text(max_size=400) | some.lists(some.integers()), max_size=20))
def test_an_object_whose_fields_may_all_go_always_fits(found):
    assert len(project_response(make_tool(), found, {"detail": "full"}, 1000).text) <= 1000


def test_compact_is_json_in_as_few_characters_as_there_are():
    assert compact_json({"a": [1, "é"]}) == '{"a":[1,"é"]}'
    assert json.loads(compact_json({"a": [1, "é"]})) == {"a": [1, "é"]}
