"""Run the example of docs/python.md that uses packages of others, and compare what it prints.

The exit status is not 0 if the output is another one.
"""

from __future__ import annotations

import contextlib
import io
import re
import runpy
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
PACKAGES = ("fastmcp", "pydantic-ai-slim", "langchain")


def run(code: str) -> None:
    """Run the example, and stop with the difference if it prints something else."""
    printed = io.StringIO()
    with tempfile.TemporaryDirectory() as directory, contextlib.redirect_stdout(printed):
        program = Path(directory) / "example.py"
        program.write_text(code, "utf-8")
        runpy.run_path(str(program), run_name="__main__")
    expected = [line.removeprefix("# > ") for line in code.splitlines() if line.startswith("# > ")]
    if [line.rstrip() for line in printed.getvalue().splitlines()] != expected or not expected:
        sys.exit(f"docs/python.md: expected\n{expected}\nbut it printed\n{printed.getvalue()}")


(example,) = re.findall(r"^```python\n(# pip install .*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
run(example)
print("in process:", ", ".join(f"{package} {version(package)}" for package in PACKAGES))
