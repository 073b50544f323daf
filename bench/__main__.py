"""Compare this server with other MCP servers in one run, and print the results as tables."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from core13_mcp.declarations.files import read_declarations

from . import environments, measures, operations
from .servers import Server, free_port, terminate

# The server to which all ratios refer.
BASE = "bare"

PARTS = ("start", "commands", "stdio", "http", "memory", "sizes", "tools", "results")
RESPONSE_SIZES = [1_100, 10_000, 100_000, 1_000_000, 4_000_000]
TOOL_COUNTS = [18, 180, 1800]
MEMORY_CALLS = 10_000

# The peers return the complete response of the API. So does this server, where it is compared with them.
_FULL = {"detail": "full"}


def main() -> int:
    """Measure the parts that the arguments name."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="how often each server is measured (10)")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts, separated by commas ({','.join(PARTS)})")
    parser.add_argument("--json", type=Path, default=environments.BUILD / "results.json", help="file for the results")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch), arguments.rounds)
        try:
            results = {part: getattr(bench, part)() for part in arguments.only.split(",")}
        finally:
            bench.close()
    report = {"environment": environment(), "results": results}
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(report, indent=1))
    print(tables(report))
    return 0


class Bench:
    """This server and its peers, which all call the same API. Each method measures one part."""

    def __init__(self, scratch: Path, rounds: int) -> None:
        self._rounds, self._scratch = rounds, scratch
        self._ours, peers = environments.ours(), environments.peers()
        declarations = read_declarations()
        (scratch / "tools.json").write_text(json.dumps(operations.forwarding_table(declarations)))
        (scratch / "openapi.json").write_text(json.dumps(operations.openapi_document(declarations)))
        self._upstream, self._origin = measures.start_upstream(peers / "python")
        environ = {"POSTHOG_HOST": self._origin, "POSTHOG_PERSONAL_API_KEY": "phx_" + "b" * 40}
        self.ours = Server("ours", (str(self._ours / "core13-mcp"),), environ=environ, arguments=_FULL)
        self.concise = replace(self.ours, name="ours (concise)", arguments={})
        self.bare = self._peer(peers, BASE, "bare.py", "tools.json")
        self.mcpserver = self._peer(peers, "MCPServer", "mcpserver.py", "tools.json")
        fastmcp = self._peer(peers, "FastMCP", "openapi.py", "openapi.json")
        self.fastmcp = replace(fastmcp, tool="subscriptions_retrieve")

    def close(self) -> None:
        """Stop the API."""
        terminate(self._upstream)

    def start(self) -> dict[str, Any]:
        """Measure the time to the tool list, and to the response to a first call."""
        servers = [self.ours, self.bare, self.mcpserver, self.fastmcp]
        return {
            "ms to tools/list": measures.start_times(servers, self._rounds),
            "ms to the first call's response": measures.first_call_times([self.ours, self.bare], self._rounds),
        }

    def commands(self) -> dict[str, Any]:
        """Measure commands that start no server, beside an empty Python program and the start of the bare server."""
        python, ours = str(self._ours / "python"), str(self._ours / "core13-mcp")
        commands = {line: [ours, *line.split()] for line in ("--version", "--help", "tools", "tools --json")}
        results = measures.command_times({"python -c pass": [python, "-c", "pass"], **commands}, self._rounds)
        return {"ms to exit": {**results, **measures.start_times([self.bare], self._rounds)}}

    def stdio(self) -> dict[str, Any]:
        """Measure calls over stdio."""
        our_transport = self._peer(self._ours, "bare, our transport", "thread_free.py", "tools.json")
        servers = [self.ours, self.concise, our_transport, self.bare, self.mcpserver, self.fastmcp]
        sequential, concurrent = measures.stdio_calls(servers, self._origin, self._rounds)
        return {"ms a call": sequential, "calls/s, 32 at once": concurrent}

    def http(self) -> dict[str, Any]:
        """Measure calls over Streamable HTTP, with both protocols."""
        results = {}
        peers = [replace(peer, command=(*peer.command, "http")) for peer in (self.bare, self.mcpserver, self.fastmcp)]
        with_schemas = replace(
            self.bare, name="bare, with schemas", command=(*self.bare.command, "with-schemas", "http")
        )
        for protocol, modern in (("2026", True), ("2025", False)):
            servers = [self._over_http(), *([with_schemas] if modern else []), *peers]
            sequential, concurrent = measures.http_calls(servers, modern, self._rounds)
            results[f"HTTP {protocol}: ms a call"] = sequential
            results[f"HTTP {protocol}: calls/s, 32 at once"] = concurrent
        bare = replace(self.bare, command=(*self.bare.command, "sessions", "http"))
        sequential, concurrent = measures.http_calls([self._over_http(), bare], False, self._rounds, session=True)
        results["HTTP 2025 with a session: ms a call"] = sequential
        results["HTTP 2025 with a session: calls/s, 32 at once"] = concurrent
        return results

    def memory(self) -> dict[str, Any]:
        """Measure the resident memory."""
        servers = [self.ours, self.bare, self.mcpserver, self.fastmcp]
        return {"MB of memory": measures.memory_sizes(servers, MEMORY_CALLS)}

    def sizes(self) -> dict[str, Any]:
        """Count the characters of messages."""
        servers = [self.ours, self.concise, self.bare, self.mcpserver, self.fastmcp]
        return {"characters": measures.message_sizes(servers)}

    def tools(self) -> dict[str, Any]:
        """Measure the start by the number of declared tools."""
        servers, declarations = [], read_declarations()
        for count in TOOL_COUNTS:
            directory = self._scratch / f"declarations-{count}"
            operations.write_copies(declarations, count, directory)
            environ = {**self.ours.environ, "CORE13_TOOLS_DIR": str(directory)}
            servers.append(replace(self.ours, name=f"{count}", environ=environ))
        return {"ms to tools/list, by declared tools": measures.start_times(servers, max(3, self._rounds // 2))}

    def results(self) -> dict[str, Any]:
        """Measure a call by the size of the API's response."""
        ours = replace(self.ours, environ={**self.ours.environ, "CORE13_MAX_RESULT_CHARS": "30000000"})
        servers = [ours, self.bare, self.mcpserver]
        results = measures.call_times_by_size(servers, RESPONSE_SIZES, self._rounds)
        return {f"ms a call, {size:,} bytes": rounds for size, rounds in results.items()}

    def _peer(self, directory: Path, name: str, script: str, data: str) -> Server:
        path = Path(__file__).parent / "peers" / script
        return Server(name, (str(directory / "python"), str(path), str(self._scratch / data), self._origin))

    def _over_http(self) -> Server:
        environ = {
            "CORE13_HTTP": str(free_port()),
            "CORE13_HTTP_RATE": "100000000",
            "CORE13_HTTP_AT_ONCE": "32",
        }
        return replace(self.ours, environ={**self.ours.environ, **environ})


def environment() -> dict[str, str]:
    """Return the machine and the versions of the main packages."""
    names = ("mcp", "httpx2", "pydantic", "anyio")
    return {
        "machine": f"{_processor()}, {os.cpu_count()} CPUs",
        "python": platform.python_version(),
        **{name: version(name) for name in names},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")


def tables(report: Mapping[str, Any]) -> str:
    """Format a report as Markdown tables."""
    lines = [", ".join(f"{name} {value}" for name, value in report["environment"].items()), ""]
    for part in report["results"].values():
        for title, results in part.items():
            lines += _table(title, results)
    return "\n".join(lines)


def _table(title: str, results: Mapping[str, Any]) -> list[str]:
    first = next(iter(results.values()))
    if isinstance(first, dict):
        rows = [
            f"| {name} | " + " | ".join(f"{value:,.0f}" for value in row.values()) + " |"
            for name, row in results.items()
        ]
        return [f"| {title} | " + " | ".join(first) + " |", "|---" * (len(first) + 1) + "|", *rows, ""]
    base = BASE if BASE in results else next(iter(results))
    best = max if "calls/s" in title else min
    rows = [_row(name, values, results[base], best) for name, values in results.items()]
    return [f"| {title} | best | median | x {base}: min | median | max |", "|---|---|---|---|---|---|", *rows, ""]


def _row(name: str, values: list[float], base: list[float], best: Callable[[list[float]], float]) -> str:
    ratios = sorted(value / base_value for value, base_value in zip(values, base, strict=True))
    cells = [f"{best(values):,.2f}", f"{statistics.median(values):,.2f}"]
    cells += [f"{ratio:.2f}" for ratio in (ratios[0], statistics.median(ratios), ratios[-1])]
    return f"| {name} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
