"""One call, from its arguments to its result."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from core13_mcp.declarations.model import Declaration
from core13_mcp.errors import Declined, InvalidArguments, Refused, Unreadable
from core13_mcp.pipeline.call import prepare
from core13_mcp.pipeline.confirm import Answer, Policy
from core13_mcp.pipeline.execution import Execution
from core13_mcp.pipeline.question import Question

from ..factories import PROJECT, make_tool
from ..fake_api import KEY, FakeAPI, Reply, call_context, call_error, call_value, fail_with, reply

pytestmark = pytest.mark.anyio

IN_PROJECT = "/api/projects/{project_id}/things/"
PROPERTIES = {"project_id": {"type": "integer"}, "name": {"type": "string"}, "detail": {"type": "string"}}
LIST = make_tool("GET", IN_PROJECT, project=PROJECT, properties=PROPERTIES)
CREATE = make_tool("POST", IN_PROJECT, project=PROJECT, properties=PROPERTIES)
ME = reply(200, {"team": {"id": 5, "name": 'A "quoted"\nname'}})
OK = reply(200, {"id": 1})
DEEP: list[Any] = []
for _ in range(70):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("tool", "arguments", "pinned", "line"),
    [
        (LIST, {}, None, "GET /api/projects/@current/things/"),
        (CREATE, {"project_id": 3, "name": "x"}, None, "POST /api/projects/3/things/"),
        (CREATE, {"name": "x"}, 9, "POST /api/projects/9/things/"),
    ],
)
async def test_a_call_uses_its_project_or_the_pinned_one_and_a_read_otherwise_the_current_one(
    tool: Declaration, arguments: dict[str, Any], pinned: int | None, line: str
) -> None:
    api = FakeAPI(OK)
    await Execution(prepare(tool, arguments, call_context(api, project_id=pinned))).run()
    assert api.request_lines == [line]
    assert tool is LIST or api.requests[0].content == b'{"name":"x"}'


async def test_a_write_without_a_project_is_refused_with_the_current_project() -> None:
    api = FakeAPI(ME)
    error = await call_error(CREATE, api, name="x")
    assert isinstance(error, InvalidArguments)
    assert "project_id=5" in str(error) and "nothing was sent" in str(error)
    assert "A 'quoted' name" in str(error)
    assert api.request_lines == ["GET /api/users/@me/"]


@pytest.mark.parametrize("lookup", [reply(401, {}), fail_with(httpx2.ConnectError), reply(200, {"team": None})])
async def test_a_write_without_a_project_is_refused_if_the_current_project_is_unknown(lookup: Reply) -> None:
    error = await call_error(CREATE, FakeAPI(lookup), name="x")
    assert isinstance(error, InvalidArguments) and "project_id: missing" in str(error)


async def test_one_error_lists_the_missing_project_and_all_invalid_arguments() -> None:
    text = str(await call_error(CREATE, FakeAPI(ME), name=3, nmae="x"))
    assert "3 invalid arguments" in text and "project_id: missing" in text and 'Did you mean "name"?' in text


async def test_arguments_are_normalized_before_they_are_validated() -> None:
    api = FakeAPI(OK)
    await call_value(LIST, api, project_id="3", name=None)
    assert api.request_lines == ["GET /api/projects/3/things/"]


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "\ud800", 10**5000, DEEP], ids=["nan", "inf", "surrogate", "long", "deep"]
)
async def test_a_value_that_is_not_json_is_not_sent(value: Any) -> None:
    api = FakeAPI(OK)
    tool = make_tool("PATCH", properties={"id": {}, "config": {"type": "object"}})
    error = await call_error(tool, api, id=1, config={"deep": [value]})
    assert isinstance(error, InvalidArguments) and api.requests == []


async def test_arguments_that_are_too_long_for_a_url_are_not_sent() -> None:
    api = FakeAPI(OK)
    tool = make_tool(path="/api/things/", properties={"search": {"type": "string"}})
    error = await call_error(tool, api, search="x" * 100_000)
    assert isinstance(error, InvalidArguments) and "URL" in str(error) and api.requests == []


async def test_a_declared_fallback_is_sent_for_a_request_that_the_api_does_not_support() -> None:
    fallback = {"instead": {"status": 405, "method": "PATCH", "body": {"deleted": True}}}
    tool = make_tool("DELETE", endpoint=fallback)
    api = FakeAPI(reply(405, {}), reply(200, {"id": 1, "deleted": True}))
    assert (await call_value(tool, api, id=1))["deleted"] is True
    assert api.requests[1].content == b'{"deleted":true}'
    assert api.request_lines == ["DELETE /api/things/1/", "PATCH /api/things/1/"]
    assert isinstance(await call_error(tool, FakeAPI(reply(405, {}), reply(404, {})), id=1), Refused)


async def test_a_fallback_is_not_sent_for_the_request_that_prepares_a_question() -> None:
    fallback = {"instead": {"status": 405, "method": "PATCH", "body": {"deleted": True}}}
    confirm = [{"level": "require", "read": "/api/things/{id}/", "say": "Delete {answer.title}?"}]
    api = FakeAPI(reply(405, {}))
    await call_error(make_tool("DELETE", endpoint=fallback, confirm=confirm), api, ask=Person(YES), id=1)
    assert api.request_lines == ["GET /api/things/1/"]


CONFIRMED = make_tool(
    "POST",
    "/api/things/{id}/",
    confirm=[{"level": "ask", "read": "/api/things/{id}/", "say": "Send {answer.title} to {answer.to:count}?"}],
)
SHOWN = reply(200, {"title": "Weekly", "to": "a,b"})


class Person:
    """Gives the same answer to every question, and records the questions."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.questions: list[str] = []

    async def __call__(self, question: Question) -> Answer:
        self.questions.append(question.text)
        return self.answer


YES = Answer("accept", confirmed=True, seconds=2.0)
NO = Answer("decline", seconds=2.0)


async def test_a_call_whose_effect_changed_after_the_question_is_not_sent() -> None:
    api = FakeAPI(SHOWN, reply(200, {"title": "Weekly", "to": "a,b,c"}))
    error = await call_error(CONFIRMED, api, ask=Person(YES), id=1)
    assert isinstance(error, Declined) and error.details["code"] == "confirmation_stale"
    assert not [line for line in api.request_lines if line.startswith("POST")]


PAUSED, RUNNING = reply(200, {"on": False}), reply(200, {"on": True})
CONDITIONAL = make_tool(
    "POST",
    "/api/things/{id}/",
    confirm=[
        {
            "level": "ask",
            "read": "/api/things/{id}/",
            "answer": {"properties": {"on": {"const": False}}},
            "say": "Switch on {arguments.id}?",
        }
    ],
)


async def test_a_person_is_asked_only_if_the_present_state_needs_it() -> None:
    person, api = Person(NO), FakeAPI(PAUSED, RUNNING, OK)
    await call_error(CONDITIONAL, api, ask=person, id=1)
    await call_value(CONDITIONAL, api, id=1)
    assert person.questions == ["Switch on 1?"]
    assert api.request_lines == ["GET /api/things/1/", "GET /api/things/1/", "POST /api/things/1/"]


async def test_a_call_whose_question_became_obsolete_is_not_sent() -> None:
    error = await call_error(CONDITIONAL, FakeAPI(PAUSED, RUNNING), ask=Person(YES), id=1)
    assert isinstance(error, Declined) and error.details["code"] == "confirmation_stale"


async def test_a_question_has_no_secret() -> None:
    tool = make_tool("POST", confirm=[{"level": "ask", "read": "/api/things/{id}/", "say": "Use {answer.title}?"}])
    person = Person(NO)
    await call_error(tool, FakeAPI(reply(200, {"title": f"the key {KEY}"})), ask=person, id=1)
    assert person.questions == ["Use “the key [withheld]”? Also in this call: id 1."]


async def test_a_person_is_not_asked_about_an_object_that_does_not_exist() -> None:
    person = Person(YES)
    error = await call_error(CONFIRMED, FakeAPI(reply(404, {})), ask=person, id=1)
    assert isinstance(error, Refused) and person.questions == []


@pytest.mark.parametrize(
    ("policy", "level", "lines"),
    [
        ("auto", "ask", []),
        ("never", "ask", ["POST /api/things/1/"]),
        ("never", "require", ["POST /api/things/1/"]),
        ("auto", "require", []),
        ("always", "ask", []),
    ],
)
async def test_the_policy_decides_about_a_call_if_the_client_cannot_ask(
    policy: Policy, level: str, lines: list[str]
) -> None:
    tool = make_tool("POST", confirm=[{"level": level, "say": "Really?"}])
    api = FakeAPI(OK)
    try:
        await Execution(prepare(tool, {"id": 1}, call_context(api, confirm=policy))).run()
    except Declined as error:
        assert error.details["code"] == "confirmation_required"
    assert api.request_lines == lines


async def test_a_person_is_not_asked_about_a_call_with_invalid_arguments() -> None:
    person = Person(YES)
    await call_error(CONFIRMED, FakeAPI(OK), ask=person, id="x", other=1)
    assert person.questions == []


async def test_a_person_is_not_asked_about_a_call_that_the_api_refuses_without_a_session() -> None:
    tool = make_tool(
        "DELETE", endpoint={"scope": None, "auth": "session"}, confirm=[{"level": "require", "say": "Really?"}]
    )
    person = Person(NO)
    error = await call_error(tool, FakeAPI(reply(401, {})), ask=person, id=1)
    assert error.details["status"] == 401 and person.questions == []


async def test_large_responses_have_the_same_results_as_small_ones() -> None:
    tool, padding = make_tool(output={"type": "object", "properties": {"id": {}}}), "x" * 100_000
    api = FakeAPI(reply(200, {"id": 1, "other": padding}), reply(200, [padding]), reply(400, {"detail": padding}))
    assert await call_value(tool, api, id=1) == {"id": 1}
    assert len((await call_value(tool, api, id=1))["note"]) < 3000
    assert isinstance(await call_error(tool, api, id=1), Refused)


async def test_a_field_that_shows_the_effect_and_is_too_long_makes_the_response_unreadable() -> None:
    # Such a field is never left out of a result.
    tool = make_tool(evidence={"status": [200], "field": "id"})
    error = await call_error(tool, FakeAPI(reply(200, {"id": "x" * 50_000})), id=1)
    assert isinstance(error, Unreadable) and "longer than the results of this server" in str(error)


async def test_a_message_that_quotes_a_secret_argument_does_not_show_it() -> None:
    pin = {"pin": {"type": "string"}}
    tool = make_tool("POST", properties=pin, secrets=["pin"], done=[{"say": "The pin is {arguments.pin}."}])
    value = await call_value(tool, FakeAPI(OK), pin="hunter2-hunter2")
    assert "[withheld]" in value["done"] and "hunter2" not in str(value)
