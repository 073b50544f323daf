"""An answer to a confirmation counts once, for one question, one caller and one call."""

from __future__ import annotations

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
from core13_mcp.server.elicitation import CONFIRMATION_TTL, Elicitor, UsedNonces
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
FOUND = reply(200, {"id": 1, "title": "Weekly"})
ACCEPTED = {"confirm": types.ElicitResult(action="accept", content={})}


def person(action: str, questions: list[str] | None = None) -> Callable[..., Any]:
    """Return an elicitation callback that gives the same answer to every question."""

    async def callback(_: Any, params: types.ElicitRequestFormParams) -> types.ElicitResult:
        if questions is not None:
            questions.append(params.message)
        return types.ElicitResult(action=action, content={} if action == "accept" else None)  # type: ignore[arg-type]  # tests pass accept, decline or cancel

    return callback


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
    api, questions = FakeAPI(FOUND), list[str]()
    callback = person("accept", questions)
    async with connected(call_context(api), TOOL, mode=mode, elicitation_callback=callback) as client:
        result = await client.call_tool(NAME, {"id": 1})
    assert not result.is_error and writes(api) == 1
    assert questions == ["Send Weekly?"]


@in_both_modes
@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_call_that_is_not_accepted_is_not_sent(mode: str, action: str) -> None:
    api = FakeAPI(FOUND)
    async with connected(call_context(api), TOOL, mode=mode, elicitation_callback=person(action)) as client:
        result = await client.call_tool(NAME, {"id": 1})
    assert result.is_error and result_meta(result)["code"] == "declined" and writes(api) == 0


@in_both_modes
async def test_without_elicitation_only_a_call_that_requires_confirmation_is_refused(mode: str) -> None:
    api = FakeAPI(FOUND)
    async with connected(call_context(api), TOOL, mode=mode) as client:
        assert not (await client.call_tool(NAME, {"id": 1})).is_error
    async with connected(call_context(api), STRICT, mode=mode) as client:
        refused = await client.call_tool(NAME, {"id": 1})
    assert result_meta(refused)["code"] == "confirmation_required" and "Really?" in result_text(refused)
    assert writes(api) == 1


async def test_a_client_whose_elicitation_fails_cannot_ask() -> None:
    async def fail(*_: Any) -> types.ErrorData:
        return types.ErrorData(code=-1, message="no window")

    api = FakeAPI(FOUND)
    async with connected(call_context(api), TOOL, mode="legacy", elicitation_callback=fail) as client:
        result = await client.call_tool(NAME, {"id": 1})
    assert result_meta(result)["code"] == "confirmation_required" and writes(api) == 0


def test_a_question_without_an_answer_is_declined() -> None:
    async def wait(*_: Any) -> types.ElicitResult:
        await anyio.sleep_forever()
        raise AssertionError

    async def run() -> None:
        async with connected(call_context(api), TOOL, mode="legacy", elicitation_callback=wait) as client:
            result = await client.call_tool(NAME, {"id": 1})
        assert result_meta(result)["code"] == "declined" and writes(api) == 0

    api = FakeAPI(FOUND)
    run_without_waiting(run())


async def test_the_question_is_returned_with_an_encrypted_state() -> None:
    async with connected(call_context(FakeAPI(FOUND)), TOOL, elicitation_callback=person("accept")) as client:
        first = await first_request(client, id=1)
    [request] = (first.input_requests or {}).values()
    assert isinstance(request, types.ElicitRequest) and request.params.message == "Send Weekly?"
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
    "state", ['{"question": "x", "once": "y"}', '{"question": "x", "nonce": []}', "[]", "no json", ""]
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


async def test_an_expired_state_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    api, now = FakeAPI(FOUND), [1e9]
    monkeypatch.setattr("mcp.server.request_state.time", SimpleNamespace(time=lambda: now[0]))
    async with connected(call_context(api), TOOL, elicitation_callback=person("accept")) as client:
        state = (await first_request(client, id=1)).request_state
        now[0] += CONFIRMATION_TTL + 1
        with pytest.raises(MCPError):
            await second_request(client, state, id=1)
    assert writes(api) == 0


def test_a_nonce_is_forgotten_when_it_expires() -> None:
    now = [0.0]
    nonces = UsedNonces(lambda: now[0])
    assert [nonces.consume("a"), nonces.consume("a"), nonces.consume("b")] == [True, False, True]
    now[0] = CONFIRMATION_TTL + 1
    assert nonces.consume("b")


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
    ("capability", "version", "can_send", "can_ask"),
    [
        (None, "2026-07-28", True, False),
        (types.ElicitationCapability(), "2026-07-28", False, True),
        (types.ElicitationCapability(form=types.FormElicitationCapability()), "2026-07-28", False, True),
        (types.ElicitationCapability(url=types.UrlElicitationCapability()), "2026-07-28", True, False),
        (types.ElicitationCapability(), "2025-06-18", True, True),
        (types.ElicitationCapability(), "2025-06-18", False, False),
    ],
)
def test_the_client_and_the_connection_decide_whether_the_person_can_be_asked(
    capability: types.ElicitationCapability | None, version: str, can_send: bool, can_ask: bool
) -> None:
    capabilities = types.ClientCapabilities(elicitation=capability)
    session = SimpleNamespace(client_capabilities=capabilities, can_send_request=can_send)
    request: Any = SimpleNamespace(session=session, protocol_version=version, request_id=1)
    assert (Elicitor().for_request(request, types.CallToolRequestParams(name=NAME)) is not None) is can_ask
