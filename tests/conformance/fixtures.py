"""The fixture tools and prompts that the conformance suite calls, put beside the real ones of a real server.

Only this test build has them. The server, its transport, its middleware and its own tools are the product's.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
from mcp.server import Server, ServerRequestContext
from mcp.shared.exceptions import MCPError
from pydantic import TypeAdapter

DATA: dict[str, Any] = json.loads(Path(__file__).with_name("fixtures.json").read_text("utf-8"))
CONTENT: TypeAdapter[list[types.ContentBlock]] = TypeAdapter(list[types.ContentBlock])
NAMES = [*DATA["tools"], *DATA["forms"], *(name for name in DATA["rounds"] if not name.endswith("_prompt"))]
NAMES += ["test_error_handling", "test_tool_with_progress", "test_missing_capability", "test_logging_tool"]

Handle = Callable[[ServerRequestContext[Any], Any], Awaitable[Any]]


def mount(server: Server[Any]) -> Server[Any]:
    """Add the fixtures to a server, in front of what it has."""
    _extend(server, "tools/list", types.PaginatedRequestParams, _tools_after)
    _extend(server, "tools/call", types.CallToolRequestParams, _call_before)
    _extend(server, "prompts/list", types.PaginatedRequestParams, _prompts_after)
    _extend(server, "prompts/get", types.GetPromptRequestParams, _get_before)
    return server


def _extend(server: Server[Any], method: str, params: type[Any], around: Callable[[Handle], Handle]) -> None:
    own = server.get_request_handler(method)
    assert own is not None, f"the server does not serve {method}"
    server.add_request_handler(method, params, around(own.handler))


def _tools_after(own: Handle) -> Handle:
    async def handle(context: ServerRequestContext[Any], params: Any) -> types.ListToolsResult:
        listed = await own(context, params)
        schema = {"type": "object", "properties": {"message": {"type": "string"}, "prompt": {"type": "string"}}}
        added = [types.Tool(name=name, description=f"Fixture {name}.", input_schema=schema) for name in NAMES]
        return types.ListToolsResult(tools=[*listed.tools, *added])

    return handle


def _call_before(own: Handle) -> Handle:
    async def handle(context: ServerRequestContext[Any], params: types.CallToolRequestParams) -> Any:
        if params.name in DATA["tools"]:
            return types.CallToolResult(content=CONTENT.validate_python(DATA["tools"][params.name]))
        if params.name in DATA["forms"]:
            return await _elicit(context, params)
        if params.name in DATA["rounds"]:
            return _round(context, params, lambda said: types.CallToolResult(content=[_text(said)]))
        special = {
            "test_error_handling": _fail,
            "test_tool_with_progress": _progress,
            "test_missing_capability": _needs_sampling,
            "test_logging_tool": _log,
        }.get(params.name)
        return await special(context, params) if special else await own(context, params)

    return handle


def _prompts_after(own: Handle) -> Handle:
    async def handle(context: ServerRequestContext[Any], params: Any) -> types.ListPromptsResult:
        listed = await own(context, params)
        names = {**DATA["prompts"], "test_input_required_result_prompt": {"arguments": []}}
        added = [
            types.Prompt(
                name=name,
                description=f"Fixture {name}.",
                arguments=[types.PromptArgument(name=argument, required=True) for argument in prompt["arguments"]],
            )
            for name, prompt in names.items()
        ]
        return types.ListPromptsResult(prompts=[*listed.prompts, *added])

    return handle


def _get_before(own: Handle) -> Handle:
    async def handle(context: ServerRequestContext[Any], params: types.GetPromptRequestParams) -> Any:
        if params.name in DATA["rounds"]:
            return _round(context, params, lambda said: types.GetPromptResult(messages=_messages([_text(said)])))
        if params.name not in DATA["prompts"]:
            return await own(context, params)
        filled = json.dumps(DATA["prompts"][params.name]["content"])
        for name, value in (params.arguments or {}).items():
            filled = filled.replace(f"{{{name}}}", value)
        return types.GetPromptResult(messages=_messages(CONTENT.validate_json(filled)))

    return handle


async def _elicit(context: ServerRequestContext[Any], params: types.CallToolRequestParams) -> types.CallToolResult:
    message = (params.arguments or {}).get("message", "Please fill in")
    answer = await context.session.elicit_form(message, DATA["forms"][params.name], context.request_id)
    return types.CallToolResult(
        content=[_text(f"Elicitation completed: action={answer.action}, content={json.dumps(answer.content)}")]
    )


async def _log(context: ServerRequestContext[Any], _: types.CallToolRequestParams) -> types.CallToolResult:
    said = types.LoggingMessageNotificationParams(level="info", data="A line that nobody asked for.")
    if "io.modelcontextprotocol/logLevel" in (context.meta or {}):
        await context.session.send_notification(types.LoggingMessageNotification(params=said), context.request_id)
    return types.CallToolResult(content=[_text("Done.")])


async def _fail(_: ServerRequestContext[Any], __: types.CallToolRequestParams) -> types.CallToolResult:
    said = "This tool intentionally returns an error for testing"
    return types.CallToolResult(content=[_text(said)], is_error=True)


async def _progress(context: ServerRequestContext[Any], _: types.CallToolRequestParams) -> types.CallToolResult:
    for progress in (0, 50, 100):
        await context.session.report_progress(progress, 100)
        await anyio.sleep(0.05)  # the suite wants to see them arrive one by one
    return types.CallToolResult(content=[_text("Done.")])


async def _needs_sampling(context: ServerRequestContext[Any], _: types.CallToolRequestParams) -> types.CallToolResult:
    able = context.session.client_capabilities
    if able is None or able.sampling is None:
        raise MCPError(-32021, "Missing required client capability", {"requiredCapabilities": {"sampling": {}}})
    return types.CallToolResult(content=[_text("The client can sample.")])


def _round(context: ServerRequestContext[Any], params: Any, finish: Callable[[str], Any]) -> Any:
    """Ask what is still to be asked, or finish; the state says which round this is."""
    rounds = DATA["rounds"][params.name]
    reached = int(params.request_state or 0)
    answered = params.input_responses or {}
    wanted = _supported(context, rounds[reached])
    if set(wanted) <= set(answered) and wanted:
        reached += 1
        if reached == len(rounds):
            return finish(f"state-ok {sorted(answered)} {[part.model_dump_json() for part in answered.values()]}")
        wanted = _supported(context, rounds[reached])
    return types.InputRequiredResult.model_validate(
        {"resultType": "input_required", "inputRequests": wanted, "requestState": str(reached)}
    )


def _supported(context: ServerRequestContext[Any], requests: dict[str, Any]) -> dict[str, Any]:
    able = context.session.client_capabilities or types.ClientCapabilities()
    can = {"elicitation": able.elicitation, "sampling": able.sampling, "roots": able.roots}
    return {name: asked for name, asked in requests.items() if can[asked["method"].partition("/")[0]] is not None}


def _text(said: str) -> types.TextContent:
    return types.TextContent(type="text", text=said)


def _messages(content: list[Any]) -> list[types.PromptMessage]:
    return [types.PromptMessage(role="user", content=part) for part in content]
