"""The tools and prompts that the conformance suite calls, added to the real server.

Only the conformance tests use them. The server, its transport, middleware and own tools are those of the product.
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

Handler = Callable[[ServerRequestContext[Any], Any], Awaitable[Any]]


def add_fixtures(server: Server[Any]) -> Server[Any]:
    """Add the fixtures to a server. Calls of other tools and prompts reach the server's own handlers."""
    _extend(server, "tools/list", types.PaginatedRequestParams, _list_tools)
    _extend(server, "tools/call", types.CallToolRequestParams, _call_tool)
    _extend(server, "prompts/list", types.PaginatedRequestParams, _list_prompts)
    _extend(server, "prompts/get", types.GetPromptRequestParams, _get_prompt)
    return server


def _extend(server: Server[Any], method: str, params: type[Any], wrap: Callable[[Handler], Handler]) -> None:
    entry = server.get_request_handler(method)
    assert entry is not None, f"the server has no handler for {method}"
    server.add_request_handler(method, params, wrap(entry.handler))


def _list_tools(original: Handler) -> Handler:
    async def handle(context: ServerRequestContext[Any], params: Any) -> types.ListToolsResult:
        result = await original(context, params)
        schema = {"type": "object", "properties": {"message": {"type": "string"}, "prompt": {"type": "string"}}}
        added = [types.Tool(name=name, description=f"Fixture {name}.", input_schema=schema) for name in NAMES]
        return types.ListToolsResult(tools=[*result.tools, *added])

    return handle


def _call_tool(original: Handler) -> Handler:
    async def handle(context: ServerRequestContext[Any], params: types.CallToolRequestParams) -> Any:
        if params.name in DATA["tools"]:
            return types.CallToolResult(content=CONTENT.validate_python(DATA["tools"][params.name]))
        if params.name in DATA["forms"]:
            return await _elicit(context, params)
        if params.name in DATA["rounds"]:
            return _round(context, params, lambda text: types.CallToolResult(content=[_text(text)]))
        handler = {
            "test_error_handling": _fail,
            "test_tool_with_progress": _progress,
            "test_missing_capability": _needs_sampling,
            "test_logging_tool": _log,
        }.get(params.name)
        return await handler(context, params) if handler else await original(context, params)

    return handle


def _list_prompts(original: Handler) -> Handler:
    async def handle(context: ServerRequestContext[Any], params: Any) -> types.ListPromptsResult:
        result = await original(context, params)
        names = {**DATA["prompts"], "test_input_required_result_prompt": {"arguments": []}}
        added = [
            types.Prompt(
                name=name,
                description=f"Fixture {name}.",
                arguments=[types.PromptArgument(name=argument, required=True) for argument in prompt["arguments"]],
            )
            for name, prompt in names.items()
        ]
        return types.ListPromptsResult(prompts=[*result.prompts, *added])

    return handle


def _get_prompt(original: Handler) -> Handler:
    async def handle(context: ServerRequestContext[Any], params: types.GetPromptRequestParams) -> Any:
        if params.name in DATA["rounds"]:
            return _round(context, params, lambda text: types.GetPromptResult(messages=_messages([_text(text)])))
        if params.name not in DATA["prompts"]:
            return await original(context, params)
        content = json.dumps(DATA["prompts"][params.name]["content"])
        for name, value in (params.arguments or {}).items():
            content = content.replace(f"{{{name}}}", value)
        return types.GetPromptResult(messages=_messages(CONTENT.validate_json(content)))

    return handle


async def _elicit(context: ServerRequestContext[Any], params: types.CallToolRequestParams) -> types.CallToolResult:
    message = (params.arguments or {}).get("message", "Please fill in")
    response = await context.session.elicit_form(message, DATA["forms"][params.name], context.request_id)
    return types.CallToolResult(
        content=[_text(f"Elicitation completed: action={response.action}, content={json.dumps(response.content)}")]
    )


async def _log(context: ServerRequestContext[Any], _: types.CallToolRequestParams) -> types.CallToolResult:
    message = types.LoggingMessageNotificationParams(level="info", data="A log line.")
    if "io.modelcontextprotocol/logLevel" in (context.meta or {}):
        await context.session.send_notification(types.LoggingMessageNotification(params=message), context.request_id)
    return types.CallToolResult(content=[_text("Done.")])


async def _fail(_: ServerRequestContext[Any], __: types.CallToolRequestParams) -> types.CallToolResult:
    text = "This tool intentionally returns an error for testing"
    return types.CallToolResult(content=[_text(text)], is_error=True)


async def _progress(context: ServerRequestContext[Any], _: types.CallToolRequestParams) -> types.CallToolResult:
    for progress in (0, 50, 100):
        await context.session.report_progress(progress, 100)
        # The suite expects separate notifications.
        await anyio.sleep(0.05)
    return types.CallToolResult(content=[_text("Done.")])


async def _needs_sampling(context: ServerRequestContext[Any], _: types.CallToolRequestParams) -> types.CallToolResult:
    capabilities = context.session.client_capabilities
    if capabilities is None or capabilities.sampling is None:
        raise MCPError(-32021, "Missing required client capability", {"requiredCapabilities": {"sampling": {}}})
    return types.CallToolResult(content=[_text("The client can sample.")])


def _round(context: ServerRequestContext[Any], params: Any, finish: Callable[[str], Any]) -> Any:
    """Request the input of the next round, or finish. The request state is the number of the round."""
    rounds = DATA["rounds"][params.name]
    number = int(params.request_state or 0)
    responses = params.input_responses or {}
    requests = _supported(context, rounds[number])
    if set(requests) <= set(responses) and requests:
        number += 1
        if number == len(rounds):
            return finish(f"state-ok {sorted(responses)} {[part.model_dump_json() for part in responses.values()]}")
        requests = _supported(context, rounds[number])
    return types.InputRequiredResult.model_validate(
        {"resultType": "input_required", "inputRequests": requests, "requestState": str(number)}
    )


def _supported(context: ServerRequestContext[Any], requests: dict[str, Any]) -> dict[str, Any]:
    """The requests whose capability the client has."""
    capabilities = context.session.client_capabilities or types.ClientCapabilities()
    return {
        name: request
        for name, request in requests.items()
        if getattr(capabilities, request["method"].partition("/")[0]) is not None
    }


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)


def _messages(content: list[Any]) -> list[types.PromptMessage]:
    return [types.PromptMessage(role="user", content=part) for part in content]
