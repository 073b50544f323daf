"""`core13-mcp serve`: serve MCP over stdio, or over HTTP."""

from __future__ import annotations

import gc
import logging
import os
from argparse import Namespace

from ...compose.engine import context_provider, log_credentials
from ...declarations.catalog import enabled_tools, load
from ...server.handlers import build_server
from ...server.instructions import instructions
from ...server.seal_keys import read_seal_keys
from ...settings import Settings
from ...transports.stdio.streams import open_streams

log = logging.getLogger("core13_mcp")


async def run(arguments: Namespace, settings: Settings) -> int:
    """Serve until the client closes the connection, or over HTTP until the process is stopped."""
    if settings.http is not None:
        from ...compose import http  # imports Starlette and uvicorn, which stdio does not need

        return await http.run(settings, settings.http)
    # All imports are complete here. Requests that arrived meanwhile need not wait for the server.
    arguments.fast_start.answer()
    declared = load(settings.tools_dir)
    catalog = enabled_tools(settings, declared)
    async with context_provider(settings) as get_context:
        text = instructions(settings, len(catalog), len(declared))
        server = build_server(catalog, lambda _: get_context(), text, read_seal_keys(settings))
        api = "the embedded sandbox" if settings.sandbox else settings.host
        tools = "1 tool" if len(catalog) == 1 else f"{len(catalog)} tools"
        log.info("serving %s over stdio, calls go to %s", tools, api)
        log_credentials(get_context().credentials)
        if os.isatty(0):
            log.info("MCP clients start this command. Ctrl-C stops it. `core13-mcp demo` shows an example session.")
        # Modules stay in memory. A collection that searches them blocks all calls for 50 ms.
        gc.freeze()
        async with open_streams(*arguments.fast_start.detach()) as (reader, writer):
            await server.run(reader, writer, server.create_initialization_options())
    return 0
