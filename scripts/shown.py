"""What the pages about setting up share: a command run in a home folder of its own, and this machine left out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

COMMAND = Path(sys.executable).with_name("core13-mcp")


def run(words: list[str], home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a project in a home folder, with these variables and no others."""
    project = home / "project"
    project.mkdir(exist_ok=True)
    return subprocess.run(
        [COMMAND, *words],
        cwd=project,
        env={"PATH": os.environ["PATH"], "HOME": str(home), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def shown(text: str, home: Path) -> str:
    """Text without the paths of this machine."""
    return text.replace(str(COMMAND), "/path/to/core13-mcp").replace(str(home), "/home/you")


def block(language: str, text: str) -> str:
    """Text between fences."""
    return f"```{language}\n{text.rstrip()}\n```\n"


def write_or_compare(path: Path, page: Callable[[], str]) -> int:
    """Write the page; with `--check` only say by the exit status whether it is current."""
    wanted = page()
    differs = not path.exists() or path.read_text("utf-8") != wanted
    if differs and "--check" not in sys.argv:
        path.write_text(wanted, "utf-8")
    return int(differs and "--check" in sys.argv)
