"""A real MCP client in front of the real server, in memory, in either era of the protocol."""

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

ERAS = ["auto", "legacy"]
"""How the SDK's client is told to speak: 2026-07-28, or the handshake of 2025."""


@asynccontextmanager
async def connected(
    whose: CallContext | ContextResolver, *tools: Declaration, mode: str = "auto", **client: Any
) -> AsyncIterator[Client]:
    """A client of a server that offers these tools, or all shipped ones, on behalf of this caller."""
    catalog: Mapping[str, Declaration] = {tool.name: tool for tool in tools} or load()
    found = whose if callable(whose) else lambda _: whose
    async with Client(build_server(catalog, found, "Be kind."), mode=mode, **client) as connection:
        yield connection


def text(result: types.CallToolResult) -> str:
    """What a model reads of a result."""
    [said] = result.content
    assert isinstance(said, types.TextContent)
    return said.text


def facts(result: types.CallToolResult, kind: str = "error") -> dict[str, Any]:
    """What a program reads of a result."""
    found: dict[str, Any] = (result.meta or {})[f"core13-mcp/{kind}"]
    return found
