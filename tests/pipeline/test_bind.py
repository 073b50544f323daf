from __future__ import annotations

from typing import Any

import pytest

from core13_mcp.errors import InvalidArguments
from core13_mcp.pipeline.bind import bind, expand_path

from ..factories import make_tool

ANY: dict[str, object] = {"id": {}, "name": {}, "detail": {}}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_arguments_outside_the_path_are_the_query_of_a_get_or_delete(method: str) -> None:
    request = bind(make_tool(method, properties=ANY), {"id": 3, "name": "x", "detail": "full"}, None)
    assert (request.path, request.query, request.body) == ("/api/things/3/", {"name": "x"}, None)


def test_an_object_in_a_query_is_json_text_and_a_list_has_one_value_for_each_item() -> None:
    arguments = {"id": 3, "name": [{"a": [1]}, "x"], "filter": {"a": "b"}}
    request = bind(make_tool("GET", properties={**ANY, "filter": {}}), arguments, None)
    assert request.query == {"name": ['{"a":[1]}', "x"], "filter": '{"a":"b"}'}


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_arguments_outside_the_path_are_the_body_of_a_post_or_patch(method: str) -> None:
    request = bind(make_tool(method, properties=ANY), {"id": 3, "name": None, "detail": "full"}, None)
    assert (request.path, request.query, request.body) == ("/api/things/3/", {}, {"name": None})


def test_a_write_without_other_arguments_has_no_body() -> None:
    assert bind(make_tool("POST"), {"id": 3}, None).body is None


def test_one_argument_can_be_the_whole_body() -> None:
    tool = make_tool("PATCH", properties=ANY, endpoint={"whole": "name"})
    assert bind(tool, {"id": 3, "name": {"a": 1}}, None).body == {"a": 1}


@pytest.mark.parametrize(("method", "repeatable"), [("GET", True), ("PATCH", True), ("POST", False)])
def test_the_annotations_of_a_tool_say_whether_its_request_is_repeatable(method: str, repeatable: bool) -> None:
    assert bind(make_tool(method), {"id": 1}, None).repeatable is repeatable


@pytest.mark.parametrize(
    ("value", "segment"), [(7, "7"), (7.0, "7"), ("@me", "@me"), ("a b/c?d#e", "a%20b%2Fc%3Fd%23e"), ("%2e", "%252e")]
)
def test_a_value_in_the_path_is_quoted(value: Any, segment: str) -> None:
    assert expand_path("/api/{id}/", {"id": value}) == f"/api/{segment}/"


@pytest.mark.parametrize("value", ["", ".", "..", None])
def test_a_value_that_would_change_the_path_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArguments, match="nothing was sent") as caught:
        expand_path("/api/{id}/", {"id": value})
    assert caught.value.details["field"] == "id"
