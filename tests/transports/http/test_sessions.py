"""Sessions of clients of the 2025 protocols that can show forms: questions, owners, limits and their end."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import anyio
import httpx2
import mcp_types as types
import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client

from core13_mcp import sandbox
from core13_mcp.keys import SecretStr
from core13_mcp.settings import Settings

from ...asgi import listening
from ...clients import result_meta
from .http_server import StubAPI, child, post, serving
from .session_client import FORMS, raw_client

pytestmark = pytest.mark.anyio

TEST_DELIVERY = {"project_id": 1, "id": 1}


@asynccontextmanager
async def person(url: str, action: str) -> AsyncIterator[Client]:
    """Connect the SDK's client of the 2025 protocol, with a person who answers every question like this."""

    async def elicit(context: ClientRequestContext, params: types.ElicitRequestParams) -> types.ElicitResult:
        assert isinstance(params, types.ElicitRequestFormParams)
        content = dict.fromkeys(params.requested_schema["properties"], True) if action == "accept" else None
        return types.ElicitResult(action=action, content=content)  # type: ignore[arg-type]  # accept or decline

    async with httpx2.AsyncClient(timeout=20) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode="legacy", elicitation_callback=elicit) as client:
            yield client


def own_key(**fields: Any) -> Settings:
    return Settings(**{"auth": "own-key", "sandbox": True, "log_level": "error", **fields})


@pytest.mark.usefixtures("instant_answers")
async def test_a_2025_client_is_asked_and_its_answer_decides(url: str) -> None:
    async with person(url, "accept") as client:
        accepted = await client.call_tool("subscriptions-test-delivery-create", TEST_DELIVERY)
    async with person(url, "decline") as client:
        declined = await client.call_tool("subscriptions-test-delivery-create", TEST_DELIVERY)
    assert not accepted.is_error, accepted.content
    assert result_meta(declined)["code"] == "confirmation_instant"


async def test_an_answer_does_not_wait_for_the_calls_of_its_caller(settings: Settings) -> None:
    settings = settings._replace(http_at_once=1)
    async with serving(settings) as server, raw_client(server.url) as client:
        await client.initialize()
        async with client.call("subscriptions-test-delivery-create", TEST_DELIVERY) as messages:
            question = await anext(messages)
            # The call that waits for its answer uses no slot, so another call of the caller runs.
            assert (await client.request("tools/call", name="users-retrieve")).status_code == 200
            assert (await client.answer(question)).status_code == 202
            result = await anext(messages)
    assert question["method"] == "elicitation/create"
    assert not result["result"]["isError"]


async def test_an_error_of_the_client_and_an_answer_to_no_question_confirm_nothing(url: str) -> None:
    async with raw_client(url) as client:
        await client.initialize()
        async with client.call("subscriptions-test-delivery-create", TEST_DELIVERY) as messages:
            question = await anext(messages)
            assert (await client.answer({**question, "id": 99})).status_code == 202
            error = {"code": -32603, "message": "no window"}
            await client.send({"jsonrpc": "2.0", "id": question["id"], "error": error})
            result = await anext(messages)
    assert result["result"]["_meta"]["core13-mcp/error"]["code"] == "confirmation_failed"
    assert "no window" in json.dumps(result)


async def test_a_question_without_an_answer_is_cancelled_at_the_client(settings: Settings) -> None:
    async with serving(settings._replace(confirm_timeout=0.1)) as server, raw_client(server.url) as client:
        await client.initialize()
        async with client.call("subscriptions-test-delivery-create", TEST_DELIVERY) as messages:
            question, cancelled, result = [message async for message in messages]
    assert (cancelled["method"], cancelled["params"]["requestId"]) == ("notifications/cancelled", question["id"])
    assert result["result"]["_meta"]["core13-mcp/error"]["code"] == "confirmation_timeout"


async def test_a_client_can_cancel_its_call_in_a_session() -> None:
    api = StubAPI()
    async with listening(api) as origin:
        settings = Settings(host=origin, personal_api_key=SecretStr("phx_key"), log_level="error")
        async with serving(settings) as server, raw_client(server.url) as client:
            await client.initialize()
            cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled"}

            async def cancel() -> None:
                await api.reached.wait()
                for request_id in (99, 2):
                    await client.send({**cancelled, "params": {"requestId": request_id}})

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(cancel)
                response = await client.request("tools/call", name="users-retrieve")
            await api.disconnected.wait()
    assert response.json()["error"]["code"] == -32800


async def test_an_initialize_request_that_fails_opens_no_session(settings: Settings) -> None:
    async with serving(settings, max_sessions=1) as server, raw_client(server.url) as client:
        failed = await client.request("initialize", capabilities=FORMS)
        await client.initialize()
    assert "error" in failed.json()
    assert "Mcp-Session-Id" not in failed.headers
    assert client.id


async def test_calls_that_wait_for_answers_do_not_count_as_open_requests(settings: Settings) -> None:
    # A caller may have five open requests, and five open questions.
    settings = settings._replace(http_at_once=1)
    async with serving(settings) as server, raw_client(server.url) as client:
        await client.initialize()
        questions = []

        async def call(*, task_status: Any) -> None:
            async with client.call("subscriptions-test-delivery-create", TEST_DELIVERY) as messages:
                async for message in messages:
                    questions.append(message)
                    task_status.started()
                    await anyio.sleep_forever()

        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                await tasks.start(call)
            refused = (await client.request("tools/call", name="users-destroy")).text
            answered = await client.answer(questions[0], "decline")
            tasks.cancel_scope.cancel()
    assert "confirmation_required" in refused
    assert answered.status_code == 202


@pytest.mark.parametrize("capabilities", [{}, {"elicitation": {"url": {}}}, {"elicitation": "x"}, {"sampling": {}}])
async def test_a_client_that_cannot_show_forms_gets_no_session(url: str, capabilities: Mapping[str, Any]) -> None:
    async with raw_client(url) as client:
        await client.initialize(capabilities)
        listed = await client.request("tools/list")
    assert client.id is None
    assert listed.status_code == 200


async def test_a_message_that_is_not_json_opens_no_session(url: str) -> None:
    async with raw_client(url) as client:
        response = await client.http.post(url, content=b'{"initialize elicitation', headers=client.headers)
    assert response.status_code == 400
    assert "Mcp-Session-Id" not in response.headers


async def test_a_2026_client_has_no_session_and_its_session_header_is_ignored(url: str) -> None:
    async with raw_client(url) as client:
        await client.initialize()
    for session_id in ("unknown", client.id or ""):
        response = await post(url, "tools/call", sent={"Mcp-Session-Id": session_id}, name="users-retrieve")
        assert response.status_code == 200
        assert "Mcp-Session-Id" not in response.headers


async def test_without_the_setting_no_client_gets_a_session_and_a_session_header_is_ignored(settings: Settings) -> None:
    async with serving(settings._replace(http_sessions=False)) as server, raw_client(server.url) as client:
        await client.initialize()
        assert client.id is None
        client.headers["Mcp-Session-Id"] = "of-another-server"
        listed = await client.request("tools/list")
        stream = await client.http.get(server.url, headers=client.headers)
    assert (listed.status_code, stream.status_code) == (200, 405)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_an_unknown_session_and_that_of_another_caller_get_the_same_404(method: str) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    async with (
        serving(own_key()) as server,
        raw_client(server.url, X_PostHog_Api_Key=sandbox.FULL_KEY) as ada,
        raw_client(server.url, X_PostHog_Api_Key=sandbox.STAFF_KEY) as hedy,
    ):
        await ada.initialize()
        responses = []
        for session_id in (ada.id or "", "unknown"):
            sent = {**hedy.headers, "Mcp-Session-Id": session_id}
            responses.append(await hedy.http.request(method, server.url, headers=sent, json=body))
        assert (await ada.request("tools/list")).status_code == 200
    assert [response.status_code for response in responses] == [404, 404]
    assert responses[0].content == responses[1].content
    assert "initialize" in responses[0].json()["error"]["message"]


async def test_another_token_of_the_same_caller_can_use_the_session(tmp_path: Any) -> None:
    tokens = ["first-token-of-anna-" + "t" * 32, "second-token-of-anna-" + "t" * 32]
    (tmp_path / "tokens").write_text("".join(f"anna: {token}\n" for token in tokens))
    settings = Settings(sandbox=True, auth="token", caller_tokens_file=str(tmp_path / "tokens"), log_level="error")
    async with serving(settings) as server, raw_client(server.url, Authorization=f"Bearer {tokens[0]}") as client:
        await client.initialize()
        client.http.headers["Authorization"] = f"Bearer {tokens[1]}"
        rotated = await client.request("tools/list")
        client.http.headers["Authorization"] = "Bearer unknown"
        unknown = await client.request("tools/list")
    assert (rotated.status_code, unknown.status_code) == (200, 401)


async def test_delete_ends_a_session_and_its_open_question(url: str) -> None:
    async with raw_client(url) as client:
        await client.initialize()
        async with client.call("subscriptions-test-delivery-create", TEST_DELIVERY) as messages:
            await anext(messages)
            deleted = await client.http.delete(url, headers=client.headers)
            rest = [message async for message in messages]
        after = await client.request("tools/list")
    assert (deleted.status_code, after.status_code) == (200, 404)
    assert all("error" in message or message["result"]["isError"] for message in rest)


async def test_an_idle_session_ends_and_one_with_a_stream_does_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        serving(settings, session_idle=600) as server,
        raw_client(server.url) as idle,
        raw_client(server.url) as streaming,
    ):
        await streaming.initialize()
        async with streaming.http.stream("GET", server.url, headers=streaming.headers):
            await idle.initialize()
            assert (await idle.request("tools/list")).status_code == 200
            later = SimpleNamespace(current_time=lambda: anyio.current_time() + 601)
            monkeypatch.setattr("core13_mcp.transports.http.sessions.anyio", later)
            assert (await idle.request("tools/list")).status_code == 404
            assert (await streaming.request("tools/list")).status_code == 200


async def test_a_session_has_one_stream_and_other_methods_are_not_allowed(url: str) -> None:
    async with raw_client(url) as client:
        await client.initialize()
        async with client.http.stream("GET", url, headers=client.headers) as first:
            second = await client.http.get(url, headers=client.headers)
        put = await client.http.put(url, headers=client.headers)
        without_session = await client.http.get(url, headers={"Accept": "text/event-stream"})
    assert (first.status_code, second.status_code) == (200, 409)
    assert (put.status_code, without_session.status_code) == (405, 405)


async def test_a_stream_gets_comments_and_ends_with_its_session(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core13_mcp.transports.http.exchange.PING_INTERVAL", 0.05)
    async with raw_client(url) as client:
        await client.initialize()
        async with client.http.stream("GET", url, headers=client.headers) as stream:
            lines = stream.aiter_lines()
            assert await anext(lines) == ": ping"
            await client.http.delete(url, headers=client.headers)
            assert {line async for line in lines} <= {"", ": ping"}


async def test_a_body_of_another_type_gets_415(url: str) -> None:
    async with raw_client(url) as client:
        response = await client.http.post(url, content=b"{}", headers={**client.headers, "Content-Type": "text/plain"})
    assert response.status_code == 415
    assert "Content-Type: application/json" in response.json()["error"]["message"]


async def test_streams_do_not_count_as_open_requests(settings: Settings) -> None:
    async with serving(settings._replace(http_at_once=1)) as server, anyio.create_task_group() as tasks:

        async def stream(*, task_status: Any) -> None:
            async with raw_client(server.url) as client:
                await client.initialize()
                async with client.http.stream("GET", server.url, headers=client.headers) as response:
                    task_status.started(response.status_code)
                    await anyio.sleep_forever()

        statuses = [await tasks.start(stream) for _ in range(6)]
        tasks.cancel_scope.cancel()
    assert statuses == [200] * 6


@pytest.mark.parametrize(
    ("limits", "has_session"),
    [({"sessions_per_caller": 1}, [True, False, True]), ({"max_sessions": 1}, [True, False, False])],
)
async def test_above_the_limits_a_client_is_served_without_a_session(limits: Any, has_session: list[bool]) -> None:
    ids, keys = [], (sandbox.FULL_KEY, sandbox.FULL_KEY, sandbox.STAFF_KEY)
    async with serving(own_key(), **limits) as server:
        for key in keys:
            async with raw_client(server.url, X_PostHog_Api_Key=key) as client:
                await client.initialize()
                assert (await client.request("tools/call", name="users-retrieve")).status_code == 200
                ids.append(client.id)
        async with raw_client(server.url, X_PostHog_Api_Key=keys[0]) as client:
            client.headers["Mcp-Session-Id"] = ids[0] or ""
            await client.http.delete(server.url, headers=client.headers)
            del client.headers["Mcp-Session-Id"]
            await client.initialize()
            assert client.id
    assert [session_id is not None for session_id in ids] == has_session


async def test_a_client_that_disconnects_in_a_session_cancels_its_request_to_the_api(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The first ping starts the response, for which the client waits.
    monkeypatch.setattr("core13_mcp.transports.http.exchange.PING_INTERVAL", 0.05)
    api = StubAPI()
    async with listening(api) as origin:
        settings = Settings(host=origin, personal_api_key=SecretStr("phx_key"), log_level="error")
        async with serving(settings) as server, raw_client(server.url) as client:
            await client.initialize()
            async with client.call("users-retrieve", {}):
                await api.reached.wait()
            await api.disconnected.wait()


async def test_after_sigterm_open_questions_end_with_a_result_and_streams_end() -> None:
    variables = {"CORE13_SANDBOX": "1", "CORE13_HTTP_DRAIN": "0.2"}
    async with child(**variables) as (process, url), raw_client(url) as client:
        await client.initialize()
        async with (
            client.call("subscriptions-test-delivery-create", TEST_DELIVERY) as messages,
            client.http.stream("GET", url, headers=client.headers) as stream,
        ):
            question = await anext(messages)
            process.send_signal(signal.SIGTERM)
            result = await anext(message async for message in messages if "result" in message)
            async for _ in stream.aiter_lines():
                pass
        assert await process.wait() == 0
    assert question["method"] == "elicitation/create"
    assert "the connection or this server ended before the question got an answer" in json.dumps(result)


async def test_in_the_drain_phase_an_answer_arrives_and_new_clients_get_no_session() -> None:
    async with child(CORE13_SANDBOX="1", CORE13_HTTP_DRAIN="600") as (process, url), raw_client(url) as client:
        await client.initialize()
        async with client.call("subscriptions-test-delivery-create", TEST_DELIVERY) as messages:
            question = await anext(messages)
            process.send_signal(signal.SIGTERM)
            while (await client.http.get(url.replace("/mcp", "/readyz"))).status_code == 200:
                pass
            async with raw_client(url) as late:
                await late.initialize()
            await client.answer(question)
            result = await anext(messages)
    assert late.id is None
    assert not result["result"]["isError"]
