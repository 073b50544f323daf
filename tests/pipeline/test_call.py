from __future__ import annotations

from typing import Any

import pytest

from core13_mcp.api.credentials import Credentials
from core13_mcp.declarations.model import Declaration
from core13_mcp.errors import InvalidArguments
from core13_mcp.keys import SecretStr
from core13_mcp.pipeline.call import plan, prepare

from ..factories import PROJECT, make_tool
from ..fake_api import FakeAPI, call_context, reply

IN_PROJECT = "/api/projects/{project_id}/things/"
PROPERTIES = {"project_id": {"type": "integer"}, "name": {"type": "string"}}
LIST = make_tool("GET", IN_PROJECT, project=PROJECT, properties=PROPERTIES)
CREATE = make_tool("POST", IN_PROJECT, project=PROJECT, properties=PROPERTIES)


@pytest.mark.parametrize(
    ("tool", "arguments", "pinned", "project"),
    [
        (LIST, {"project_id": 3}, None, 3),
        (LIST, {"project_id": "3"}, 9, 3),
        (LIST, {}, 9, 9),
        (LIST, {}, None, "@current"),
        (LIST, {"project_id": "not a number"}, None, "@current"),
        (CREATE, {"project_id": 3}, 9, 3),
        (CREATE, {}, 9, 9),
        (CREATE, {}, None, None),
        (make_tool(), {"id": 1}, 9, None),
    ],
)
def test_the_project_of_a_call_is_in_its_arguments_or_pinned_or_the_current_one(
    tool: Declaration, arguments: dict[str, Any], pinned: int | None, project: Any
) -> None:
    assert prepare(tool, arguments, call_context(FakeAPI(reply()), project_id=pinned)).project == project


def test_the_secrets_of_a_call_are_the_credentials_and_the_secret_arguments() -> None:
    tool = make_tool("POST", properties={"pin": {"type": "string"}, "note": {"type": "string"}}, secrets=["pin"])
    context = call_context(FakeAPI(reply()), credentials=Credentials(SecretStr("the-key"), SecretStr("the-session")))
    call = prepare(tool, {"pin": "12\u200b3456", "note": "x"}, context)
    assert call.secrets == ("the-key", "the-session", "12\u200b3456", "123456")


def test_a_plan_is_the_request_that_a_call_would_send() -> None:
    request = plan(CREATE, {"project_id": "3", "name": "x"})
    assert (request.method, request.path, request.body) == ("POST", "/api/projects/3/things/", {"name": "x"})
    assert plan(CREATE, {}, project_id=9).path == "/api/projects/9/things/"


def test_a_call_with_invalid_arguments_or_without_a_project_has_no_plan() -> None:
    with pytest.raises(InvalidArguments, match="2 invalid arguments"):
        plan(CREATE, {"name": 1})
