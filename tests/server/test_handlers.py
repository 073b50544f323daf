from __future__ import annotations

import json
import logging
from typing import Any

import anyio
import httpx2
import pytest
from mcp import MCPError
from mcp.types import INVALID_PARAMS

from core13_mcp import __version__
from core13_mcp.declarations.catalog import load
from core13_mcp.errors import ConfigurationError

from ..clients import CLIENT_MODES, accept, connected, result_meta, result_text
from ..factories import PROJECT, make_tool
from ..fake_api import KEY, FakeAPI, call_context, fail_with, reply

pytestmark = pytest.mark.anyio

in_both_modes = pytest.mark.parametrize("mode", CLIENT_MODES)
OK = reply(200, {"id": 1, "name": "Zoë"})
READ, CREATE = make_tool(), make_tool("POST")


@in_both_modes
async def test_a_client_lists_the_tools_as_they_are_declared(mode):
    async with connected(call_context(FakeAPI(OK)), mode=mode) as client:
        listed = (await client.list_tools()).tools
        assert [tool.model_dump(by_alias=True, exclude_none=True) for tool in listed] == [
            tool.to_mcp() for tool in load().values()
        ]
        assert client.instructions == "Test instructions."
        assert client.server_info is not None
        assert (client.server_info.name, client.server_info.version) == ("core13-mcp", __version__)


async def test_clients_may_cache_and_share_the_list_for_an_hour():
    async with connected(call_context(FakeAPI(OK))) as client:
        listed = await client.list_tools()
    assert (listed.ttl_ms, listed.cache_scope) == (3_600_000, "public")


@in_both_modes
async def test_every_listed_prompt_can_be_requested(mode):
    async with connected(call_context(FakeAPI(OK)), mode=mode) as client:
        for prompt in (await client.list_prompts()).prompts:
            required = {argument.name: "x" for argument in prompt.arguments or [] if argument.required}
            assert (await client.get_prompt(prompt.name, required)).messages
    async with connected(call_context(FakeAPI(OK)), READ, mode=mode) as client:
        assert (await client.list_prompts()).prompts == [], "prompts whose tools are not offered are not listed"


@in_both_modes
async def test_the_text_and_the_structured_content_of_a_result_are_equal(mode):
    async with connected(call_context(FakeAPI(OK)), READ, mode=mode) as client:
        result = await client.call_tool("things-do", {"id": 1})
    assert not result.is_error
    assert result_text(result) == '{"id":1,"name":"Zoë"}'
    assert result.structured_content == json.loads(result_text(result))
    assert result_meta(result, "call").items() >= {"status": 200, "attempts": 1}.items()


@in_both_modes
async def test_an_error_has_a_text_and_details_and_no_structured_content(mode):
    async with connected(call_context(FakeAPI(reply(404, {}))), READ, mode=mode) as client:
        result = await client.call_tool("things-do", {"id": 1})
    assert result.is_error and result.structured_content is None
    assert result_text(result).startswith("things-do: 404 Not Found")
    assert result_meta(result) == {"code": "not_found", "status": 404, "retryable": False}


@in_both_modes
async def test_invalid_arguments_are_a_tool_error_and_not_a_protocol_error(mode):
    api = FakeAPI(OK)
    async with connected(call_context(api), READ, mode=mode) as client:
        result = await client.call_tool("things-do", {"id": "x", "nmae": 1})
    assert result.is_error and "2 invalid arguments" in result_text(result) and api.requests == []


async def test_a_refused_call_does_not_report_the_status_of_the_reads_before_it() -> None:
    arguments = {"project_id": {"type": "integer"}, "id": {"type": "integer"}}
    confirm = [{"level": "require", "read": "/api/things/{id}/", "say": "Really?"}]
    tool = make_tool(
        "POST", "/api/projects/{project_id}/things/{id}/", project=PROJECT, properties=arguments, confirm=confirm
    )
    api = FakeAPI(OK)
    async with connected(call_context(api), tool) as client:
        refused = [await client.call_tool("things-do", {"id": 1, **more}) for more in ({}, {"project_id": 1})]
    assert [result_meta(result)["code"] for result in refused] == ["invalid_arguments", "confirmation_required"]
    assert len(api.requests) == 2 and all(line.startswith("GET") for line in api.request_lines)
    assert not any({"status", "attempts", "waited_seconds"} & result_meta(result, "call").keys() for result in refused)


async def test_the_attempts_of_a_call_do_not_include_the_reads_before_it() -> None:
    tool = make_tool("POST", confirm=[{"level": "ask", "read": "/api/things/{id}/", "say": "Really?"}])
    api = FakeAPI(OK)
    async with connected(call_context(api), tool, elicitation_callback=accept) as client:
        result = await client.call_tool("things-do", {"id": 1})
    assert result_meta(result, "call").items() >= {"status": 200, "attempts": 1}.items() and len(api.requests) == 4


async def test_a_call_that_is_cancelled_while_a_form_is_open_is_logged_without_a_status(caplog) -> None:
    caplog.set_level("INFO", "core13_mcp.calls")
    tool = make_tool("POST", confirm=[{"level": "ask", "read": "/api/things/{id}/", "say": "Really?"}])
    asked = anyio.Event()

    async def wait(*_: Any) -> Any:
        asked.set()
        await anyio.sleep_forever()

    with anyio.fail_after(20):
        async with (
            connected(call_context(FakeAPI(OK)), tool, mode="legacy", elicitation_callback=wait) as client,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(client.call_tool, "things-do", {"id": 1})
            await asked.wait()
            tasks.cancel_scope.cancel()
    [record] = [record for record in caplog.records if record.name == "core13_mcp.calls"]
    assert record.details["outcome"] == "cancelled" and "status" not in record.details


async def test_a_call_whose_preparing_read_fails_reports_the_status_of_that_read() -> None:
    tool = make_tool("POST", confirm=[{"level": "ask", "read": "/api/things/{id}/", "say": "Really?"}])
    async with connected(call_context(FakeAPI(reply(404, {}))), tool) as client:
        result = await client.call_tool("things-do", {"id": 1})
    assert result_meta(result)["status"] == result_meta(result, "call")["status"] == 404


@in_both_modes
async def test_a_call_may_leave_out_its_arguments(mode):
    async with connected(call_context(FakeAPI(OK)), make_tool(path="/api/things/"), mode=mode) as client:
        assert not (await client.call_tool("things-do")).is_error


@in_both_modes
@pytest.mark.parametrize(
    ("name", "message"),
    [("thing-do", 'Did you mean "things-do"?'), ("weather", "Unknown tool: weather"), ("x" * 500, "x" * 100)],
)
async def test_an_unknown_tool_is_a_protocol_error(mode, name, message):
    async with connected(call_context(FakeAPI(OK)), READ, mode=mode) as client:
        with pytest.raises(MCPError) as caught:
            await client.call_tool(name, {})
    assert caught.value.code == INVALID_PARAMS and message in str(caught.value) and len(str(caught.value)) < 200


def crash(_: httpx2.Request) -> httpx2.Response:
    raise RuntimeError("secret text of the exception")


@in_both_modes
async def test_the_error_for_an_unexpected_exception_does_not_show_its_text(mode, caplog):
    async with connected(call_context(FakeAPI(crash)), READ, mode=mode) as client:
        result = await client.call_tool("things-do", {"id": 1})
    assert result.is_error and "internal error" in result_text(result) and "secret text" not in result_text(result)
    assert result_meta(result)["code"] == "failed"
    assert "internal error in things-do" in caplog.text


async def test_a_write_that_ends_with_an_unexpected_exception_has_an_unknown_outcome():
    async with connected(call_context(FakeAPI(crash)), CREATE) as client:
        result = await client.call_tool("things-do", {"id": 1})
    assert result_meta(result)["code"] == "outcome_unknown" and "Check before you call it again" in result_text(result)


@in_both_modes
async def test_a_call_without_a_usable_key_is_a_configuration_error(mode):
    def resolve(_: object) -> object:
        raise ConfigurationError("the key file is empty")

    async with connected(resolve, READ, mode=mode) as client:  # type: ignore[arg-type]  # it only raises
        result = await client.call_tool("things-do", {"id": 1})
    assert result.is_error and result_text(result) == "things-do: the key file is empty"
    assert result_meta(result)["code"] == "configuration"


@in_both_modes
@pytest.mark.parametrize("status", [200, 400])
async def test_a_key_in_a_response_is_redacted(mode, status):
    body = {"detail": f"bad key {KEY}", KEY: [KEY]}
    async with connected(call_context(FakeAPI(reply(status, body))), READ, mode=mode) as client:
        result = await client.call_tool("things-do", {"id": 1})
    assert KEY not in result.model_dump_json() and "[withheld]" in result_text(result)


async def test_a_key_in_an_argument_name_is_redacted():
    async with connected(call_context(FakeAPI()), READ) as client:
        result = await client.call_tool("things-do", {"id": 1, KEY: True})
    assert KEY not in result.model_dump_json() and "[withheld]: no such argument" in result_text(result)


@in_both_modes
@pytest.mark.parametrize(
    "pin",
    [
        "complete",
        "structuredContent",
        "resultType",
        'quoted " pin',
        "with\u200bspace",
        "\x03control",
        "to the\u202e right",
    ],
)
async def test_a_secret_argument_is_redacted_in_the_content_only(mode, pin):
    tool = make_tool("POST", properties={"id": {}, "pin": {"type": "string"}}, secrets=["pin"])
    async with connected(call_context(FakeAPI(reply(200, {"pin": pin}))), tool, mode=mode) as client:
        result = await client.call_tool("things-do", {"id": 1, "pin": pin})
    assert json.loads(result_text(result)) == result.structured_content == {"pin": "[withheld]"}


@in_both_modes
async def test_each_retry_of_a_call_sends_a_progress_notification(mode):
    notifications: list[tuple[float, str | None]] = []

    async def record(progress: float, total: float | None, message: str | None) -> None:
        notifications.append((progress, message))

    api = FakeAPI(reply(429, {}, retry_after="0"), fail_with(httpx2.ReadError), OK)
    async with connected(call_context(api), READ, mode=mode) as client:
        result = await client.call_tool("things-do", {"id": 1}, progress_callback=record)
        with anyio.fail_after(5):
            while len(notifications) < 2:
                await anyio.lowlevel.checkpoint()
    assert notifications == [(1, "status 429; retrying in 0 s"), (2, "no response; retrying in 0 s")]
    assert result_meta(result, "call")["attempts"] == 3


async def test_each_call_is_logged_in_one_line_without_its_arguments_and_result(caplog):
    caplog.set_level(logging.INFO, "core13_mcp")
    async with connected(call_context(FakeAPI(OK), project_id=7, name="ada"), READ) as client:
        await client.call_tool("things-do", {"id": 12345})
    [line] = [record for record in caplog.records if record.name == "core13_mcp.calls"]
    assert line.getMessage() == "things-do"
    assert line.__dict__["details"].items() >= {"outcome": "ok", "status": 200, "caller": "ada"}.items()
    assert "12345" not in str(line.__dict__["details"]) and "Zoë" not in str(line.__dict__["details"])


@pytest.mark.parametrize(
    ("name", "arguments", "pinned", "project"),
    [
        ("subscriptions-list", {}, None, "@current"),
        ("subscriptions-list", {"project_id": 3}, None, 3),
        ("subscriptions-list", {}, 9, 9),
        ("subscriptions-list", {"project_id": "rm -rf"}, None, "@current"),
        ("subscriptions-destroy", {"id": 1, "project_id": 3}, None, 3),
        ("users-retrieve", {}, 9, None),
    ],
)
async def test_the_details_of_a_call_name_its_project(name, arguments, pinned, project):
    async with connected(call_context(FakeAPI(reply(404, {})), project_id=pinned)) as client:
        result = await client.call_tool(name, arguments)
    assert result_meta(result, "call").get("project") == project
