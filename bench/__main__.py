"""`python -m bench`: every measure in one run, as a table and as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from core13_mcp.declarations.catalog import load

from . import environments, measures, operations
from .servers import Server, end, free_port

BASE = "bare"
SIZES = [1_100, 10_000, 100_000, 1_000_000, 4_000_000]
COUNTS = [18, 180, 1800]


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--only", default="start,commands,stdio,http,memory,sizes,tools,results")
    parser.add_argument("--json", type=Path, default=environments.PLACE / "results.json")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch), given.rounds)
        try:
            found = {part: getattr(bench, part)() for part in given.only.split(",")}
        finally:
            bench.close()
    report = {"about": about(), "found": found}
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(report, indent=1))
    print(table(report))
    return 0


class Bench:
    """The contestants, in front of one upstream."""

    def __init__(self, scratch: Path, rounds: int) -> None:
        self._rounds, self._scratch = rounds, scratch
        self._ours, peers = environments.ours(), environments.peers()
        catalog = load()
        (scratch / "tools.json").write_text(json.dumps(operations.table(catalog)))
        (scratch / "openapi.json").write_text(json.dumps(operations.openapi(catalog)))
        self._upstream = measures.upstream(peers / "python")
        assert self._upstream.stdout
        self.origin = f"http://127.0.0.1:{int(self._upstream.stdout.readline())}"
        self._environ = {
            "POSTHOG_HOST": self.origin,
            "POSTHOG_PERSONAL_API_KEY": "phx_" + "b" * 40,
            "XDG_CACHE_HOME": str(scratch / "cache"),
        }
        self.ours = Server("ours", (str(self._ours / "core13-mcp"),), environ=self._environ, arguments=_FULL)
        self.bare = self._peer(peers, BASE, "bare.py", "tools.json")
        self.mcpserver = self._peer(peers, "MCPServer", "mcpserver.py", "tools.json")
        self.fastmcp = replace(
            self._peer(peers, "FastMCP", "openapi.py", "openapi.json"), tool="subscriptions_retrieve"
        )

    def close(self) -> None:
        """End what was started."""
        end(self._upstream)

    def start(self) -> dict[str, Any]:
        """Spawn to tools, and to the first call."""
        first = replace(self.ours, name="ours (first)")
        servers = [self.ours, first, self.bare, self.mcpserver, self.fastmcp]
        return {
            "ms to tools/list": measures.starts(servers, self._rounds),
            "ms to a first call sent at once": measures.first_calls([self.ours, self.bare], self._rounds),
        }

    def commands(self) -> dict[str, Any]:
        """Commands that need no server, beside the empty interpreter and the bare server's start."""
        python, ours = str(self._ours / "python"), str(self._ours / "core13-mcp")
        lines = {words: [ours, *words.split()] for words in ("--version", "--help", "tools", "tools --json")}
        found = measures.commands({"python -c pass": [python, "-c", "pass"], **lines}, self._rounds)
        return {"ms to exit": {**found, **measures.starts([self.bare], self._rounds)}}

    def stdio(self) -> dict[str, Any]:
        """Calls over stdio."""
        concise = replace(self.ours, name="ours (concise)", arguments={})
        floor = self._peer(self._ours, "bare, our transport", "thread_free.py", "tools.json")
        one, many = measures.stdio_calls(
            [self.ours, concise, floor, self.bare, self.mcpserver, self.fastmcp], self.origin, self._rounds
        )
        return {"ms a call": one, "calls/s, 32 at once": many}

    def http(self) -> dict[str, Any]:
        """Calls over Streamable HTTP, in both eras."""
        found = {}
        for era, modern in (("2026", True), ("2025", False)):
            told = [replace(self.bare, name="bare, told its schemas", command=(*self.bare.command, "told", "http"))]
            peers = [replace(peer, command=(*peer.command, "http")) for peer in self._peers]
            one, many = measures.http_calls(
                [self._over_http(), *(told if modern else []), *peers], modern, self._rounds
            )
            found[f"HTTP {era}: ms a call"] = one
            found[f"HTTP {era}: calls/s, 32 at once"] = many
        return found

    def memory(self) -> dict[str, Any]:
        """Resident memory."""
        return {"MB of memory": measures.footprints([self.ours, self.bare, self.mcpserver, self.fastmcp], 10_000)}

    def sizes(self) -> dict[str, Any]:
        """Characters on the wire."""
        concise = replace(self.ours, name="ours (concise)", arguments={})
        return {"characters": measures.sizes([self.ours, concise, self.bare, self.mcpserver, self.fastmcp])}

    def tools(self) -> dict[str, Any]:
        """Start by the number of declared tools: as on any day, and with nothing written down."""
        servers, catalog = [], load()
        for count in COUNTS:
            folder = self._scratch / f"declared-{count}"
            operations.many(catalog, count, folder)
            environ = {**self._environ, "CORE13_TOOLS_DIR": str(folder)}
            servers += [replace(self.ours, name=f"{count}{kind}", environ=environ) for kind in ("", " (first)")]
        time.sleep(3)  # what has only just been written is not written down
        return {"ms to tools/list, by declared tools": measures.starts(servers, max(3, self._rounds // 2))}

    def results(self) -> dict[str, Any]:
        """A call by the size of what the API answers."""
        large = replace(self.ours, environ={**self._environ, "CORE13_MAX_RESULT_CHARS": "30000000"})
        found = measures.results([large, self.bare, self.mcpserver], SIZES, max(3, self._rounds // 3))
        return {f"ms a call, {size:,} bytes": rounds for size, rounds in found.items()}

    @property
    def _peers(self) -> list[Server]:
        return [self.bare, self.mcpserver, self.fastmcp]

    def _peer(self, where: Path, name: str, script: str, data: str) -> Server:
        path = Path(__file__).parent / "peers" / script
        return Server(name, (str(where / "python"), str(path), str(self._scratch / data), self.origin))

    def _over_http(self) -> Server:
        environ = {
            "CORE13_HTTP": str(free_port()),
            "CORE13_HTTP_RATE": "100000000",
            "CORE13_HTTP_AT_ONCE": "32",
        }
        return replace(self.ours, environ={**self._environ, **environ})


_FULL = {"detail": "full"}
# The peers pass everything on; so do we, where we are compared.


def about() -> dict[str, str]:
    """The machine and the versions."""
    names = ("mcp", "httpx2", "pydantic", "anyio")
    model = next((line.partition(": ")[2] for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "")
    return {
        "machine": f"{model}, {os.cpu_count()} CPUs",
        "python": platform.python_version(),
        **{name: version(name) for name in names},
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def table(report: Mapping[str, Any]) -> str:
    """Every measure as Markdown: the least and the median, and the ratio to the bare server in the same round."""
    lines = [", ".join(f"{name} {what}" for name, what in report["about"].items()), ""]
    for measure in (one for part in report["found"].values() for one in part.items()):
        lines += _measure(*measure)
    return "\n".join(lines)


def _measure(title: str, found: Mapping[str, Any]) -> list[str]:
    if not any(isinstance(values, list) for values in found.values()):
        columns = list(next(iter(found.values())))
        rows = [f"| {name} | " + " | ".join(f"{v[c]:,.0f}" for c in columns) + " |" for name, v in found.items()]
        return [f"| {title} | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|", *rows, ""]
    base = BASE if BASE in found else next(iter(found))
    best = max if "calls/s" in title else min
    rows = [_row(name, values, found[base], best) for name, values in found.items()]
    return [f"| {title} | best | median | x {base}: min | median | max |", "|---|---|---|---|---|---|", *rows, ""]


def _row(name: str, values: list[float], base: list[float], best: Callable[[list[float]], float]) -> str:
    ratios = sorted(mine / other for mine, other in zip(values, base, strict=True))
    shown = [f"{best(values):,.2f}", f"{statistics.median(values):,.2f}"]
    shown += [f"{ratio:.2f}" for ratio in (ratios[0], statistics.median(ratios), ratios[-1])]
    return f"| {name} | " + " | ".join(shown) + " |"


if __name__ == "__main__":
    sys.exit(main())
