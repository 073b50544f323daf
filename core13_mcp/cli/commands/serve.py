"""`core13-mcp serve`: MCP over stdio, or over HTTP."""

from __future__ import annotations

import argparse
import logging
import os

import anyio

from ...compose.engine import context_provider
from ...declarations.catalog import enabled_tools, load
from ...server.handlers import build_server
from ...server.instructions import instructions
from ...settings import Settings
from ...transports.stdio.fast_start import Front
from ...transports.stdio.streams import open_streams

log = logging.getLogger("core13_mcp")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Serve until the client goes away, or over HTTP until the process is told to end.

    Raises:
        Core13Error: It cannot start as it is set up.
    """
    if settings.http is not None:
        from ...compose import http as serve_http  # Starlette and uvicorn are for those who ask for them

        return await serve_http.run(settings, settings.http)
    declared = load(settings.tools_dir)
    catalog = enabled_tools(settings, declared)
    async with context_provider(settings) as caller:
        told = instructions(settings, len(catalog), len(declared))
        server = build_server(catalog, lambda _: caller(), told)
        where = "the embedded sandbox" if settings.sandbox else settings.host
        log.info("serving %d tools over stdio, in front of %s", len(catalog), where)
        if os.isatty(0):
            log.info("an MCP client starts this and speaks to it; `core13-mcp demo` shows how, Ctrl-C ends it")
        front: Front = arguments.front
        async with anyio.create_task_group() as tasks, open_streams(*front.hand_over()) as (reader, writer):
            tasks.start_soon(front.keep, server)
            await server.run(reader, writer, server.create_initialization_options())
            tasks.cancel_scope.cancel()
    return 0
