"""Record `core13-mcp demo` as pictures.

    python scripts/record_demo.py [--check]

writes docs/demo.svg (animated, two requests of the demo), docs/demo-80.svg and docs/demo-120.svg (the whole demo on
terminals of 80 and 120 columns). `--check` writes nothing, prints which pictures are out of date, and exits with 1 if
there are any.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
# The requests in the animation.
REQUESTS = ("You       Email insight 1", "You       Give the shared recording")
LABEL, LINE, CHARACTER = 10, 19, 8.1
COLOURS = {"You": "#ffffff", "Agent": "#9ecbff", "Result": "#85e89d", "Error": "#ff9aa2", "Question": "#ffdf5d"}
# Seconds between two lines, and before a line of a new speaker, whose text somebody has to read.
QUICK, SLOW = 0.08, 0.6

STYLE = """\
text { font: 13.5px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre }
.label { fill: #8b949e }
@media (prefers-reduced-motion: no-preference) {
  .later { animation: appear 0.2s both }
  @keyframes appear { from { opacity: 0 } to { opacity: 1 } }
}
"""


def run(columns: int) -> list[str]:
    """Return the lines of the demo on a terminal with this number of columns."""
    command = [sys.executable, "-m", "core13_mcp", "demo"]
    environment = {**os.environ, "COLUMNS": str(columns)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()


def excerpt(lines: Sequence[str]) -> list[str]:
    """Return the lines of the animation."""
    parts = "\n".join(lines).split("\n\n")
    return "\n\n".join(part for part in parts if part.startswith(REQUESTS)).splitlines()


def picture(lines: Sequence[str], columns: int, title: str, *, animated: bool) -> str:
    """Return the lines as an SVG picture of a terminal."""
    width, height = round(columns * CHARACTER) + 40, len(lines) * LINE + 40
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">\n',
            f"<title>{escape(title)}</title>\n<style>\n{STYLE}</style>\n",
            f'<rect width="{width}" height="{height}" rx="10" fill="#0d1117"/>\n',
            *_texts(lines, animated),
            "</svg>\n",
        ]
    )


def _texts(lines: Sequence[str], animated: bool) -> Iterator[str]:
    speaker, time = "", 0.0
    for number, line in enumerate(lines):
        label, text = line[:LABEL].strip(), line[LABEL:]
        spoken = label in COLOURS or not label
        # The first line is there from the start.
        time += (SLOW if label else QUICK) if number else 0
        speaker = label or speaker if line else ""
        attributes = f' class="later" style="animation-delay: {time:.2f}s"' if animated else ""
        y = 20 + LINE * (number + 0.75)
        words = f'<tspan class="label">{escape(line[:LABEL])}</tspan>{escape(text)}' if spoken else escape(line)
        colour = COLOURS.get(speaker, "#c9d1d9")
        if line:
            yield f'<text x="20" y="{y:g}" fill="{colour}" xml:space="preserve"{attributes}>{words}</text>\n'


def pictures() -> dict[Path, str]:
    """Return every picture by its file."""
    narrow, wide = run(80), run(120)
    title = "An agent corrects a wrong call, and the server asks before a link is replaced"
    return {
        DOCS / "demo.svg": picture(excerpt(run(100)), 100, title, animated=True),
        DOCS / "demo-80.svg": picture(narrow, 80, "core13-mcp demo, 80 columns", animated=False),
        DOCS / "demo-120.svg": picture(wide, 120, "core13-mcp demo, 120 columns", animated=False),
    }


def main() -> int:
    """Write the pictures that differ, or print their names."""
    check = "--check" in sys.argv
    changed = {path: text for path, text in pictures().items() if not path.is_file() or path.read_text("utf-8") != text}
    for path, text in changed.items():
        print(f"{'out of date' if check else 'written'}: {path.name}")
        if not check:
            path.write_text(text, "utf-8")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
