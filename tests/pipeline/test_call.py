"""One call, from its arguments to its result."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from core13_mcp.api.exchange import CallState
from core13_mcp.errors import Declined, InvalidArguments, OutcomeUnknown, Refused, Unreadable
from core13_mcp.pipeline.call import execute

from ..factories import PROJECT, make_tool
from ..fake_api import KEY, FakeAPI, call_context, call_error, call_value, fail_with, reply

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("without_pauses")]

IN_PROJECT = "/api/projects/{project_id}/things/"
PROPERTIES = {"project_id": {"type": "integer"}, "name": {"type": "string"}, "detail": {"type": "string"}}
LISTING = make_tool("GET", IN_PROJECT, project=PROJECT, properties=PROPERTIES)
CREATING = make_tool("POST", IN_PROJECT, project=PROJECT, properties=PROPERTIES)
ME = reply(200, {"team": {"id": 5, "name": 'A "quoted"\nname'}})
OK = reply(200, {"id": 1})
DEEP: list[Any] = []
for _ in range(70):
    DEEP = [DEEP]


async def test_a_read_without_a_project_is_about_the_current_one():
    api = FakeAPI(OK)
    await call_value(LISTING, api)
    assert api.request_lines == ["GET /api/projects/@current/things/"]


async def test_a_given_project_is_the_one():
    api = FakeAPI(OK)
    await call_value(CREATING, api, project_id=3, name="x")
    assert api.request_lines == ["POST /api/projects/3/things/"]
    assert api.requests[0].content == b'{"name":"x"}'


async def test_a_pinned_project_is_the_one():
    api = FakeAPI(OK)
    await execute(CREATING, {"name": "x"}, call_context(api, project_id=9), CallState(5))
    assert api.request_lines == ["POST /api/projects/9/things/"]
    assert api.requests[0].content == b'{"name":"x"}'


async def test_a_write_must_say_which_project_and_is_told_the_current_one():
    api = FakeAPI(ME)
    failed = await call_error(CREATING, api, name="x")
    assert isinstance(failed, InvalidArguments)
    assert "project_id=5" in str(failed) and "nothing was sent" in str(failed)
    assert "A 'quoted' name" in str(failed)
    assert api.request_lines == ["GET /api/users/@me/"]


@pytest.mark.parametrize("lookup", [reply(401, {}), fail_with(httpx2.ConnectError), reply(200, {"team": None})])
async def test_a_write_is_refused_even_where_the_current_project_is_unknown(lookup):
    failed = await call_error(CREATING, FakeAPI(lookup), name="x")
    assert isinstance(failed, InvalidArguments) and "project_id: missing" in str(failed)


async def test_every_fault_is_told_together_with_the_missing_project():
    failed = await call_error(CREATING, FakeAPI(ME), name=3, nmae="x")
    assert "3 faults" in str(failed) and "project_id: missing" in str(failed) and 'Did you mean "name"?' in str(failed)


async def test_faulty_arguments_are_never_sent():
    api = FakeAPI(OK)
    await call_error(LISTING, api, name=3)
    assert api.requests == []


async def test_arguments_are_put_right_before_they_are_checked():
    api = FakeAPI(OK)
    await call_value(LISTING, api, project_id="3", name=None)
    assert api.request_lines == ["GET /api/projects/3/things/"]


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "\ud800", 10**5000, DEEP], ids=["nan", "inf", "half", "long", "deep"]
)
async def test_what_json_cannot_carry_is_refused_with_nothing_sent(value):
    api = FakeAPI(OK)
    tool = make_tool("PATCH", properties={"id": {}, "config": {"type": "object"}})
    failed = await call_error(tool, api, id=1, config={"deep": [value]})
    assert isinstance(failed, InvalidArguments) and api.requests == []


async def test_what_fits_into_no_url_is_refused_with_nothing_sent():
    api = FakeAPI(OK)
    tool = make_tool(path="/api/things/", properties={"search": {"type": "string"}})
    failed = await call_error(tool, api, search="x" * 100_000)
    assert isinstance(failed, InvalidArguments) and "URL" in str(failed) and api.requests == []


async def test_what_the_api_never_does_is_done_otherwise():
    deleting = {"instead": {"status": 405, "method": "PATCH", "body": {"deleted": True}}}
    tool = make_tool("DELETE", endpoint=deleting)
    api = FakeAPI(reply(405, {}), reply(200, {"id": 1, "deleted": True}))
    assert (await call_value(tool, api, id=1))["deleted"] is True
    assert api.request_lines == ["DELETE /api/things/1/", "PATCH /api/things/1/"]
    assert isinstance(await call_error(tool, FakeAPI(reply(405, {}), reply(404, {})), id=1), Refused)


PROMISING = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}


@pytest.mark.parametrize("body", [{"id": "1"}, {}, {"other": 1}])
async def test_an_answer_of_another_shape_is_never_passed_on(body):
    reading, creating = make_tool(output=PROMISING), make_tool("POST", output=PROMISING)
    assert isinstance(await call_error(reading, FakeAPI(reply(200, body)), id=1), Unreadable)
    assert isinstance(await call_error(creating, FakeAPI(reply(200, body)), id=1), OutcomeUnknown)


ASKING = make_tool(
    "POST",
    "/api/things/{id}/",
    confirm=[{"level": "ask", "read": "/api/things/{id}/", "say": "Send {answer.title} to {answer.to:count}?"}],
)
SHOWN = reply(200, {"title": "Weekly", "to": "a,b"})


class Person:
    """Answers every question the same, and remembers them."""

    def __init__(self, verdict: str) -> None:
        self.verdict = verdict
        self.asked: list[str] = []

    async def __call__(self, question: str) -> Any:
        self.asked.append(question)
        return self.verdict


async def test_a_call_that_the_person_accepts_is_sent():
    api, person = FakeAPI(SHOWN, SHOWN, OK), Person("accepted")
    await call_value(ASKING, api, ask=person, id=1)
    assert api.request_lines[-1] == "POST /api/things/1/"
    assert person.asked == ["Send Weekly to 2?"]


async def test_what_changed_while_the_person_thought_is_not_sent():
    api = FakeAPI(SHOWN, reply(200, {"title": "Weekly", "to": "a,b,c"}))
    failed = await call_error(ASKING, api, ask=Person("accepted"), id=1)
    assert isinstance(failed, Declined) and "changed" in str(failed)
    assert not [line for line in api.request_lines if line.startswith("POST")]


async def test_what_the_person_is_shown_holds_no_secret():
    tool = make_tool("POST", confirm=[{"level": "ask", "read": "/api/things/{id}/", "say": "Use {answer.title}?"}])
    person = Person("declined")
    await call_error(tool, FakeAPI(reply(200, {"title": f"the key {KEY}"})), ask=person, id=1)
    assert person.asked == ["Use the key [withheld]?"]


async def test_a_call_that_the_person_declines_is_not_sent():
    api = FakeAPI(SHOWN)
    failed = await call_error(ASKING, api, ask=Person("declined"), id=1)
    assert isinstance(failed, Declined) and api.request_lines == ["GET /api/things/1/"]


async def test_a_thing_that_is_not_there_is_not_asked_about():
    person = Person("accepted")
    failed = await call_error(ASKING, FakeAPI(reply(404, {})), ask=person, id=1)
    assert isinstance(failed, Refused) and person.asked == []


@pytest.mark.parametrize(
    ("policy", "level", "lines"),
    [
        ("auto", "ask", ["POST /api/things/1/"]),
        ("never", "require", ["POST /api/things/1/"]),
        ("auto", "require", []),
        ("always", "ask", []),
    ],
)
async def test_where_nobody_can_be_asked_the_policy_decides(policy, level, lines):
    tool = make_tool("POST", confirm=[{"level": level, "say": "Really?"}])
    api = FakeAPI(OK)
    try:
        await execute(tool, {"id": 1}, call_context(api, confirm=policy), CallState(5))
    except Declined as failed:
        assert failed.details["code"] == "confirmation_required"
    assert api.request_lines == lines


async def test_nobody_is_asked_about_a_faulty_call():
    person = Person("accepted")
    await call_error(ASKING, FakeAPI(OK), ask=person, id="x", other=1)
    assert person.asked == []


async def test_nobody_is_asked_about_what_the_api_will_refuse_for_want_of_a_session():
    tool = make_tool(
        "DELETE", endpoint={"scope": None, "auth": "session"}, confirm=[{"level": "require", "say": "Really?"}]
    )
    person = Person("declined")
    failed = await call_error(tool, FakeAPI(reply(401, {})), ask=person, id=1)
    assert failed.details["status"] == 401 and person.asked == []
