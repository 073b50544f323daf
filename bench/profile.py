"""Show which packages use the time of a stdio call. Usage: python -m bench.profile [BYTES].

The server runs in this process under cProfile and calls the API of the benchmark, whose response has BYTES bytes. cProfile
makes Python code look slower than built-in code, so the shares only show where to look. `bench.instructions` counts.
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
from .servers import INITIALIZE, Server, terminate

CALLS, WARM_UP_CALLS = 2000, 100
PACKAGES = {
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


def main() -> int:
    """Print the shares as a Markdown table, then the slowest functions."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else None
    calls = CALLS if size is None else max(20, min(CALLS, 20_000_000 // size))
    upstream, origin = measures.start_upstream(Path(sys.executable))
    try:
        profile = anyio.run(_profile, origin, calls, size)
    finally:
        terminate(upstream)
    stats = pstats.Stats(profile)
    seconds = _by_package(stats)
    total = sum(seconds.values())
    print(f"| {total / calls * 1e6:,.0f} us per call under cProfile | |\n|---|---|")
    for package, part in seconds.most_common():
        print(f"| {package} | {part / total:.0%} |")
    stats.sort_stats("tottime").print_stats(25)
    return 0


async def _profile(origin: str, calls: int, size: int | None) -> cProfile.Profile:
    environ = {"POSTHOG_HOST": origin, "POSTHOG_PERSONAL_API_KEY": "phx_" + "b" * 40}
    settings = Settings.read({**environ, "CORE13_MAX_RESULT_CHARS": "30000000"}, {})
    (near, far), profile = socket.socketpair(), cProfile.Profile()
    client = Server("", (), arguments={"detail": "full"})
    async with context_provider(settings) as get_context, anyio.create_task_group() as tasks:
        server = build_server(enabled_tools(settings), lambda _: get_context(), "")
        source, sink = await asyncio.open_connection(sock=far)

        async def write_line(line: bytes) -> None:
            sink.write(line + b"\n")
            await sink.drain()

        stream = JSONRPCStream(source, write_line)
        reader, writer = await asyncio.open_connection(sock=near, limit=1 << 26)

        async def request(id_: int, method: str, params: Mapping[str, Any]) -> None:
            message = {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}
            writer.write(json.dumps(message).encode() + b"\n")
            assert b'"isError":true' not in await reader.readline()

        tasks.start_soon(server.run, stream, stream, server.create_initialization_options())
        await request(0, "initialize", INITIALIZE)
        writer.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
        for number in range(1, calls + WARM_UP_CALLS + 1):
            if number > WARM_UP_CALLS:
                profile.enable()
            await request(number, "tools/call", client.call_params(number, size))
        profile.disable()
        tasks.cancel_scope.cancel()
    return profile


def _by_package(stats: pstats.Stats) -> Counter[str]:
    """Return the seconds by package. The time of a built-in function belongs to its caller."""
    seconds: Counter[str] = Counter()
    for (file, _, _), (_, _, own_time, _, callers) in stats.stats.items():  # type: ignore[attr-defined] # untyped
        if file != "~":
            seconds[_package(file)] += own_time
            continue
        for (caller, _, _), (_, _, part, _) in callers.items():
            seconds[_package(caller)] += part
    return seconds


def _package(file: str) -> str:
    parts = reversed(Path(file).parts)
    return next((PACKAGES[part] for part in parts if part in PACKAGES), "Python and the event loop")


if __name__ == "__main__":
    sys.exit(main())
