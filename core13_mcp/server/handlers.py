"""The MCP server: its request handlers and its middleware."""

from __future__ import annotations

import itertools
import logging
import secrets
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import mcp_types as types
from mcp import MCPError
from mcp.server import CacheHint, Server, ServerRequestContext
from mcp.server.context import CallNext, HandlerResult, ServerMiddleware
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from .. import tracing
from ..api.exchange import ProgressCallback
from ..declarations.catalog import Catalog
from ..declarations.prompts import Prompts
from ..errors import ConfigurationError, ToolError
from ..identity import NAME, TITLE, VERSION, icons
from ..pipeline.approval import Channel
from ..pipeline.call import Call, CallContext, prepare
from ..pipeline.confirmation_code import ConfirmationCodes
from ..pipeline.execution import Execution
from ..pipeline.projection import CallResult
from ..redaction import task_secrets
from ..text import did_you_mean
from .elicitation import Elicitor, InputRequired, request_state_middleware
from .instructions import LIST_TTL_MS
from .parameters import explain_invalid_parameters

log = logging.getLogger("core13_mcp.calls")

Request = ServerRequestContext[Any]

ContextResolver = Callable[[Request], CallContext]
"""Returns who makes a request. It raises ConfigurationError if there is no usable API key."""


def build_server(
    catalog: Catalog,
    resolve_context: ContextResolver,
    instructions: str,
    seal_keys: Sequence[str] = (),
    middleware: Sequence[ServerMiddleware[Any]] = (),
) -> Server[Any]:
    """Return an MCP server that offers the tools of a catalog.

    The first of `seal_keys` protects confirmations, and each of them verifies confirmations, so server processes with
    the same keys accept each other's. Without keys, this process uses a random one. `middleware` runs last before a
    handler.
    """
    keys = tuple(seal_keys) or (secrets.token_hex(32),)
    handlers = Handlers(catalog, resolve_context, ConfirmationCodes(keys))
    cache_hint = CacheHint(ttl_ms=LIST_TTL_MS, scope="public")
    server: Server[Any] = Server(
        NAME,
        title=TITLE,
        version=VERSION,
        instructions=instructions,
        icons=[types.Icon.model_validate(icon) for icon in icons()],
        cache_hints={"tools/list": cache_hint, "prompts/list": cache_hint},
        get_tool_input_schema=lambda name: catalog[name].input_schema if name in catalog else None,
        on_list_tools=handlers.list_tools,
        on_list_prompts=handlers.list_prompts,
        on_get_prompt=handlers.get_prompt,
    )
    # Not an argument of the constructor, which accepts only handlers that return models of the SDK.
    server.add_request_handler("tools/call", types.CallToolRequestParams, handlers.call_tool)
    request_state = request_state_middleware(NAME, lambda request: resolve_context(request).principal, keys)
    server.middleware[:] = [
        *map(_only_if_traced, server.middleware),
        explain_invalid_parameters,
        request_state,
        *middleware,
    ]
    return server


class Handlers:
    """The request handlers for a catalog of tools.

    They turn every exception of a call into a result, because the SDK would show its text to clients.
    """

    def __init__(self, catalog: Catalog, resolve_context: ContextResolver, codes: ConfirmationCodes) -> None:
        self._catalog = catalog
        self._codes = codes
        self._resolve_context = resolve_context
        tools = [types.Tool.model_validate(tool.to_mcp()) for tool in catalog.values()]
        self._tools = types.ListToolsResult(tools=tools)
        self._prompts = Prompts(catalog)
        self._elicitor = Elicitor()

    async def list_tools(self, _: Request, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return self._tools

    async def call_tool(self, request: Request, params: types.CallToolRequestParams) -> HandlerResult:
        tool = self._catalog.get(params.name)
        if tool is None:
            suggestion = did_you_mean(params.name, self._catalog)
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {params.name[:100]}. {suggestion}".rstrip())
        try:
            context, report = self._resolve_context(request), _progress_reporter(request)
            call = prepare(tool, params.arguments or {}, context)
            ask = self._elicitor.for_request(request, params, context.confirm_timeout, report)
            execution = Execution(call, Channel(ask, self._codes), report)
            result = await _run(call, execution)
            facts = execution.facts
            _log(call, str(result.details["code"]) if isinstance(result, ToolError) else "ok", facts)
            return _to_mcp(request, result, facts)
        except InputRequired as required:
            return required.result
        except ConfigurationError as error:
            return _to_mcp(request, ToolError(f"{tool.name}: {error}", code="configuration"), {})

    async def list_prompts(self, _: Request, __: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
        return self._prompts.list()

    async def get_prompt(self, _: Request, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        return self._prompts.get(params)


async def _run(call: Call, execution: Execution) -> CallResult | ToolError:
    task_secrets.set(call.secrets)
    try:
        return await execution.run()
    except ToolError as error:
        return error
    except (InputRequired, ConfigurationError):
        raise
    except anyio.get_cancelled_exc_class():
        _log(call, "cancelled", execution.facts)
        raise
    except Exception:
        log.exception("internal error in %s", call.tool.name)
        return execution.internal_error()


def _to_mcp(request: Request, result: CallResult | ToolError, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the result of `tools/call`, as plain JSON.

    The SDK would validate, copy and serialize a model twice, the second time for the protocol version.
    """
    if isinstance(result, ToolError):
        text, outcome = str(result), dict[str, Any](isError=True)
        meta: dict[str, Any] = {"core13-mcp/error": result.details}
    else:
        text, outcome, meta = result.text, {"structuredContent": result.value, "isError": False}, {}
    if facts:
        meta["core13-mcp/call"] = facts
    if request.protocol_version in MODERN_PROTOCOL_VERSIONS:
        # Without it, the SDK adds the description of the server with its icon to every result.
        meta[types.SERVER_INFO_META_KEY] = {"name": NAME, "title": TITLE, "version": VERSION}
    return {"resultType": "complete", "content": [{"type": "text", "text": text}], **outcome, "_meta": meta}


def _log(call: Call, code: str, facts: dict[str, Any]) -> None:
    fields = {"outcome": code, "caller": call.context.name, "trace": tracing.trace_id()}
    present = {name: value for name, value in fields.items() if value}
    log.info("%s", call.tool.name, extra={"details": {**present, **facts}})


def _only_if_traced(middleware: ServerMiddleware[Any]) -> ServerMiddleware[Any]:
    """Skip the SDK's tracing middleware for a request without a recorded span."""

    async def traced(ctx: Request, call_next: CallNext) -> HandlerResult:
        return await (middleware(ctx, call_next) if tracing.is_traced(ctx.meta) else call_next(ctx))

    return traced


def _progress_reporter(request: Request) -> ProgressCallback:
    numbers = itertools.count(1)

    async def report(message: str) -> None:
        await request.session.report_progress(next(numbers), message=message)

    return report
