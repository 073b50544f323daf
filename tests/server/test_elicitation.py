"""A form is a question about one call, and an answer counts once, for one question, one caller and one call."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS

from core13_mcp.api.credentials import Credentials
from core13_mcp.errors import ConfigurationError
from core13_mcp.keys import SecretStr
from core13_mcp.server.elicitation import PROGRESS_INTERVAL, STATE_TTL, Elicitor
from core13_mcp.server.handlers import build_server

from ..clients import CLIENT_MODES, connected, result_meta, result_text
from ..factories import make_tool
from ..fake_api import KEY, FakeAPI, call_context, reply
from ..faults.virtual_clock import run_without_waiting

pytestmark = pytest.mark.anyio

in_both_modes = pytest.mark.parametrize("mode", CLIENT_MODES)
TOOL = make_tool(
    "POST",
    properties={"id": {"type": "integer"}, "loud": {"type": "boolean"}},
    confirm=[{"level": "ask", "read": "/api/things/{id}/", "say": "Send {answer.title}?"}],
)
STRICT = make_tool("POST", confirm=[{"level": "require", "say": "Really?"}])
NAME = TOOL.name
FORM = {
    "type": "object",
    "properties": {"confirm": {"type": "boolean", "title": "Do a thing"}},
    "required": ["confirm"],
}
FOUND = reply(200, {"id": 1, "title": "Weekly"})
YES: dict[str, Any] = {"confirm": True}
ACCEPTED = {"confirm": types.ElicitResult(action="accept", content=YES)}


def person(
    action: str, content: Any = YES, *, seconds: float = 0.0, forms: list[types.ElicitRequestFormParams] | None = None
) -> Callable[..., Any]:
    """Return an elicitation callback that gives the same answer to every question, after some seconds."""

    async def callback(_: Any, params: types.ElicitRequestFormParams) -> types.ElicitResult:
        if forms is not None:
            forms.append(params)
        await anyio.sleep(seconds)
        return types.ElicitResult(action=action, content=content if action == "accept" else None)  # type: ignore[arg-type]  # tests pass accept, decline or cancel

    return callback


def set_time(monkeypatch: pytest.MonkeyPatch, module: str = "core13_mcp.server.elicitation") -> list[float]:
    """Replace the wall clock of a module by a list with the current time."""
    now = [1e9]
    monkeypatch.setattr(f"{module}.time", SimpleNamespace(time=lambda: now[0]))
    return now


def writes(api: FakeAPI) -> int:
    return sum(line.startswith("POST") for line in api.request_lines)


async def first_request(client: Client, **arguments: Any) -> types.InputRequiredResult:
    """Call the tool, and return the question with its state."""
    result = await client.session.call_tool(NAME, arguments, allow_input_required=True)
    assert isinstance(result, types.InputRequiredResult)
    return result


async def second_request(client: Client, state: str | None, responses: Any = ACCEPTED, **arguments: Any) -> Any:
    """Call the tool again, with the state and an answer."""
    return await client.session.call_tool(
        NAME, arguments, input_responses=responses, request_state=state, allow_input_required=True
    )


@in_both_modes
async def test_an_accepted_call_is_sent_once(mode: str) -> None:
    api, forms = FakeAPI(FOUND), list[types.ElicitRequestFormParams]()
    callback = person("accept", forms=forms)
    async with connected(call_context(api), TOOL, mode=mode, elicitation_callback=callback) as client:
        result = await client.call_tool(NAME, {"id": 1})
    assert not result.is_error and writes(api) == 1
    [form] = forms
    assert form.message == "Send “Weekly”? Also in this call: id 1." and form.requested_schema == FORM


@pytest.mark.usefixtures("instant_answers")
@in_both_modes
@pytest.mark.parametrize(
    ("action", "content", "answer"),
    [
        ("decline", None, "'decline'"),
        ("cancel", None, "'cancel', which is neither yes nor no,"),
        ("accept", {}, "'accept' without confirm=true"),
        ("accept", None, "'accept' without confirm=true"),
        ("accept", {"confirm": False}, "'accept' without confirm=true"),
        ("accept", {"confirm": "true"}, "'accept' without confirm=true"),
        ("accept", {"confirm": 1}, "'accept' without confirm=true"),
        ("accept", {"agree": True}, "'accept' without confirm=true"),
    ],
)
async def test_an_answer_that_is_not_yes_sends_nothing_and_states_what_the_client_answered(
    mode: str, action: str, content: Any, answer: str
) -> None:
    api = FakeAPI(FOUND)
    async with connected(call_context(api), TOOL, mode=mode, elicitation_callback=person(action, content)) as client:
        result = await client.call_tool(NAME, {"id": 1})
    text = result_text(result)
    assert result.is_error and writes(api) == 0
    assert result_meta(result)["code"] == "confirmation_instant"
    assert re.match(rf"{NAME}: the client answered {re.escape(answer)} after [\d.]+ m?s; nothing was sent. The", text)
    assert "without a user may answer by itself" in text and "confirmation=" in text and "CORE13_CONFIRM=never" in text


@pytest.mark.parametrize(
    ("action", "content", "code", "has_code"),
    [
        ("decline", None, "declined", False),
        ("cancel", None, "confirmation_cancelled", True),
        ("accept", {}, "confirmation_incomplete", True),
    ],
)
def test_each_slow_answer_that_is_not_yes_has_its_own_code(
    action: str, content: Any, code: str, has_code: bool
) -> None:
    async def run() -> types.CallToolResult:
        callback = person(action, content, seconds=2)
        async with connected(call_context(api), TOOL, mode="legacy", elicitation_callback=callback) as client:
            return await client.call_tool(NAME, {"id": 1})

    api = FakeAPI(FOUND)
    result = run_without_waiting(run())
    assert result_meta(result)["code"] == code and writes(api) == 0
    assert "after 2 s; nothing was sent" in result_text(result)
    assert ("confirmation=" in result_text(result)) is has_code


@pytest.mark.parametrize(
    ("action", "seconds", "code"),
    [
        ("decline", 0.05, "confirmation_instant"),
        # The clock of the replica that asked is ahead.
        ("decline", -5, "confirmation_instant"),
        ("decline", 0.5, "declined"),
        ("accept", 299, None),
        ("accept", 301, "confirmation_timeout"),
    ],
)
async def test_the_time_of_an_answer_is_measured_across_two_requests(
    action: str, seconds: float, code: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, now = FakeAPI(FOUND), set_time(monkeypatch)
    async with connected(call_context(api), TOOL, elicitation_callback=person("accept")) as client:
        state = (await first_request(client, id=1)).request_state
        now[0] += seconds
        answer = {"confirm": types.ElicitResult(action=action, content=YES)}  # type: ignore[arg-type]  # a parameter
        result = await second_request(client, state, answer, id=1)
    assert (result_meta(result)["code"] if result.is_error else None) == code
    assert writes(api) == (code is None)


@in_both_modes
@pytest.mark.parametrize("policy", ["auto", "always"])
async def test_a_call_that_requires_a_form_is_refused_without_one_and_without_a_code(mode: str, policy: str) -> None:
    api = FakeAPI(FOUND)
    tool = STRICT if policy == "auto" else TOOL
    async with connected(call_context(api, confirm=policy), tool, mode=mode) as client:
        refused = await client.call_tool(NAME, {"id": 1})
    text = result_text(refused)
    assert result_meta(refused)["code"] == "confirmation_required" and writes(api) == 0
    assert "this client does not show forms" in text and "No code can confirm this call" in text


async def test_a_client_that_answers_with_an_error_is_quoted() -> None:
    async def fail(*_: Any) -> types.ErrorData:
        return types.ErrorData(code=-1, message='no\n"window"')

    api = FakeAPI(FOUND)
    async with connected(call_context(api), TOOL, mode="legacy", elicitation_callback=fail) as client:
        result = await client.call_tool(NAME, {"id": 1})
    assert result_meta(result)["code"] == "confirmation_failed" and writes(api) == 0
    assert "answered the question with an error (\"no 'window'\")" in result_text(result)


async def test_an_answer_that_is_not_valid_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def invalid(*_: Any, **__: Any) -> None:
        types.ElicitResult.model_validate({"action": "perhaps"})

    # The SDK's client sends valid answers only.
    monkeypatch.setattr("mcp.server.session.ServerSession.elicit_form", invalid)
    api = FakeAPI(FOUND)
    async with connected(call_context(api), TOOL, mode="legacy", elicitation_callback=person("accept")) as client:
        result = await client.call_tool(NAME, {"id": 1})
    assert result_meta(result)["code"] == "confirmation_failed" and writes(api) == 0


def test_a_question_without_an_answer_ends_after_its_timeout_and_reports_progress_until_then() -> None:
    messages = list[str | None]()

    async def report(progress: float, total: float | None, message: str | None) -> None:
        messages.append(message)

    async def run() -> types.CallToolResult:
        context, callback = call_context(api, confirm_timeout=35.0, timeout=5.0), person("accept", seconds=60)
        async with connected(context, TOOL, mode="legacy", elicitation_callback=callback) as client:
            return await client.call_tool(NAME, {"id": 1}, progress_callback=report)

    api = FakeAPI(FOUND)
    result = run_without_waiting(run())
    assert result_meta(result)["code"] == "confirmation_timeout" and writes(api) == 0
    assert "the question got no answer within 35 s" in result_text(result)
    assert messages == ["waiting for the answer to a question"] * (1 + int(35 // PROGRESS_INTERVAL))


def test_the_time_for_an_answer_is_not_part_of_the_timeout_of_the_call() -> None:
    async def run() -> types.CallToolResult:
        context, callback = call_context(api, timeout=5.0), person("accept", seconds=120)
        async with connected(context, TOOL, mode="legacy", elicitation_callback=callback) as client:
            return await client.call_tool(NAME, {"id": 1})

    api = FakeAPI(FOUND)
    assert not run_without_waiting(run()).is_error and writes(api) == 1


async def test_the_question_is_returned_with_an_encrypted_state() -> None:
    async with connected(call_context(FakeAPI(FOUND)), TOOL, elicitation_callback=person("accept")) as client:
        first = await first_request(client, id=1)
    [request] = (first.input_requests or {}).values()
    assert (
        isinstance(request, types.ElicitRequest) and request.params.message == "Send “Weekly”? Also in this call: id 1."
    )
    assert first.request_state and "Weekly" not in first.request_state and KEY not in first.request_state


@pytest.mark.parametrize("responses", [ACCEPTED, {}, None, {"other": ACCEPTED["confirm"]}])
async def test_an_answer_without_a_state_does_not_count(responses: Any) -> None:
    api = FakeAPI(FOUND)
    async with connected(call_context(api), TOOL, elicitation_callback=person("accept")) as client:
        assert isinstance(await second_request(client, None, responses, id=1), types.InputRequiredResult)
    assert writes(api) == 0


@pytest.mark.parametrize("state", ["", "{}", "v1.AAAA", '{"question": "x", "nonce": "y"}'])
async def test_a_forged_state_is_refused(state: str) -> None:
    api = FakeAPI(FOUND)
    async with connected(call_context(api), TOOL, elicitation_callback=person("accept")) as client:
        with pytest.raises(MCPError) as caught:
            await second_request(client, state, id=1)
    assert caught.value.code == INVALID_PARAMS and writes(api) == 0


@pytest.mark.parametrize(
    "state", ['{"question": "x", "nonce": "y"}', "nonce digest", "nonce digest yesterday", "nonce digest 1 2", ""]
)
async def test_an_answer_to_a_question_of_another_version_does_not_count(state: str) -> None:
    async def other_version(ctx: Any, call_next: Any) -> Any:
        return {**await call_next(ctx), "requestState": state}

    api = FakeAPI(FOUND)
    server = build_server({NAME: TOOL}, lambda _: call_context(api), "", middleware=[other_version])
    async with Client(server, elicitation_callback=person("accept")) as client:
        sealed = (await first_request(client, id=1)).request_state
        assert isinstance(await second_request(client, sealed, id=1), types.InputRequiredResult)
    assert writes(api) == 0


async def test_an_answer_counts_once() -> None:
    api = FakeAPI(FOUND)
    async with connected(call_context(api), TOOL, elicitation_callback=person("accept")) as client:
        state = (await first_request(client, id=1)).request_state
        assert isinstance(await second_request(client, state, id=1), types.CallToolResult)
        assert isinstance(await second_request(client, state, id=1), types.InputRequiredResult)
    assert writes(api) == 1


@pytest.mark.parametrize("change", ["id", "loud", "caller", "server"])
async def test_an_answer_for_another_call_caller_or_server_is_refused(change: str) -> None:
    api = FakeAPI(FOUND)
    other = Credentials(SecretStr("phx_other000000000000000000"))
    contexts = [call_context(api), call_context(api, credentials=other)]
    arguments = {"id": 2} if change == "id" else {"id": 1, "loud": True} if change == "loud" else {"id": 1}
    options: dict[str, Any] = {"elicitation_callback": person("accept")}
    async with (
        connected(lambda _: contexts[0], TOOL, **options) as client,
        connected(call_context(api), TOOL, **options) as other_server,
    ):
        state = (await first_request(client, id=1)).request_state
        if change == "caller":
            contexts.reverse()
        with pytest.raises(MCPError):
            await second_request(other_server if change == "server" else client, state, **arguments)
    assert writes(api) == 0


async def test_a_changed_effect_leads_to_a_new_question() -> None:
    api = FakeAPI(FOUND, reply(200, {"id": 1, "title": "Daily"}))
    async with connected(call_context(api), TOOL, elicitation_callback=person("accept")) as client:
        state = (await first_request(client, id=1)).request_state
        second = await second_request(client, state, id=1)
    assert isinstance(second, types.InputRequiredResult) and "Daily" in second.model_dump_json()
    assert writes(api) == 0


@pytest.mark.usefixtures("instant_answers")
async def test_an_answer_that_is_not_yes_ends_the_call_also_if_the_effect_has_changed() -> None:
    api = FakeAPI(FOUND, reply(200, {"id": 1, "title": "Daily"}))
    async with connected(call_context(api), TOOL, elicitation_callback=person("accept")) as client:
        state = (await first_request(client, id=1)).request_state
        second = await second_request(client, state, {"confirm": types.ElicitResult(action="decline")}, id=1)
    assert result_meta(second)["code"] == "confirmation_instant" and writes(api) == 0


async def test_an_expired_state_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    api, now = FakeAPI(FOUND), [1e9]
    monkeypatch.setattr("mcp.server.request_state.time", SimpleNamespace(time=lambda: now[0]))
    async with connected(call_context(api), TOOL, elicitation_callback=person("accept")) as client:
        state = (await first_request(client, id=1)).request_state
        now[0] += STATE_TTL + 1
        with pytest.raises(MCPError):
            await second_request(client, state, id=1)
    assert writes(api) == 0


async def test_a_call_is_not_sent_if_the_key_disappears_between_the_requests() -> None:
    api, has_key = FakeAPI(FOUND), [True]

    def resolve(_: Any) -> Any:
        if not has_key[0]:
            raise ConfigurationError("the key file is empty")
        return call_context(api)

    async with connected(resolve, TOOL, elicitation_callback=person("accept")) as client:
        state = (await first_request(client, id=1)).request_state
        has_key[0] = False
        with pytest.raises(MCPError) as caught:
            await second_request(client, state, id=1)
    assert "key file" not in str(caught.value)
    assert writes(api) == 0


@pytest.mark.parametrize(
    ("capability", "version", "can_send", "obstacle"),
    [
        (None, "2026-07-28", True, "client"),
        (types.ElicitationCapability(), "2026-07-28", False, None),
        (types.ElicitationCapability(form=types.FormElicitationCapability()), "2026-07-28", False, None),
        (types.ElicitationCapability(url=types.UrlElicitationCapability()), "2026-07-28", True, "client"),
        (types.ElicitationCapability(), "2025-06-18", True, None),
        (None, "2025-06-18", True, "client"),
        (types.ElicitationCapability(), "2025-06-18", False, "transport"),
        (None, "2025-06-18", False, "client"),
    ],
)
def test_the_client_and_the_connection_decide_whether_a_form_can_be_shown(
    capability: types.ElicitationCapability | None, version: str, can_send: bool, obstacle: str | None
) -> None:
    capabilities = types.ClientCapabilities(elicitation=capability)
    session = SimpleNamespace(client_capabilities=capabilities, can_send_request=can_send)
    request: Any = SimpleNamespace(session=session, protocol_version=version, request_id=1)
    ask = Elicitor().for_request(request, types.CallToolRequestParams(name=NAME), 300.0, no_progress)
    assert (ask if isinstance(ask, str) else None) == obstacle


async def no_progress(_: str) -> None:
    """Report nothing."""
