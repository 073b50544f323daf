from __future__ import annotations

import pytest

from core13_mcp.errors import InvalidArguments
from core13_mcp.pipeline.bind import bind, expand_path, fallback_request, with_defaults

from ..factories import PROJECT, make_tool

ANY: dict[str, object] = {"id": {}, "name": {}, "detail": {}}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_what_the_path_does_not_name_is_the_query_of_a_read_or_delete(method):
    request = bind(make_tool(method, properties=ANY), {"id": 3, "name": "x", "detail": "full"}, {})
    assert (request.path, request.query, request.body) == ("/api/things/3/", {"name": "x"}, None)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_what_the_path_does_not_name_is_the_body_of_a_write(method):
    request = bind(make_tool(method, properties=ANY), {"id": 3, "name": None, "detail": "full"}, {})
    assert (request.path, request.query, request.body) == ("/api/things/3/", {}, {"name": None})


def test_a_write_with_nothing_to_say_has_no_body():
    assert bind(make_tool("POST"), {"id": 3}, {}).body is None


def test_one_argument_may_be_the_whole_body():
    tool = make_tool("PATCH", properties=ANY, endpoint={"whole": "name"})
    assert bind(tool, {"id": 3, "name": {"a": 1}}, {}).body == {"a": 1}


def test_the_context_fills_the_path_and_is_not_sent_again():
    tool = make_tool("POST", "/api/projects/{project_id}/things/", project=PROJECT, properties=ANY)
    request = bind(tool, {"name": "x"}, {"project_id": "@current"})
    assert (request.path, request.body) == ("/api/projects/@current/things/", {"name": "x"})


def test_declared_defaults_are_sent_unless_something_else_is_given():
    tool = make_tool(properties={"id": {}, "limit": {"default": 20}, "detail": {"default": "concise"}})
    assert bind(tool, with_defaults(tool, {"id": 1}), {}).query == {"limit": 20}
    assert bind(tool, with_defaults(tool, {"id": 1, "limit": 5}), {}).query == {"limit": 5}


def test_a_request_may_be_repeated_as_its_hints_say():
    assert [bind(make_tool(method), {"id": 1}, {}).repeatable for method in ("GET", "PATCH", "POST")] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("value", "segment"), [(7, "7"), (7.0, "7"), ("@me", "@me"), ("a b/c?d#e", "a%20b%2Fc%3Fd%23e"), ("%2e", "%252e")]
)
def test_a_value_is_written_into_its_segment(value, segment):
    assert expand_path("/api/{id}/", ("id",), {"id": value}) == f"/api/{segment}/"


@pytest.mark.parametrize("value", ["", ".", "..", None])
def test_a_value_that_no_quoting_makes_safe_is_refused(value):
    with pytest.raises(InvalidArguments, match="nothing was sent") as caught:
        expand_path("/api/{id}/", ("id",), {"id": value})
    assert caught.value.details["field"] == "id"


def test_what_is_sent_instead_goes_to_the_same_path_without_a_query():
    tool = make_tool(
        "DELETE", endpoint={"instead": {"status": 405, "method": "PATCH", "body": {"deleted": True}}}, properties=ANY
    )
    first = bind(tool, {"id": 3, "name": "x"}, {})
    second = fallback_request(tool.endpoint, first, 405)
    assert second is not None
    assert (second.method, second.path, second.query, second.body) == ("PATCH", first.path, {}, {"deleted": True})
    assert fallback_request(tool.endpoint, first, 404) is None
    assert fallback_request(make_tool().endpoint, first, 405) is None
