"""The printed form of the demo: a conversation, wrapped to the width of the terminal."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TextIO

from ..layout import paragraph, width
from ..terminal import interruptible, style

# The style of what each speaker says.
_STYLES = {"You": "bold", "Result": "green", "Error": "red", "Question": "yellow", "": "green"}

_LABEL = 10


def terminal_width() -> int:
    """Return the number of columns for text: those of the terminal or of COLUMNS, from 40 to 120."""
    return min(max(width(), 40), 120)


@dataclass
class Transcript:
    """Prints who says what.

    Attributes:
        quiet: Print only notes with `always`.
        pauses: Wait for Enter before each request of the person.
    """

    stream: TextIO
    quiet: bool = False
    pauses: bool = False
    width: int = field(default_factory=terminal_width)

    def request(self, text: str) -> None:
        """Print what the person asks for."""
        if self.pauses:
            self._wait()
        self._print("\n")
        self.say("You", text)

    def say(self, speaker: str, text: str) -> None:
        """Print a text beside its speaker."""
        lines = [part for line in text.splitlines() for part in paragraph(line, self.width - _LABEL)]
        for number, line in enumerate(lines):
            label = style(f"{'' if number else speaker:{_LABEL}}", "dim", self.stream)
            look = _STYLES.get(speaker)
            self._print(label + (style(line, look, self.stream) if look else line) + "\n")

    def heading(self, text: str) -> None:
        """Print a line above a part of the output."""
        self._print("\n" + style(text, "bold", self.stream) + "\n")

    def note(self, text: str, *, always: bool = False) -> None:
        """Print lines outside the conversation, also if `quiet` is set and `always` is true."""
        lines = [part for line in text.splitlines() for part in paragraph(line, self.width)]
        self._print("\n".join(lines) + "\n", always=always)

    def _print(self, text: str, *, always: bool = False) -> None:
        if always or not self.quiet:
            print(text, end="", file=self.stream, flush=True)

    def _wait(self) -> None:
        with interruptible():
            self._print("\n" + style("Enter continues, Ctrl-C ends the demo. ", "dim", self.stream))
            sys.stdin.readline()
