"""Write the results of the last run to docs/performance.md, with a plot. Usage: python -m bench.report [JSON]."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from . import environments
from .__main__ import BASE, tables

DOCS = environments.ROOT / "docs"

# The servers in the plot, with their CSS classes.
PLOTTED = {"ours": "a", "MCPServer": "b", "FastMCP": "c"}

# Pixels, and the ratio at the right end.
WIDTH, BAR, LABELS, MAX_RATIO = 760, 14, 250, 3.0
_GROUP = len(PLOTTED) * BAR + 26

_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1c1e21}.unit{stroke:#1c1e21;stroke-dasharray:3 3}"
    ".a{fill:#1d4aff}.b{fill:#8a8f98}.c{fill:#c9a227}"
    "@media(prefers-color-scheme:dark){text{fill:#e8e8ea}.unit{stroke:#e8e8ea}.a{fill:#7d9bff}.b{fill:#9aa0aa}"
    ".c{fill:#e3c04e}}"
)
_INTRODUCTION = """\
# Performance

`scripts/bench` measures this server and other MCP servers in one run, and `python -m bench.report` writes this page.
Compare the ratios: each one refers to the bare server in the same round. Milliseconds depend on the machine.
[bench/README.md](../bench/README.md) describes the servers, explains the differences and lists the targets.

![Ratios to a bare SDK server](performance.svg)

"""


def main() -> int:
    """Write the page and the plot."""
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else environments.BUILD / "results.json"
    report = json.loads(source.read_text("utf-8"))
    (DOCS / "performance.md").write_text(_INTRODUCTION + tables(report), "utf-8")
    (DOCS / "performance.svg").write_text(plot(report), "utf-8")
    return 0


def plot(report: Mapping[str, Any]) -> str:
    """Draw the median ratios to the bare server as bars; a dashed line marks the ratio 1."""
    parts = (part.items() for part in report["results"].values())
    groups = [(title, results) for part in parts for title, results in part if _is_plotted(results)]
    height = len(groups) * _GROUP + 50
    bars = "".join(
        element for row, (title, results) in enumerate(groups) for element in _group(title, results, 40 + row * _GROUP)
    )
    legend = "".join(
        f'<rect class="{css}" x="{LABELS + 110 * n}" y="10" width="12" height="12"/>'
        f'<text x="{LABELS + 110 * n + 18}" y="21">{name}</text>'
        for n, (name, css) in enumerate(PLOTTED.items())
    )
    unit = _x(1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>Ratios to a bare SDK server, by measure</title><style>{_STYLE}</style>{legend}"
        f'<text x="{LABELS - 10}" y="21" text-anchor="end">\u2193 less is better, \u2191 more is better</text>'
        f'<line class="unit" x1="{unit}" x2="{unit}" y1="34" y2="{height - 16}"/>{bars}'
        f'<text x="{unit + 4}" y="{height - 4}">1 = bare</text></svg>\n'
    )


def _group(title: str, results: Mapping[str, list[float]], top: int) -> Iterator[str]:
    better = "\u2191" if title.split(": ")[-1].startswith("calls") else "\u2193"
    yield f'<text x="{LABELS - 10}" y="{top + 26}" text-anchor="end">{escape(title)} {better}</text>'
    for row, (name, css) in enumerate(PLOTTED.items()):
        if name in results:
            ratio, y = _median_ratio(results[name], results[BASE]), top + row * BAR
            yield f'<rect class="{css}" x="{LABELS}" y="{y}" width="{_x(ratio) - LABELS:.0f}" height="{BAR - 3}"/>'
            # The number stands beside the bar, but not on the dashed line.
            number_x = _x(1) if 0.8 < ratio < 1 else _x(ratio)
            yield f'<text x="{number_x + 4:.0f}" y="{y + 10}">{ratio:.2f}</text>'


def _is_plotted(results: Mapping[str, Any]) -> bool:
    return isinstance(results.get(BASE), list) and "ours" in results and "FastMCP" in results


def _median_ratio(values: list[float], base: list[float]) -> float:
    return statistics.median(value / base_value for value, base_value in zip(values, base, strict=True))


def _x(ratio: float) -> float:
    return LABELS + min(ratio, MAX_RATIO) / MAX_RATIO * (WIDTH - LABELS - 60)


if __name__ == "__main__":
    sys.exit(main())
