"""The SDK's client, connected in memory to the real server, for old and new protocol versions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import mcp_types as types
from mcp import Client

from core13_mcp.declarations.catalog import load
from core13_mcp.declarations.model import Declaration
from core13_mcp.pipeline.call import CallContext
from core13_mcp.server.handlers import ContextResolver, build_server

# Modes of the SDK's client: protocol 2026-07-28, and the handshake of the 2025 revisions.
CLIENT_MODES = ["auto", "legacy"]


async def accept(context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:
    """Answer every question with yes, as an elicitation callback."""
    return types.ElicitResult(action="accept", content={"confirm": True})


@asynccontextmanager
async def connected(
    context: CallContext | ContextResolver, *tools: Declaration, mode: str = "auto", **options: Any
) -> AsyncIterator[Client]:
    """Connect a client to a server with these tools, or with all shipped tools."""
    catalog: Mapping[str, Declaration] = {tool.name: tool for tool in tools} or load()
    resolve = context if callable(context) else lambda _: context
    async with Client(build_server(catalog, resolve, "Test instructions."), mode=mode, **options) as client:
        yield client


def result_text(result: types.CallToolResult) -> str:
    """The text that a model reads."""
    [content] = result.content
    assert isinstance(content, types.TextContent)
    return content.text


def result_meta(result: types.CallToolResult, kind: str = "error") -> dict[str, Any]:
    """The machine-readable details in `_meta`."""
    details: dict[str, Any] = (result.meta or {})[f"core13-mcp/{kind}"]
    return details
