"""A sandbox in a process of its own, and a person who signs in to it at a terminal."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .processes import CLI, clean_environment
from .terminal import at_a_terminal


@dataclass(frozen=True)
class Machine:
    """A computer with a home directory, and a PostHog that it can reach."""

    home: Path
    origin: str

    @property
    def environ(self) -> dict[str, str]:
        return clean_environment(HOME=str(self.home), POSTHOG_HOST=self.origin, TERM="dumb", NO_COLOR="1")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, without a terminal."""
        return subprocess.run([*CLI, *words], check=False, capture_output=True, text=True, timeout=60, env=self.environ)

    def log_in(self, browse: Callable[[str], object], words: Sequence[str] = ()) -> tuple[int, str]:
        """Run `login` at a terminal. `browse` opens the address that the command prints."""

        def open_address(output: str) -> str:
            browse(re.findall(r"http://127\S+/oauth/authorize\S*", output)[-1])
            return ""

        command = [*CLI, "login", "--no-browser", *words]
        return at_a_terminal(command, self.environ, [("Ctrl-C cancels.", open_address)])

    def stored(self) -> str:
        """Everything in the home directory."""
        return "".join(path.read_text("utf-8") for path in self.home.rglob("*") if path.is_file())


@contextmanager
def machine(home: Path, *options: str) -> Iterator[Machine]:
    """Start a sandbox, and yield a machine with an empty home directory."""
    with subprocess.Popen([*CLI, "sandbox", "--port", "0", *options], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            origin = re.findall(r"on (http://\S+),", process.stderr.readline())
            yield Machine(home, *origin)
        finally:
            process.terminate()
