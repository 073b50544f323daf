"""A person can confirm a call through the conversation, with a code that counts once, for one call and one effect."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import anyio
import mcp_types as types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from mcp import Client

from core13_mcp.api.credentials import Credentials
from core13_mcp.keys import SecretStr
from core13_mcp.pipeline.confirmation_code import ConfirmationCodes, Subject
from core13_mcp.server.handlers import build_server

from ..clients import CLIENT_MODES, connected, result_meta, result_text
from ..factories import PROJECT, make_tool
from ..fake_api import FakeAPI, call_context, reply

pytestmark = pytest.mark.anyio

TOOL = make_tool(
    "POST",
    "/api/things/{id}/",
    properties={"id": {"type": "integer"}, "loud": {"type": "boolean"}},
    confirm=[{"level": "ask", "read": "/api/things/{id}/", "say": "Send {answer.title}?"}],
)
NAME = TOOL.name
FOUND = reply(200, {"id": 1, "title": "Weekly"})
KEY, NEW_KEY = "k" * 32, "n" * 32
SUBJECT = Subject("a call", "an effect")


def code_in(result: types.CallToolResult) -> str:
    """The code in the text of a refused call."""
    [code] = re.findall(r"confirmation=(\S+?)[.,]? ", result_text(result))
    return str(code)


def writes(api: FakeAPI) -> list[Any]:
    """The bodies of all write requests."""
    return [request.content for request in api.requests if request.method == "POST"]


async def refused(client: Client, **arguments: Any) -> types.CallToolResult:
    result = await client.call_tool(NAME, arguments)
    assert result.is_error and "nothing was sent" in result_text(result)
    return result


def set_time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Replace the clock of the codes by a list with the current time."""
    now = [1e9]
    monkeypatch.setattr("core13_mcp.pipeline.confirmation_code.time", SimpleNamespace(time=lambda: now[0]))
    return now


@pytest.mark.parametrize("mode", CLIENT_MODES)
async def test_a_code_confirms_a_call_of_a_client_without_forms(mode: str) -> None:
    api = FakeAPI(FOUND)
    async with connected(call_context(api), TOOL, mode=mode) as client:
        first = await refused(client, id=1, loud=True)
        assert writes(api) == []
        second = await client.call_tool(NAME, {"id": 1, "loud": True, "confirmation": code_in(first)})
    assert not second.is_error and writes(api) == [b'{"loud":true}']
    assert result_meta(first) == {"code": "confirmation_required", "retryable": False}
    assert "status" not in result_meta(first, "call") and "attempts" not in result_meta(first, "call")


async def test_the_refusal_tells_the_model_to_show_the_question_before_it_repeats_the_call() -> None:
    async with connected(call_context(FakeAPI(FOUND)), TOOL) as client:
        text = result_text(await refused(client, id=1))
    steps = [
        "nothing was sent",
        '"Send “Weekly”? Also in this call: id 1."',
        "First show the question",
        "wait for their answer",
        "confirmation=",
    ]
    positions = [text.index(step) for step in steps]
    assert positions == sorted(positions) and len(text.split("\n")) <= 4


async def test_a_code_confirms_a_call_after_a_form_without_an_answer() -> None:
    async def cancel(*_: Any) -> types.ElicitResult:
        return types.ElicitResult(action="cancel")

    api = FakeAPI(FOUND)
    async with connected(call_context(api), TOOL, elicitation_callback=cancel) as client:
        code = code_in(await refused(client, id=1))
        assert not (await client.call_tool(NAME, {"id": 1, "confirmation": code})).is_error
        again = await refused(client, id=1, confirmation=code)
    assert len(writes(api)) == 1
    assert "was used before, and the client answered 'cancel'" in result_text(again)


async def test_a_code_counts_once_and_the_next_refusal_has_another_one() -> None:
    api = FakeAPI(FOUND)
    async with connected(call_context(api), TOOL) as client:
        codes = list[str]()
        for _ in range(3):
            codes.append(code_in(await refused(client, id=1)))
            assert not (await client.call_tool(NAME, {"id": 1, "confirmation": codes[-1]})).is_error
        used = await refused(client, id=1, confirmation=codes[0])
    assert len(writes(api)) == len(set(codes)) == 3
    assert result_meta(used)["code"] == "confirmation_used" and code_in(used) not in codes


async def test_concurrent_calls_with_the_same_code_are_sent_once() -> None:
    api, results = FakeAPI(FOUND), list[types.CallToolResult]()
    async with connected(call_context(api), TOOL) as client:
        code = code_in(await refused(client, id=1))

        async def call() -> None:
            results.append(await client.call_tool(NAME, {"id": 1, "confirmation": code}))

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(call)
    assert len(writes(api)) == 1 and sum(not result.is_error for result in results) == 1


async def test_a_code_is_for_one_call_only() -> None:
    api = FakeAPI(FOUND)
    async with connected(call_context(api), TOOL) as client:
        code = code_in(await refused(client, id=1))
        other = await refused(client, id=1, loud=True, confirmation=code)
    assert result_meta(other)["code"] == "confirmation_invalid" and writes(api) == []
    assert "not for this call with these arguments" in result_text(other)


@pytest.mark.parametrize("confirmation", ["yes", "K7QX-2MPD-4A9T", "É" * 12, "0" * 500, 12345, True, ["x"]])
async def test_a_text_that_is_no_code_is_refused(confirmation: Any) -> None:
    api = FakeAPI(FOUND)
    async with connected(call_context(api), TOOL) as client:
        assert result_meta(await refused(client, id=1, confirmation=confirmation))["code"] == "confirmation_invalid"
    assert writes(api) == []


@pytest.mark.parametrize("confirmation", ["", None])
async def test_an_empty_code_counts_as_absent(confirmation: Any) -> None:
    async with connected(call_context(FakeAPI(FOUND)), TOOL) as client:
        assert result_meta(await refused(client, id=1, confirmation=confirmation))["code"] == "confirmation_required"


async def test_a_code_may_be_written_in_lower_case_without_hyphens_and_with_look_alikes() -> None:
    api = FakeAPI(FOUND)
    async with connected(call_context(api), TOOL) as client:
        code = code_in(await refused(client, id=1)).lower().replace("-", " ").replace("0", "o").replace("1", "l")
        assert not (await client.call_tool(NAME, {"id": 1, "confirmation": code})).is_error


async def test_a_code_is_for_one_effect_only() -> None:
    api = FakeAPI(FOUND, reply(200, {"id": 1, "title": "Daily"}))
    async with connected(call_context(api), TOOL) as client:
        code = code_in(await refused(client, id=1))
        changed = await refused(client, id=1, confirmation=code)
        assert result_meta(changed)["code"] == "confirmation_stale" and "Send “Daily”?" in result_text(changed)
        assert writes(api) == []
        assert not (await client.call_tool(NAME, {"id": 1, "confirmation": code_in(changed)})).is_error


@pytest.mark.parametrize("minutes", [6, 60, 120])
async def test_a_code_expires(minutes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    api, now = FakeAPI(FOUND), set_time(monkeypatch)
    async with connected(call_context(api), TOOL) as client:
        code = code_in(await refused(client, id=1))
        now[0] += 60 * minutes
        expired = await refused(client, id=1, confirmation=code)
    assert result_meta(expired)["code"] == "confirmation_expired" and writes(api) == []


async def test_an_expired_code_for_an_effect_that_has_changed_is_reported_as_expired(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api, now = FakeAPI(FOUND, reply(200, {"id": 1, "title": "Daily"})), set_time(monkeypatch)
    async with connected(call_context(api), TOOL) as client:
        code = code_in(await refused(client, id=1))
        now[0] += 600
        assert result_meta(await refused(client, id=1, confirmation=code))["code"] == "confirmation_expired"


@pytest.mark.parametrize("seconds", [-50, 0, 295])
async def test_a_code_is_valid_for_five_minutes_also_if_clocks_differ(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, now = FakeAPI(FOUND), set_time(monkeypatch)
    async with connected(call_context(api), TOOL) as client:
        code = code_in(await refused(client, id=1))
        now[0] += seconds
        assert not (await client.call_tool(NAME, {"id": 1, "confirmation": code})).is_error


async def test_a_code_is_for_one_caller_only() -> None:
    api = FakeAPI(FOUND)
    contexts = [call_context(api), call_context(api, credentials=Credentials(SecretStr("phx_other000000000000")))]
    async with connected(lambda _: contexts[0], TOOL) as client:
        code = code_in(await refused(client, id=1))
        contexts.reverse()
        assert result_meta(await refused(client, id=1, confirmation=code))["code"] == "confirmation_invalid"


@pytest.mark.parametrize(
    ("keys", "accepted"), [((KEY,), True), ((NEW_KEY, KEY), True), ((NEW_KEY,), False), ((), False)]
)
async def test_a_replica_accepts_a_code_if_it_has_the_key(keys: tuple[str, ...], accepted: bool) -> None:
    api = FakeAPI(FOUND)
    one, two = (build_server({NAME: TOOL}, lambda _: call_context(api), "", keys) for keys in ((KEY,), keys))
    async with Client(one) as client, Client(two) as other:
        code = code_in(await refused(client, id=1))
        result = await other.call_tool(NAME, {"id": 1, "confirmation": code})
    assert not result.is_error if accepted else result_meta(result)["code"] == "confirmation_invalid"


@pytest.mark.parametrize("pinned", [None, 3])
async def test_a_code_is_for_one_project_only(pinned: int | None) -> None:
    tool = make_tool(
        "POST",
        "/api/projects/{project_id}/things/",
        project=PROJECT,
        properties={"project_id": {"type": "integer"}},
        confirm=[{"level": "ask", "say": "Really?"}],
    )
    api = FakeAPI(FOUND)
    arguments = {"project_id": 2} if pinned is None else {}
    contexts = [call_context(api, project_id=pinned), call_context(api, project_id=4)]
    async with connected(lambda _: contexts[0], tool) as client:
        code = code_in(await refused(client, **arguments))
        contexts.reverse()
        other = {"project_id": 4} if pinned is None else {}
        assert result_meta(await refused(client, **other, confirmation=code))["code"] == "confirmation_invalid"


async def test_an_argument_confirmation_of_a_declaration_belongs_to_the_tool() -> None:
    tool = make_tool(
        "POST", "/api/things/", properties={"confirmation": {"type": "string"}}, confirm=[{"level": "ask", "say": "?"}]
    )
    api = FakeAPI(FOUND)
    async with connected(call_context(api, confirm="never"), tool) as client:
        assert not (await client.call_tool(NAME, {"confirmation": "by mail"})).is_error
    assert writes(api) == [b'{"confirmation":"by mail"}']


async def test_a_server_that_never_asks_ignores_the_code() -> None:
    api = FakeAPI(FOUND)
    async with connected(call_context(api, confirm="never"), TOOL) as client:
        assert not (await client.call_tool(NAME, {"id": 1, "confirmation": "x"})).is_error
    assert writes(api) == [b""] or writes(api) == [b"{}"]


def test_a_used_code_is_forgotten_when_it_has_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    now, codes = set_time(monkeypatch), ConfirmationCodes([KEY])
    code = codes.make(SUBJECT)
    assert [codes.redeem(code, SUBJECT), codes.redeem(code, SUBJECT)] == [None, "used"]
    now[0] += 301
    assert codes.redeem(codes.make(SUBJECT), SUBJECT) is None


def test_there_is_a_code_after_every_code_of_the_last_minutes_was_used() -> None:
    codes = ConfirmationCodes([KEY])
    made = [codes.make(SUBJECT) for _ in range(50) if codes.redeem(codes.make(SUBJECT), SUBJECT) in (None, "used")]
    assert len(made) == 50


texts = some.text(max_size=20)


@given(call=texts, effect=texts, other=some.tuples(texts, texts))
@settings(max_examples=60)
def test_a_code_confirms_nothing_but_its_call_and_its_effect(call: str, effect: str, other: tuple[str, str]) -> None:
    codes, subject = ConfirmationCodes([KEY]), Subject(call, effect)
    code = codes.make(subject)
    if other != (call, effect):
        # The short tag of another call is equal by chance once in 1024 times.
        problems = ("changed",) if other[0] == call else ("unknown", "changed")
        assert codes.redeem(code, Subject(*other)) in problems
    assert codes.redeem(code, subject) is None


@given(code=some.from_regex(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", fullmatch=True))
@settings(max_examples=200)
def test_an_invented_code_confirms_nothing(code: str) -> None:
    assert ConfirmationCodes([KEY]).redeem(code, SUBJECT) in ("unknown", "changed", "expired")
