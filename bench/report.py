"""`python -m bench.report`: the last run's numbers as a page and a plot, into docs/."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from . import environments
from .__main__ import BASE, table

DOCS = environments.ROOT / "docs"
SHOWN = ("ours", "MCPServer", "FastMCP")
WIDE, BAR, GAP, LEFT, MOST = 760, 14, 26, 250, 3.0
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#1c1e21}.unit{stroke:#1c1e21;stroke-dasharray:3 3}"
    ".a{fill:#1d4aff}.b{fill:#8a8f98}.c{fill:#c9a227}"
    "@media(prefers-color-scheme:dark){text{fill:#e8e8ea}.unit{stroke:#e8e8ea}.a{fill:#7d9bff}.b{fill:#9aa0aa}"
    ".c{fill:#e3c04e}}"
)
_INTRODUCTION = """\
# Performance

Measured beside peers in one run, interleaved, by `scripts/bench`; written by `python -m bench.report`. Read the ratios:
each is to the bare server of the same round. [bench/README.md](../bench/README.md) says what the contestants are, where
the time of a call goes, and what the SDK could change.

![Ratios to a bare SDK server](performance.svg)

"""


def main() -> int:
    """Write both from a run's JSON, by default the last one's."""
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else environments.PLACE / "results.json"
    report = json.loads(source.read_text("utf-8"))
    (DOCS / "performance.md").write_text(_INTRODUCTION + table(report), "utf-8")
    (DOCS / "performance.svg").write_text(plot(report), "utf-8")
    return 0


def plot(report: Mapping[str, Any]) -> str:
    """Bars of the median ratios to the bare server; the dashed line is the bare server itself."""
    groups = [(title, found) for part in report["found"].values() for title, found in part.items() if _compared(found)]
    high = len(groups) * (len(SHOWN) * BAR + GAP) + 50
    drawn = "".join(part for row, (title, found) in enumerate(groups) for part in _group(title, found, 40 + _top(row)))
    legend = "".join(
        f'<rect class="{colour}" x="{LEFT + 110 * n}" y="10" width="12" height="12"/>'
        f'<text x="{LEFT + 110 * n + 18}" y="21">{name}</text>'
        for n, (name, colour) in enumerate(zip(SHOWN, "abc", strict=True))
    )
    unit = _x(1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {high}" role="img">'
        f"<title>Ratios to a bare SDK server, by measure</title><style>{_STYLE}</style>{legend}"
        f'<text x="{LEFT - 10}" y="21" text-anchor="end">\u2193 less is better, \u2191 more is</text>'
        f'<line class="unit" x1="{unit}" x2="{unit}" y1="34" y2="{high - 16}"/>{drawn}'
        f'<text x="{unit + 4}" y="{high - 4}">1 = bare</text></svg>\n'
    )


def _group(title: str, found: Mapping[str, list[float]], top: int) -> Iterator[str]:
    wanted = "\u2191" if title.split(": ")[-1].startswith("calls") else "\u2193"
    yield f'<text x="{LEFT - 10}" y="{top + 26}" text-anchor="end">{escape(title)} {wanted}</text>'
    for row, (name, colour) in enumerate(zip(SHOWN, "abc", strict=True)):
        if name in found:
            ratio = _ratio(found[name], found[BASE])
            y = top + row * BAR
            yield f'<rect class="{colour}" x="{LEFT}" y="{y}" width="{_x(ratio) - LEFT:.0f}" height="{BAR - 3}"/>'
            # Beside its bar, but not across the line.
            beside = _x(1) if 0.8 < ratio < 1 else _x(ratio)
            yield f'<text x="{beside + 4:.0f}" y="{y + 10}">{ratio:.2f}</text>'


def _compared(found: Mapping[str, Any]) -> bool:
    return isinstance(found.get(BASE), list) and "ours" in found and "FastMCP" in found


def _ratio(mine: list[float], base: list[float]) -> float:
    return statistics.median(one / other for one, other in zip(mine, base, strict=True))


def _top(row: int) -> int:
    return row * (len(SHOWN) * BAR + GAP)


def _x(ratio: float) -> float:
    return LEFT + min(ratio, MOST) / MOST * (WIDE - LEFT - 60)


if __name__ == "__main__":
    sys.exit(main())
