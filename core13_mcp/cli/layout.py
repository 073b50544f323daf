"""Text that fits the width of the terminal. Pure, except for `width`. Standard library only."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Sequence

from ..text import to_line

# Narrower text is not readable. The terminal then breaks the lines.
_MIN_WIDTH = 20


def width() -> int:
    """Return the width of the terminal, or of COLUMNS if this variable is set; 80 if neither is known."""
    return max(_MIN_WIDTH, shutil.get_terminal_size().columns)


def paragraph(text: str, width: int, indent: str = "", first: str | None = None) -> list[str]:
    """Return text in lines of at most `width` characters, each with the indentation. Longer words are not broken.

    `first` stands before the text on the first line, in place of the indentation. If it leaves no space for a word, it has
    a line of its own.
    """
    first = indent if first is None else first
    lines = textwrap.wrap(
        to_line(text),
        width,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    is_full = len(first) > len(indent) and any(len(line) > width for line in lines[:1])
    return [first.rstrip(), *paragraph(text, width, indent)] if is_full else lines


def fit(text: str, width: int) -> str:
    """Wrap the descriptions in lines of the form `  term    description`. Other lines are not changed."""
    return "\n".join(part for line in text.split("\n") for part in _fit_line(line, width))


def _fit_line(line: str, width: int) -> list[str]:
    indent = line[: len(line) - len(line.lstrip(" "))]
    start = line.rfind("  ") + 2
    if len(line) <= width:
        return [line]
    if start <= max(1, len(indent)):
        # Prose, or a command, which must stay on one line.
        return [line] if indent else paragraph(line, width)
    if width - start < _MIN_WIDTH:
        return [line[:start].rstrip(), *paragraph(line[start:], width, "      ")]
    return paragraph(line[start:], width, " " * start, first=line[:start])


def columns(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Yield the lines of a table. Its last column is wrapped, or moves to lines of its own if the rest is too wide."""
    rows = [[to_line(cell) for cell in row] for row in rows]
    sizes = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    start = sum(size + 2 for size in sizes)
    for *cells, last in rows:
        line = "".join(cell.ljust(size + 2) for cell, size in zip(cells, sizes, strict=True))
        if width - start < _MIN_WIDTH:
            yield line.rstrip()
            yield from paragraph(last, width, "    ")
        else:
            yield from paragraph(last, width, " " * start, first=line) or [line.rstrip()]
