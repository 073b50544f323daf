"""The MCP side: handlers over a catalog."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anyio
from mcp import MCPError
from mcp.server import CacheHint, Server, ServerRequestContext
from mcp.server.context import CallNext, HandlerResult, ServerMiddleware
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListToolsResult,
    PaginatedRequestParams,
    Tool,
)

from .. import tracing
from ..api.exchange import CallState
from ..declarations import prompts
from ..declarations.catalog import Catalog
from ..declarations.model import Declaration
from ..errors import ConfigurationError, ToolError
from ..identity import NAME, TITLE, VERSION
from ..jsonio import JSON
from ..pipeline import response as outcome
from ..pipeline.call import CallContext, Confirmer, call_secrets, execute
from ..pipeline.projection import CallResult
from ..redaction import set_secrets
from ..text import closest
from .elicitation import Elicitor, InputRequired, request_state_middleware
from .results import failure, redacted, success

_HINT = CacheHint(ttl_ms=3_600_000, scope="public")
# The lists depend on how the server was started, not on who asks.

log = logging.getLogger("core13_mcp.calls")

ContextResolver = Callable[[ServerRequestContext[Any]], CallContext]
"""On whose behalf a request is made.

Raises:
    ConfigurationError: There is no key to make it with.
"""


def build_server(
    catalog: Catalog, whose: ContextResolver, instructions: str, seal_keys: Sequence[str] = ()
) -> Server[Any]:
    """Build a server that lists the catalog and forwards what it is asked.

    Args:
        seal_keys: What seals a confirmation between its two rounds, the first sealing and all of them opening.
            Processes that share them can each take up what another began; without any, this one has its own.

    Nothing escapes its handlers: what does is shown to 2025-era clients with its text.
    """
    listed = ListToolsResult(tools=[Tool.model_validate(tool.to_mcp()) for tool in catalog.values()])
    scripts = prompts.load_prompts(catalog)
    asking = Elicitor()

    async def list_tools(_: ServerRequestContext[Any], __: PaginatedRequestParams | None) -> ListToolsResult:
        return listed

    async def call_tool(context: ServerRequestContext[Any, Any], params: CallToolRequestParams) -> HandlerResult:
        tool = _known(catalog, params.name)
        try:
            return await _answer(tool, whose(context), context, params, asking)
        except InputRequired as required:
            return required.result
        except ConfigurationError as error:
            return failure(ToolError(f"{tool.name}: {error}", code="configuration"), {})

    async def list_prompts(_: ServerRequestContext[Any], __: PaginatedRequestParams | None) -> ListPromptsResult:
        return prompts.list_result(scripts)

    async def get_prompt(_: ServerRequestContext[Any], params: GetPromptRequestParams) -> GetPromptResult:
        return prompts.render_prompt(scripts, params)

    server: Server[Any] = Server(
        NAME,
        title=TITLE,
        version=VERSION,
        instructions=instructions,
        cache_hints={"tools/list": _HINT, "prompts/list": _HINT},
        get_tool_input_schema=lambda name: catalog[name].input_schema if name in catalog else None,
        on_list_tools=list_tools,
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
    )
    # Not an argument above, where only the SDK's models are taken as a result.
    server.add_request_handler("tools/call", CallToolRequestParams, call_tool)
    spans = map(_sparing, server.middleware)  # the SDK's own, which is all that is there
    server.middleware[:] = [
        *spans,
        request_state_middleware(NAME, lambda context: whose(context).principal, seal_keys),
    ]
    return server


def _sparing(spans: ServerMiddleware[Any]) -> ServerMiddleware[Any]:
    """Spans where they are of use; elsewhere the SDK would make one for each call and throw it away."""

    async def middleware(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        onward = spans(ctx, call_next) if tracing.is_traced(ctx.meta) else call_next(ctx)
        return await onward

    return middleware


async def _answer(
    tool: Declaration,
    caller: CallContext,
    context: ServerRequestContext[Any],
    params: CallToolRequestParams,
    asking: Elicitor,
) -> dict[str, Any]:
    exchange = CallState(caller.timeout, report=_reporter(context))
    arguments = params.arguments or {}
    hidden = call_secrets(tool, arguments, caller)
    set_secrets(hidden)
    said = await _said(tool, arguments, caller, exchange, asking.through(context, params))
    facts = _facts(tool, arguments, caller, exchange)
    _log(tool, caller, said.details["code"] if isinstance(said, ToolError) else "ok", facts)
    return redacted(failure(said, facts) if isinstance(said, ToolError) else success(said, facts), hidden)


async def _said(
    tool: Declaration, arguments: JSON, caller: CallContext, exchange: CallState, ask: Confirmer | None
) -> CallResult | ToolError:
    """What comes of a call, whatever does: only what is no answer to it is raised."""
    try:
        return await execute(tool, arguments, caller, exchange, ask)
    except ToolError as failed:
        return failed
    except (InputRequired, ConfigurationError):
        raise
    except anyio.get_cancelled_exc_class():
        # The client has gone or changed its mind; what was sent by then may have happened.
        _log(tool, caller, "cancelled", _facts(tool, arguments, caller, exchange))
        raise
    except Exception as unforeseen:
        log.exception("unforeseen in %s", tool.name)
        return outcome.from_exception(tool, arguments, unforeseen, sent=exchange.attempts > 0)


def _known(catalog: Catalog, name: str) -> Declaration:
    if name in catalog:
        return catalog[name]
    like = closest(name, catalog)
    meant = f'; did you mean "{like}"?' if like else ""
    raise MCPError(INVALID_PARAMS, f"Unknown tool: {name[:100]}{meant}")


def _log(tool: Declaration, caller: CallContext, result: str, facts: JSON) -> None:
    """One line for a call: how it went, who asked, in which trace, and the facts."""
    told = {"outcome": result, "caller": caller.name, "trace": tracing.trace_id()}
    log.info("%s", tool.name, extra={"facts": {**{name: known for name, known in told.items() if known}, **facts}})


def _facts(tool: Declaration, arguments: Mapping[str, Any], caller: CallContext, exchange: CallState) -> dict[str, Any]:
    facts = {
        "status": exchange.status,
        "attempts": exchange.attempts,
        "waited_seconds": round(exchange.waited, 2) or None,
        "milliseconds": exchange.milliseconds,
        "project": _project(tool, arguments, caller),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _project(tool: Declaration, arguments: Mapping[str, Any], caller: CallContext) -> Any:
    if tool.project is None:
        return None
    current = tool.project.current if tool.read_only else None
    given = arguments.get(tool.project.argument)
    # Whatever else a client says there was refused, and has no place in a log.
    return (given if isinstance(given, int) else None) or caller.project_id or current


def _reporter(context: ServerRequestContext[Any]) -> Callable[[str], Any]:
    told = 0

    async def report(message: str) -> None:
        nonlocal told
        told += 1
        await context.session.report_progress(told, message=message)

    return report
