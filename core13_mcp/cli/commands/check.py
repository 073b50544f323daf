"""`core13-mcp check`: check the declarations of a directory."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ...declarations.check import check_directory
from ...settings import Settings
from ..terminal import print_line, style


async def run(arguments: Namespace, _: Settings | None) -> int:
    """Print each problem with its file, key path, reason and correct form. Return 1 if there is one."""
    reports = check_directory(Path(arguments.directory))
    problems = [(report.file, problem) for report in reports for problem in report.problems]
    for file, problem in problems:
        print_line(f"{file}: {problem}")
    count = _count(len(problems), "problem")
    print(style(f"{_count(len(reports), 'file')}, {count if problems else 'no problem'}", "bold"))
    return 1 if problems else 0


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
