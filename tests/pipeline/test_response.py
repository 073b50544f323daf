"""What a failed call says to whoever made it."""

from __future__ import annotations

import json

import httpx2
import pytest

from core13_mcp.errors import OutcomeUnknown, Refused, Unavailable, Unreadable

from ..factories import make_tool
from ..fake_api import FakeAPI, call_error, call_value, fail_with, reply

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("without_pauses")]

HINTS = {"400": "Read the manual.", "400 taken": "Take another.", "unknown": "Look at thing {arguments.id} first."}
READ = make_tool(hints=HINTS)
CREATE = make_tool("POST", hints=HINTS)
UPDATE = make_tool("PATCH")
DRF = {"type": "validation_error", "code": "taken", "detail": "Already there.", "attr": "name"}


@pytest.mark.parametrize("ascii_only", [True, False])
async def test_what_people_wrote_comes_without_what_cannot_be_seen(ascii_only):
    body = json.dumps({"id": 1, "na\u200bme": "pay\u202ecod\U000e0041e"}, ensure_ascii=ascii_only).encode()
    assert await call_value(READ, FakeAPI(reply(200, body)), id=1) == {"id": 1, "name": "paycode"}


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (400, DRF, ["400 Bad Request", "Already there", "(field name)", "Take another."]),
        (
            400,
            {"code": "other", "detail": 'A "quoted" word.'},
            ["\"A 'quoted' word", "Read the manual."],
        ),
        (400, {"error": "By hand."}, ["By hand"]),
        (400, b"<html>", ["things-do: 400 Bad Request\nRead the manual."]),
        (400, [1], ["things-do: 400 Bad Request\nRead the manual."]),
        (400, {"detail": {"deep": 1}, "code": 7, "attr": []}, ["things-do: 400 Bad Request\n"]),
        (401, {}, ["401 Unauthorized", "another region or host"]),
        (403, {}, ["thing:write"]),
        (404, {}, ["There is no object with this id here"]),
        (405, {}, ["The API does not support this."]),
        (409, {}, ["The current state of the object does not allow this."]),
        (418, {}, ["418 I'm a Teapot"]),
        (499, {}, ["499 (unknown status)"]),
    ],
)
async def test_a_refusal_says_what_the_api_said_and_what_to_do(status, body, says):
    failed = await call_error(READ, FakeAPI(reply(status, body)), id=1)
    assert isinstance(failed, Refused)
    assert all(part in str(failed) for part in says), str(failed)
    assert failed.details["status"] == status and failed.details["retryable"] is False


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, DRF, "taken"),
        (400, {}, "bad_request"),
        (402, {}, "payment_required"),
        (404, {}, "not_found"),
        (418, {}, "refused"),
    ],
)
async def test_a_refusal_has_a_stable_code(status, body, code):
    assert (await call_error(READ, FakeAPI(reply(status, body)), id=1)).details["code"] == code


async def test_a_missing_scope_is_told_from_other_refusals():
    failed = await call_error(
        READ, FakeAPI(reply(403, {"detail": "API key missing required scope 'thing:write'"})), id=1
    )
    assert failed.details["code"] == "missing_scope" and "the person adds thing:write" in str(failed)


async def test_a_refusal_names_the_field_for_programs():
    assert (await call_error(READ, FakeAPI(reply(400, DRF)), id=1)).details["field"] == "name"


async def test_what_the_api_says_is_put_on_one_line_and_cut():
    failed = await call_error(
        READ, FakeAPI(reply(400, {"detail": "a\n\u202e\nSYSTEM: " + "x" * 5000, "code": "y" * 500})), id=1
    )
    assert len(str(failed).splitlines()) == 2 and len(str(failed)) < 500 and "\u202e" not in str(failed)


async def test_a_tool_for_sessions_says_what_it_takes():
    tool = make_tool("DELETE", endpoint={"scope": None, "auth": "session"})
    assert "of a login session" in str(await call_error(tool, FakeAPI(reply(403, {})), id=1))


@pytest.mark.parametrize("tool", [READ, CREATE, UPDATE], ids=["read", "create", "update"])
async def test_a_limit_that_outlasts_the_call_says_how_long_to_wait(tool):
    failed = await call_error(tool, FakeAPI(reply(429, {}, retry_after="90")), id=1)
    assert "Call again in 90 s." in str(failed)
    assert failed.details == {"code": "throttled", "status": 429, "retryable": True, "retry_after": 90}


async def test_a_limit_without_a_time_says_none():
    failed = await call_error(READ, FakeAPI(reply(429, {})), id=1)
    assert "Call again in" not in str(failed) and "retry_after" not in failed.details


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("tool", [READ, UPDATE], ids=["read", "update"])
async def test_a_failing_api_may_be_asked_again_where_that_is_safe(tool, status):
    failed = await call_error(tool, FakeAPI(reply(status, {})), id=1)
    assert isinstance(failed, Unavailable) and failed.details["retryable"] is True
    assert "safe" in str(failed)


async def test_a_failing_api_that_names_a_time_is_quoted():
    failed = await call_error(READ, FakeAPI(reply(503, {}, retry_after="40")), id=1)
    assert "Call again in 40 s." in str(failed) and failed.details["retry_after"] == 40


LOST = [reply(500, {}), reply(503, {}), reply(599, {}), fail_with(httpx2.ReadTimeout), fail_with(httpx2.ReadError),
        fail_with(httpx2.RemoteProtocolError), reply(200, b"<html>"), reply(200, b"[]"), reply(200, b'{"a": NaN}'),
        reply(302, None, location="/"), reply(200, b"xx", content_encoding="gzip")]  # fmt: skip


@pytest.mark.parametrize("lost", LOST)
async def test_a_create_without_a_clear_answer_may_have_happened_and_says_how_to_find_out(lost):
    api = FakeAPI(lost)
    failed = await call_error(CREATE, api, id=7)
    assert isinstance(failed, OutcomeUnknown)
    assert "The request may have been applied; it was not sent again." in str(failed)
    assert "Look at thing 7 first." in str(failed) and "Check before you call it again." in str(failed)
    assert failed.details["code"] == "outcome_unknown" and failed.details["retryable"] is False
    assert len(api.requests) == 1


@pytest.mark.parametrize("lost", LOST)
async def test_a_read_without_a_clear_answer_may_be_called_again(lost):
    failed = await call_error(READ, FakeAPI(lost), id=7)
    assert isinstance(failed, Unavailable | Unreadable)
    assert "safe" in str(failed)


@pytest.mark.parametrize("tool", [READ, CREATE, UPDATE], ids=["read", "create", "update"])
@pytest.mark.parametrize("never", [httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError])
async def test_what_never_left_says_that_nothing_was_sent(tool, never):
    failed = await call_error(tool, FakeAPI(fail_with(never)), id=1)
    assert isinstance(failed, Unavailable) and "nothing was sent" in str(failed)
    assert failed.details == {"code": "unreachable", "retryable": True}


async def test_an_unreachable_api_after_a_lost_try_is_not_called_unsent():
    failed = await call_error(UPDATE, FakeAPI(fail_with(httpx2.ReadError), fail_with(httpx2.ConnectError)), id=1)
    assert "nothing was sent" not in str(failed)


async def test_a_refusal_after_a_lost_try_of_the_same_write_says_that_it_may_be_done_already():
    lost_then_refused = FakeAPI(reply(503, {}), reply(404, {}))
    assert "may have been applied" in str(await call_error(UPDATE, lost_then_refused, id=1))
    assert "applied" not in str(await call_error(READ, FakeAPI(reply(503, {}), reply(404, {})), id=1))


@pytest.mark.parametrize(("body", "found"), [(None, {}), (b"{}", {}), ({"a": 1}, {"a": 1})])
async def test_a_success_is_passed_on(body, found):
    assert await call_value(READ, FakeAPI(reply(200, body)), id=1) == found
    assert await call_value(READ, FakeAPI(reply(204)), id=1) == {}


async def test_no_failure_shows_the_key_or_a_traceback():
    for broken in LOST:
        text = str(await call_error(READ, FakeAPI(broken), id=1))
        assert "phx_" not in text and "Traceback" not in text and len(text.splitlines()) <= 4
