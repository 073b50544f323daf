"""`python -m bench.profile`: where the time of one stdio call goes, by whose code spends it.

The server runs in this process under cProfile, between two socket pairs, in front of the bench's upstream. cProfile
makes Python code look dearer than built-in code, so the shares say where to look; `bench.instructions` counts.
"""

from __future__ import annotations

import asyncio
import cProfile
import json
import pstats
import socket
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio

from core13_mcp.compose.engine import context_provider
from core13_mcp.declarations.catalog import enabled_tools
from core13_mcp.server.handlers import build_server
from core13_mcp.settings import Settings
from core13_mcp.transports.stdio.framing import JSONRPCStream

from . import measures
from .servers import Server, end

CALLS = 2000
LAYERS = {
    "core13_mcp": "this server",
    "mcp": "the SDK",
    "mcp_types": "the SDK",
    "pydantic": "the SDK",
    "opentelemetry": "the SDK",
    "httpx2": "httpx2",
    "httpcore2": "httpx2",
    "h11": "httpx2",
    "anyio": "anyio",
    "logging": "logging",
}
_GREETING = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "0"}}


def main() -> int:
    """Print the shares as a Markdown table."""
    upstream = measures.upstream(Path(sys.executable))
    try:
        assert upstream.stdout
        spent = anyio.run(_profiled, f"http://127.0.0.1:{int(upstream.stdout.readline())}")
    finally:
        end(upstream)
    whole = sum(spent.values())
    print(f"| of {whole / CALLS * 1e6:,.0f} us under cProfile | |\n|---|---|")
    for layer, seconds in spent.most_common():
        print(f"| {layer} | {seconds / whole:.0%} |")
    return 0


async def _profiled(origin: str) -> Counter[str]:
    settings = Settings.read({"POSTHOG_HOST": origin, "POSTHOG_PERSONAL_API_KEY": "phx_" + "b" * 40}, {})
    (near, far), profile = socket.socketpair(), cProfile.Profile()
    async with context_provider(settings) as caller:
        server = build_server(enabled_tools(settings), lambda _: caller(), "")
        wire = JSONRPCStream(*await asyncio.open_connection(sock=far))
        reader, writer = await asyncio.open_connection(sock=near, limit=1 << 20)

        async def ask(number: int, method: str, params: Mapping[str, Any]) -> None:
            writer.write(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode())
            writer.write(b"\n")
            await reader.readline()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.run, wire.reader, wire.writer, server.create_initialization_options())
            await ask(0, "initialize", _GREETING)
            writer.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
            for number in range(1, CALLS + 101):
                if number == 101:  # warm
                    profile.enable()
                await ask(number, "tools/call", Server("", (), arguments={"detail": "full"}).asked(number))
            profile.disable()
            tasks.cancel_scope.cancel()
    return _by_layer(pstats.Stats(profile))


def _by_layer(profile: pstats.Stats) -> Counter[str]:
    """Seconds by layer; what is built in counts for whoever called it."""
    spent: Counter[str] = Counter()
    for (file, _, _), (_, _, seconds, _, by) in profile.stats.items():  # type: ignore[attr-defined] # untyped
        if file != "~":
            spent[_layer(file)] += seconds
            continue
        for (caller, _, _), (_, _, part, _) in by.items():
            spent[_layer(caller)] += part
    return spent


def _layer(file: str) -> str:
    parts = Path(file).parts
    return next((LAYERS[part] for part in reversed(parts) if part in LAYERS), "Python and the event loop")


if __name__ == "__main__":
    sys.exit(main())
