from __future__ import annotations

import pytest

from core13_mcp.errors import InvalidArguments
from core13_mcp.pipeline.call import plan

from ..factories import PROJECT, make_tool

IN_PROJECT = "/api/projects/{project_id}/things/"
PROPERTIES = {"project_id": {"type": "integer"}, "name": {"type": "string"}}
CREATE = make_tool("POST", IN_PROJECT, project=PROJECT, properties=PROPERTIES)


def test_a_plan_is_the_request_that_a_call_would_send() -> None:
    request = plan(CREATE, {"project_id": "3", "name": "x"})
    assert (request.method, request.path, request.body) == ("POST", "/api/projects/3/things/", {"name": "x"})
    assert plan(CREATE, {}, project_id=9).path == "/api/projects/9/things/"


def test_a_call_with_invalid_arguments_or_without_a_project_has_no_plan() -> None:
    with pytest.raises(InvalidArguments, match="2 invalid arguments"):
        plan(CREATE, {"name": 1})
