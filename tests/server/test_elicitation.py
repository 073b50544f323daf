"""A person is asked before what cannot be taken back, and no client can answer for them twice or for something else."""

from __future__ import annotations

import types as python
from collections.abc import Callable
from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS

from core13_mcp.api.credentials import Credentials
from core13_mcp.errors import ConfigurationError
from core13_mcp.keys import SecretStr
from core13_mcp.server import elicitation
from core13_mcp.server.elicitation import Elicitor, UsedNonces

from ..clients import CLIENT_MODES, connected, result_meta, result_text
from ..factories import make_tool
from ..fake_api import KEY, FakeAPI, call_context, reply

pytestmark = pytest.mark.anyio

in_both_eras = pytest.mark.parametrize("mode", CLIENT_MODES)
TOOL = make_tool(
    "POST",
    properties={"id": {"type": "integer"}, "loud": {"type": "boolean"}},
    confirm=[{"level": "ask", "read": "/api/things/{id}/", "say": "Send {answer.title}?"}],
)
STRICT = make_tool("POST", confirm=[{"level": "require", "say": "Really?"}])
NAME = TOOL.name
SHOWN = reply(200, {"id": 1, "title": "Weekly"})


def person(action: str, heard: list[str] | None = None) -> Callable[..., Any]:
    """Somebody behind the client who answers every question the same."""

    async def answer(_: Any, params: types.ElicitRequestFormParams) -> types.ElicitResult:
        (heard if heard is not None else []).append(params.message)
        return types.ElicitResult(action=action, content={} if action == "accept" else None)  # type: ignore[arg-type]  # three words

    return answer


def sent(api: FakeAPI) -> int:
    return sum(line.startswith("POST") for line in api.request_lines)


@in_both_eras
async def test_what_the_person_accepts_is_sent_once(mode):
    api, heard = FakeAPI(SHOWN), list[str]()
    async with connected(call_context(api), TOOL, mode=mode, elicitation_callback=person("accept", heard)) as client:
        result = await client.call_tool(NAME, {"id": 1})
    assert not result.is_error and sent(api) == 1
    assert heard == ["Send Weekly?"]


@in_both_eras
@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_what_the_person_does_not_accept_is_not_sent(mode, action):
    api = FakeAPI(SHOWN)
    async with connected(call_context(api), TOOL, mode=mode, elicitation_callback=person(action)) as client:
        result = await client.call_tool(NAME, {"id": 1})
    assert result.is_error and result_meta(result)["code"] == "declined" and sent(api) == 0


@in_both_eras
async def test_a_client_that_cannot_ask_sends_what_only_should_be_asked_and_not_what_must_be(mode):
    api = FakeAPI(SHOWN)
    async with connected(call_context(api), TOOL, mode=mode) as client:
        assert not (await client.call_tool(NAME, {"id": 1})).is_error
    async with connected(call_context(api), STRICT, mode=mode) as client:
        refused = await client.call_tool(NAME, {"id": 1})
    assert result_meta(refused)["code"] == "confirmation_required" and "Really?" in result_text(refused)
    assert sent(api) == 1


async def test_a_client_that_fails_to_ask_is_one_that_cannot():
    async def broken(*_: Any) -> types.ErrorData:
        return types.ErrorData(code=-1, message="no window")

    api = FakeAPI(SHOWN)
    async with connected(call_context(api), TOOL, mode="legacy", elicitation_callback=broken) as client:
        result = await client.call_tool(NAME, {"id": 1})
    assert result_meta(result)["code"] == "confirmation_required" and sent(api) == 0


async def test_a_question_that_nobody_answers_is_declined(monkeypatch):
    monkeypatch.setattr(elicitation, "CONFIRMATION_TTL", 0.01)

    async def absent(*_: Any) -> types.ElicitResult:
        await anyio.sleep_forever()
        raise AssertionError

    api = FakeAPI(SHOWN)
    with anyio.fail_after(10):
        async with connected(call_context(api), TOOL, mode="legacy", elicitation_callback=absent) as client:
            result = await client.call_tool(NAME, {"id": 1})
    assert result_meta(result)["code"] == "declined" and sent(api) == 0


YES = {"confirm": types.ElicitResult(action="accept", content={})}


async def ask(client: Client, **arguments: Any) -> types.InputRequiredResult:
    """The first round: the question and its state."""
    result = await client.session.call_tool(NAME, arguments, allow_input_required=True)
    assert isinstance(result, types.InputRequiredResult)
    return result


async def answer(client: Client, state: str | None, said: Any = YES, **arguments: Any) -> Any:
    """The second round."""
    return await client.session.call_tool(
        NAME, arguments, input_responses=said, request_state=state, allow_input_required=True
    )


async def test_the_question_comes_back_with_a_state_that_says_nothing():
    async with connected(call_context(FakeAPI(SHOWN)), TOOL, elicitation_callback=person("accept")) as client:
        first = await ask(client, id=1)
    [request] = (first.input_requests or {}).values()
    assert isinstance(request, types.ElicitRequest) and request.params.message == "Send Weekly?"
    assert first.request_state and "Weekly" not in first.request_state and KEY not in first.request_state


@pytest.mark.parametrize("said", [YES, {}, None, {"other": YES["confirm"]}])
async def test_an_acceptance_of_a_question_that_was_never_asked_does_not_count(said):
    api = FakeAPI(SHOWN)
    async with connected(call_context(api), TOOL, elicitation_callback=person("accept")) as client:
        assert isinstance(await answer(client, None, said, id=1), types.InputRequiredResult)
    assert sent(api) == 0


@pytest.mark.parametrize("forged", ["", "{}", "v1.AAAA", '{"question": "x", "nonce": "y"}'])
async def test_a_forged_state_is_refused(forged):
    api = FakeAPI(SHOWN)
    async with connected(call_context(api), TOOL, elicitation_callback=person("accept")) as client:
        with pytest.raises(MCPError) as caught:
            await answer(client, forged, id=1)
    assert caught.value.code == INVALID_PARAMS and sent(api) == 0


async def test_an_answer_counts_once():
    api = FakeAPI(SHOWN)
    async with connected(call_context(api), TOOL, elicitation_callback=person("accept")) as client:
        state = (await ask(client, id=1)).request_state
        assert isinstance(await answer(client, state, id=1), types.CallToolResult)
        assert isinstance(await answer(client, state, id=1), types.InputRequiredResult)
    assert sent(api) == 1


async def test_an_answer_for_other_arguments_is_refused():
    api = FakeAPI(SHOWN)
    async with connected(call_context(api), TOOL, elicitation_callback=person("accept")) as client:
        state = (await ask(client, id=1)).request_state
        for other in ({"id": 2}, {"id": 1, "loud": True}):
            with pytest.raises(MCPError):
                await answer(client, state, **other)
    assert sent(api) == 0


async def test_an_answer_of_another_caller_is_refused():
    api = FakeAPI(SHOWN)
    callers = [call_context(api), call_context(api, credentials=Credentials(SecretStr("phx_other000000000000000000")))]
    who = [callers[0]]
    async with connected(lambda _: who[0], TOOL, elicitation_callback=person("accept")) as client:
        state = (await ask(client, id=1)).request_state
        who[0] = callers[1]
        with pytest.raises(MCPError):
            await answer(client, state, id=1)
    assert sent(api) == 0


async def test_an_answer_of_another_server_is_refused():
    api = FakeAPI(SHOWN)
    async with connected(call_context(api), TOOL, elicitation_callback=person("accept")) as client:
        state = (await ask(client, id=1)).request_state
    async with connected(call_context(api), TOOL, elicitation_callback=person("accept")) as client:
        with pytest.raises(MCPError):
            await answer(client, state, id=1)
    assert sent(api) == 0


async def test_an_effect_that_has_changed_is_asked_about_anew():
    api = FakeAPI(SHOWN, reply(200, {"id": 1, "title": "Daily"}))
    async with connected(call_context(api), TOOL, elicitation_callback=person("accept")) as client:
        state = (await ask(client, id=1)).request_state
        again = await answer(client, state, id=1)
    assert isinstance(again, types.InputRequiredResult) and "Daily" in again.model_dump_json()
    assert sent(api) == 0


async def test_a_stale_answer_is_refused(monkeypatch):
    api, now = FakeAPI(SHOWN), [1e9]
    monkeypatch.setattr("mcp.server.request_state.time", python.SimpleNamespace(time=lambda: now[0]))
    async with connected(call_context(api), TOOL, elicitation_callback=person("accept")) as client:
        state = (await ask(client, id=1)).request_state
        now[0] += elicitation.CONFIRMATION_TTL + 1
        with pytest.raises(MCPError):
            await answer(client, state, id=1)
    assert sent(api) == 0


def test_a_nonce_is_forgotten_when_it_expires() -> None:
    now = [0.0]
    nonces = UsedNonces(lambda: now[0])
    assert [nonces.consume("a"), nonces.consume("a"), nonces.consume("b")] == [True, False, True]
    now[0] = elicitation.CONFIRMATION_TTL + 1
    assert nonces.consume("b") and len(nonces) == 1


async def test_a_key_that_has_gone_between_the_rounds_sends_nothing():
    api, gone = FakeAPI(SHOWN), list[bool]()

    def whose(_: Any) -> Any:
        if gone:
            raise ConfigurationError("the key file is empty")
        return call_context(api)

    async with connected(whose, TOOL, elicitation_callback=person("accept")) as client:
        state = (await ask(client, id=1)).request_state
        gone.append(True)
        try:
            result = await answer(client, state, id=1)
        except MCPError as error:
            assert "key file" not in str(error)
        else:
            assert result_meta(result)["code"] == "configuration"
    assert sent(api) == 0


@pytest.mark.parametrize(
    ("capability", "version", "can_send", "able"),
    [
        (None, "2026-07-28", True, False),
        (types.ElicitationCapability(), "2026-07-28", False, True),
        (types.ElicitationCapability(form=types.FormElicitationCapability()), "2026-07-28", False, True),
        (types.ElicitationCapability(url=types.UrlElicitationCapability()), "2026-07-28", True, False),
        (types.ElicitationCapability(), "2025-06-18", True, True),
        (types.ElicitationCapability(), "2025-06-18", False, False),
    ],
)
def test_who_can_be_asked_depends_on_the_client_and_the_way_back(capability, version, can_send, able):
    capabilities = types.ClientCapabilities(elicitation=capability)
    session = python.SimpleNamespace(client_capabilities=capabilities, can_send_request=can_send)
    context: Any = python.SimpleNamespace(session=session, protocol_version=version, request_id=1)
    assert (Elicitor().for_request(context, types.CallToolRequestParams(name=NAME)) is not None) is able


def test_a_client_that_never_said_what_it_can_cannot_be_asked():
    session = python.SimpleNamespace(client_capabilities=None, can_send_request=True)
    context: Any = python.SimpleNamespace(session=session, protocol_version="2025-06-18")
    assert Elicitor().for_request(context, types.CallToolRequestParams(name=NAME)) is None
