"""How the story looks on a terminal."""

from __future__ import annotations

import json
import shlex
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TextIO

from ...jsonio import JSON
from ..terminal import style

WIDTH = 96


@dataclass(frozen=True, slots=True)
class Screen:
    """Prints the story to a stream, in colours on a terminal."""

    stream: TextIO

    def say(self, text: str = "") -> None:
        """A line of its own, outside any step."""
        self._print("", text, "dim")

    def heading(self, title: str, number: int | None = None) -> None:
        """The beginning of a step, or of a part that is not one."""
        self._print(f"\n{number or '':2}  ", title, "bold")

    def request(self, tool: str, arguments: JSON) -> None:
        """What is called, in the words that `core13-mcp call` takes."""
        self._print("    > ", " ".join([tool, *(f"{name}={_word(value)}" for name, value in arguments.items())]))

    def question(self, text: str) -> None:
        """What the server wants the person to agree to, and that the demo does."""
        self._print("    ? ", f"{text} [asked of the person; the demo says yes]", "yellow")

    def answer(self, lines: Iterable[str], failed: bool = False) -> None:
        """What came back."""
        for line in lines:
            self._print("    ! " if failed else "    < ", line, "red" if failed else "green")

    def _print(self, mark: str, text: str, color: str = "") -> None:
        indent = len(mark.lstrip("\n"))
        lines = textwrap.wrap(text, WIDTH - indent, break_long_words=False, break_on_hyphens=False)
        shown = [style(line, color, self.stream) if color else line for line in lines]
        print(mark + ("\n" + " " * indent).join(shown), file=self.stream, flush=True)


def _word(value: Any) -> str:
    return shlex.quote(value if isinstance(value, str) else json.dumps(value))
